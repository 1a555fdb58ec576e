# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Install packages in one dnf transaction; those of one repository must be signed by a pinned key.

dnf accepts a package signed by any key in rpm's database, from any repository that offers it. So the packages are
downloaded first, those of the repository are verified with the pinned keys only, and dnf then installs from its cache
without network access: packages that were not verified are not in it.
"""

import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.packages import exclusions, locks, rpm
from ansible_collections.slipway.platform.plugins.module_utils.packages.dnf_query import DNF_CONFIG
from ansible_collections.slipway.platform.plugins.module_utils.packages.pinned_keyring import PinnedKeyring

# Where dnf caches downloads of root; each repository has a directory <id>-<16 hexadecimal digits>.
CACHES = {"dnf5": "/var/cache/libdnf5"}
DEFAULT_CACHE = "/var/cache/dnf"
CACHE_SETTING = re.compile(r"^cachedir\s*=\s*([^\s$]+)\s*$", re.MULTILINE)
# The name in an exact build such as docker-ce-3:26.1.5-1.el9.
NAME = re.compile(r"\A(?P<name>[^/]+?)(?:-(?:[0-9]+:)?[0-9][^-]*-[0-9][^-]*)?\Z")
NOTHING_TO_DO = "Nothing to do."
# Where the reason begins in the errors of dnf 4 and dnf 5, after their progress, and what follows it.
REASON = re.compile(r"^(?:Error:(?! GPG check FAILED)|Failed to|Transaction failed)", re.MULTILINE)
# What dnf 4 says if a scriptlet of a package fails, and the lines before it: the scriptlet's own, and those of rpm.
NO_REASON = re.compile(r"\AError: Transaction failed\.?\s*\Z")
OF_RPM = re.compile(r"^(?:/var/tmp/rpm-tmp\.|error: |Error in |\S+ was supposed to be ).*$", re.MULTILINE)
ADVICE = re.compile(r"^(?:\(try to add|You can try to add|  --).*$", re.MULTILINE)
# What dnf 4 and dnf 5 say when no set of packages fits, to which excludes and version locks can contribute.
UNRESOLVED = re.compile(
    r"Unable to find a match|No match for argument|Failed to resolve the transaction|^ *Problem( [0-9]+)?:"
    r"|filtered out",
    re.MULTILINE,
)
# Identifies builds by digest rather than by name and version; packages from before 2017 have no SHA-256.
BUILD_FORMAT = "%{NAME} %|SHA256HEADER?{%{SHA256HEADER}}:{%{SHA1HEADER}}|\n"


class TransactionError(Exception):
    """The packages cannot be installed; str() is the message, without a full stop."""


class Transaction:
    """Packages to install, and the repository that some of them must come from, or None.

    repository is a dict: id, key (canonical), packages (names that no other repository may provide).
    """

    def __init__(self, module, packages, exclude, allow_erasing, repository):
        self.module, self.repository = module, repository
        self.program = module.get_bin_path("dnf", required=True)
        self.cache = cache_of(self.program)
        self.packages = self.not_installed(packages)
        self.options = [locks.EXIT_ON_LOCK, "--setopt=cachedir=" + self.cache]
        self.options += ["--exclude=" + name for name in exclude]
        if allow_erasing:
            self.options.append("--allowerasing")
        if any(spec.startswith("/") for spec in packages):
            self.options.append("--setopt=localpkg_gpgcheck=0")  # applies to files only
        if repository:
            self.options += only_from(repository)

    def not_installed(self, packages):
        """Drop installed packages: dnf would upgrade those given by plain name."""
        names = [name_of(spec) for spec in packages if name_of(spec)]
        installed = self.query(*names) if names else []
        present = {label for package in installed for label in (package.name, package.spec)}
        return [spec for spec in packages if spec not in present]

    def query(self, *arguments):
        return query(self.module, *arguments)

    def is_needed(self):
        """Return whether dnf would change anything; raise TransactionError if the transaction would fail."""
        if not self.packages:
            return False
        code, output, errors = self.dnf("install", "--assumeno")
        if code and "Operation aborted" not in output + errors:
            raise self.failure(output, errors)
        return bool(code)

    def download(self):
        """Download everything, verify packages of the repository; return whether there is anything to install."""
        if not self.packages:
            return False
        keyring = PinnedKeyring(self.module, self.repository["key"]) if self.repository else None
        self.discard_refused(keyring)
        output = self.run("install", "--assumeyes", "--downloadonly")
        refused = self.discard_refused(keyring)
        if refused:
            raise TransactionError(
                "the repository {} has packages that are damaged or not signed by a pinned key: {}. Ask its owner, or "
                "correct the pinned fingerprints".format(self.repository["id"], ", ".join(refused))
            )
        if NOTHING_TO_DO in output:
            return False
        if keyring:
            self.refuse_unverified()
        return True

    def rehearse(self):
        """Download and verify everything, and have dnf test the transaction; return whether there is one.

        dnf5 verifies no signature when it only downloads, and a test finds conflicts of files and full disks too.
        """
        if not self.packages or (self.repository and not self.download()):
            return False
        cached = ["--cacheonly"] if self.repository else []
        return NOTHING_TO_DO not in self.run("install", "--assumeyes", *cached, "--setopt=tsflags=test")

    def install(self):
        """Install everything in one transaction; return whether anything changed."""
        if not self.repository:
            return bool(self.packages) and NOTHING_TO_DO not in self.run("install", "--assumeyes")
        if not self.download():
            return False
        trusted = self.builds(*self.repository["packages"])
        trusted |= self.builds("--nosignature", "--package", *self.downloaded())
        self.run("install", "--assumeyes", "--cacheonly")
        self.check_installed(self.builds(*self.repository["packages"]) - trusted)
        return True

    def refuse_unverified(self):
        """Raise TransactionError for packages that were not downloaded, and so not verified."""
        paths = self.downloaded()
        downloaded = self.query("--nosignature", "--package", *paths) if paths else []
        verified = {label for package in downloaded for label in (package.name, package.spec)}
        own = [spec for spec in self.packages if name_of(spec) in self.repository["packages"]]
        unverified = [spec for spec in own if spec not in verified]
        if unverified:
            raise TransactionError(
                "dnf does not download {} from the repository {}, so its signature cannot be verified: serve the "
                "repository over http or https, and remove other sources of the package".format(
                    ", ".join(unverified), self.repository["id"]
                )
            )

    def check_installed(self, unverified):
        """Raise TransactionError if dnf, or a plugin of it, installed anything but the verified packages."""
        if unverified:
            raise TransactionError(
                "dnf installed packages that are not signed by a pinned key: {}. Remove them, and the repository or "
                "dnf plugin that provides them".format(", ".join(sorted(line.split()[0] for line in unverified)))
            )

    def builds(self, *query):
        """Return a line for each build that rpm finds."""
        output = self.module.run_command(["rpm", "--query", "--queryformat", BUILD_FORMAT, *query])[1]
        return {line for line in output.splitlines() if len(line.split()) == 2}

    def downloaded(self):
        """Return the paths of all packages downloaded from the repository."""
        folder = re.compile(re.escape(self.repository["id"]) + "-[0-9a-f]{16}")
        folders = [
            os.path.join(self.cache, name, "packages") for name in names_in(self.cache) if folder.fullmatch(name)
        ]
        paths = [os.path.join(folder, name) for folder in folders for name in names_in(folder)]
        return sorted(filter(os.path.isfile, paths))

    def discard_refused(self, keyring):
        """Delete downloads that the keyring does not verify, and return their names; [] without a keyring."""
        paths = self.downloaded() if keyring else []
        refused = [path for path in paths if not keyring.is_intact(path)]
        for path in refused:
            os.unlink(path)
        return [os.path.basename(path) for path in refused]

    def run(self, *arguments):
        code, output, errors = self.dnf(*arguments)
        if code:
            raise self.failure(output, errors)
        return output + errors

    def dnf(self, *arguments):
        """Run dnf; its command is the first argument, since dnf 5 rejects the command's options before it."""
        return locks.run(self.module, [self.program, *arguments, *self.options, *self.packages])

    def failure(self, output, errors):
        """Return the error with dnf's reason, and with the settings that may be why it finds no packages that fit."""
        names = [name_of(spec) for spec in self.packages if name_of(spec)]
        hint = exclusions.remedy(names) if UNRESOLVED.search(errors or output) else ""
        return TransactionError("; ".join(filter(None, [reason(output, errors), hint])))


def query(module, *arguments):
    """Return the packages that rpm reports."""
    command = ["rpm", "--query", "--queryformat", rpm.QUERY_FORMAT, *arguments]
    return rpm.parse(module.run_command(command)[1])


def remove(module, packages):
    """Remove those of the packages that are installed, with those that require them; return what is removed."""
    installed = query(module, *map(name_of, packages))
    present = {label for package in installed for label in (package.name, package.spec)}
    leaving = [spec for spec in packages if spec in present]
    if leaving and not module.check_mode:
        # What they required stays, as it may be in use by now.
        options = ["--assumeyes", "--setopt=clean_requirements_on_remove=0", locks.EXIT_ON_LOCK]
        code, output, errors = locks.run(
            module, [module.get_bin_path("dnf", required=True), "remove", *options, *leaving]
        )
        if code:
            raise TransactionError(reason(output, errors))
    return leaving


def cache_of(program):
    """Return the directory where this dnf caches downloads."""
    configured = CACHE_SETTING.search(read_text(DNF_CONFIG) or "")
    return configured.group(1) if configured else CACHES.get(os.path.basename(os.path.realpath(program)), DEFAULT_CACHE)


def name_of(spec):
    """Return the package name in a dnf package spec; None for a file."""
    match = NAME.match(spec)
    return match and match.group("name")


def names_in(folder):
    return os.listdir(folder) if os.path.isdir(folder) else []


def only_from(repository):
    """Return options that make dnf take the packages from this repository only."""
    # The empty value overrides the pattern for the repository itself, so it must come last.
    names = ",".join(repository["packages"])
    return [f"--setopt=*.excludepkgs={names}", "--setopt={}.excludepkgs=".format(repository["id"])]


def reason(output, errors):
    """Return dnf's error message on one line, without its progress and advice."""
    found = REASON.search(errors)
    text = ADVICE.sub("", errors[found.start() :] if found else errors or output)
    if NO_REASON.match(text):
        text = "; ".join([text.strip(), *OF_RPM.findall(output + "\n" + errors)])
    return " ".join(text.split()).rstrip(".") or "dnf gives no reason"
