# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Query repositories with dnf, including the one whose file is not written yet."""

import os
import re
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text, write_atomically
from ansible_collections.slipway.platform.plugins.module_utils.packages import locks, rpm, yum_repo

DNF_CONFIG = "/etc/dnf/dnf.conf"
# As dnf 4 and dnf 5 say it.
UNREADABLE = re.compile(r"Failed to download metadata (?:\([^)]*\) )?for repo(?:sitory)? ['\"]([^'\"]+)['\"]: ?(.*)")


class RepositoryError(Exception):
    """A repository cannot be read; str() is dnf's reason, and repository the ID, or None if dnf does not say it."""

    def __init__(self, reason):
        found = UNREADABLE.search(reason)
        super().__init__(found.group(2) if found else reason)
        self.repository = found and found.group(1)


def repoquery(module, *arguments):
    """Return the output of dnf repoquery; the repository to be written is known to it. Raise RepositoryError."""
    command = [module.get_bin_path("dnf", required=True), "-q", "repoquery", locks.EXIT_ON_LOCK, *arguments]
    directory = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        if module.params["baseurl"]:
            command += ["--config", write_dnf_config(module.params, directory)]
        code, output, errors = locks.run(module, command)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if code:
        raise RepositoryError(" ".join(errors.split()) or f"dnf exited with status {code}")
    return output


def write_dnf_config(params, directory):
    """Write the host's configuration and the repository to one private file, and return its path.

    This keeps a proxy's password out of argv. No version is excluded here, whatever the pin in the repository file.
    """
    config = os.path.join(directory, "dnf.conf")
    repository = yum_repo.render_private(params["repo_id"], params["baseurl"], params["proxy"])
    write_atomically(config, (read_text(DNF_CONFIG) or "[main]\n") + repository, 0o600)
    return config


def own_repository(params):
    """Return options for the engine's repository alone; none if the role does not manage it."""
    return ["--setopt=reposdir=/dev/null", "--repo", params["repo_id"]] if params["baseurl"] else []


def builds_of(module, names):
    """Return all builds of the packages in the engine's repository, or in any if the role does not manage it."""
    return rpm.parse(repoquery(module, *own_repository(module.params), "--qf", rpm.REPOQUERY_FORMAT, *names))


def requires(module, spec):
    """Return what a build in the engine's repository requires, one capability a line."""
    return repoquery(module, *own_repository(module.params), "--requires", spec)


def available(module, specs):
    """Return those of the builds that an enabled repository has."""
    found = {package.spec for package in rpm.parse(repoquery(module, "--qf", rpm.REPOQUERY_FORMAT, *specs))}
    return [spec for spec in specs if spec in found]


def provides(module, capability):
    """Return whether an enabled repository provides the capability."""
    return bool(repoquery(module, "--whatprovides", capability).strip())
