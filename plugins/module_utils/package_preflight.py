# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what would stop an installation of the engine, all of it, before anything is changed."""

import os
import platform
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils import rpm_packages, systemd_units, web_fetch, yum_repo
from ansible_collections.slipway.platform.plugins.module_utils.file_io import (
    nearest_existing_parent,
    read_text,
    write_atomically,
)

UNITS = ("docker.service", "docker.socket", "containerd.service")
DNF_CONFIG = "/etc/dnf/dnf.conf"
ENOUGH_BYTES = 2 * 1024**3
PROBE_SECONDS = 10


class RepositoryError(Exception):
    """The repository's versions cannot be read."""


def installed_packages(module):
    names = rpm_packages.queried(module.params["package"], module.params["plugins"])
    command = [module.get_bin_path("rpm", required=True), "-q", "--qf", rpm_packages.QUERY_FORMAT]
    output = module.run_command(command + names)[1]  # rpm's exit code counts the absent ones
    return {package.name: package for package in rpm_packages.parse(output)}


def needing_runc(module):
    """Packages that would go with runc, which containerd.io replaces: podman and buildah on EL 8."""
    output = module.run_command(["rpm", "-q", "--qf", rpm_packages.QUERY_FORMAT, "--whatrequires", "runc"])[1]
    return {package.name: package for package in rpm_packages.parse(output)}


def available_packages(module, directory):
    """All builds of the pinned packages in the repository."""
    params = module.params
    command = [module.get_bin_path("dnf", required=True), "-q", "repoquery"]
    if params["baseurl"]:
        command += ["--config", write_dnf_config(params, directory), "--setopt=reposdir=" + directory]
    command += ["--repo", params["repo_id"], "--qf", rpm_packages.REPOQUERY_FORMAT]
    code, output, errors = module.run_command(command + list(rpm_packages.PINNED[params["package"]]))
    if code:
        raise RepositoryError(" ".join(errors.split()) or f"dnf ended with {code}")
    return rpm_packages.parse(output)


def why_unreadable(params, error):
    """The reason and its remedy; dnf says little of servers and proxies, so they are asked once more."""
    try:
        if params["baseurl"]:
            web_fetch.fetch(yum_repo.probe_url(params["baseurl"], platform.machine()), params["proxy"], PROBE_SECONDS)
    except web_fetch.FetchError as reason:
        return reason
    return web_fetch.FetchError(str(error))


def write_dnf_config(params, directory):
    """The host's configuration and the repository in one private file: a proxy's password stays out of argv."""
    config = os.path.join(directory, "dnf.conf")
    repository = "\n[{0}]\nname={0}\nbaseurl={1}\nenabled=1\nskip_if_unavailable=0\n".format(
        yum_repo.section_name(params["repo_id"]), yum_repo.one_line("baseurl", params["baseurl"])
    )
    proxy = yum_repo.proxy_settings(params["proxy"])
    repository += "".join("{}={}\n".format(key, yum_repo.one_line("proxy", value)) for key, value in proxy)
    write_atomically(config, (read_text(DNF_CONFIG) or "[main]\n") + repository, 0o600)
    return config


def choose_pinned(module, installed, problems):
    """The exact builds for the pinned packages; a problem when the pin is malformed or matches nothing.

    The repository is asked only when the installed packages do not satisfy the pin.
    """
    package, pin = module.params["package"], module.params["version"]
    if rpm_packages.pin_problem(pin):
        problems.append(rpm_packages.pin_problem(pin))
        return []
    if rpm_packages.pin_is_satisfied(package, pin, installed):
        return [installed[name].spec for name in rpm_packages.PINNED[package] if name in installed]
    repository = module.params["baseurl"] or module.params["repo_id"]
    directory = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        candidates = available_packages(module, directory)
    except yum_repo.YumRepoError as error:
        problems.append(str(error))
        return []
    except RepositoryError as error:
        why = why_unreadable(module.params, error)
        problems.append(f"the versions in {repository} cannot be read ({why}): {why.remedy}")
        return []
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    specs = rpm_packages.pinned_specs(package, pin, candidates)
    if not specs:
        problems.append(rpm_packages.no_such_version(package, pin, candidates, repository))
    return specs


def choose_packages(module, installed, problems):
    """What to install, in one transaction."""
    package = module.params["package"]
    names = rpm_packages.wanted(package, module.params["plugins"])
    if not module.params["version"]:
        return names
    return choose_pinned(module, installed, problems) + [
        name for name in names if name not in rpm_packages.PINNED[package]
    ]


def packages_present(params, installed):
    names = rpm_packages.wanted(params["package"], params["plugins"])
    pinned = rpm_packages.pin_is_satisfied(params["package"], params["version"], installed)
    return pinned and all(name in installed for name in names)


def find_conflicts(module, installed, problems):
    package = module.params["package"]
    conflicting = [name for name in rpm_packages.CONFLICTING[package] if name in installed]
    if "runc" in conflicting:
        dependents = needing_runc(module)
        installed.update(dependents)
        conflicting += sorted(set(dependents) - set(conflicting))
    if conflicting and module.params["conflicts"] == "refuse":
        problems.append(rpm_packages.conflict_problem(package, conflicting, installed))
    return conflicting


def find_masked(module, problems):
    """Without systemd, as in a chroot, there is nothing to unmask."""
    if not module.get_bin_path("systemctl"):
        return
    masked = systemd_units.masked(systemd_units.parse_show(module.run_command(systemd_units.show_command(UNITS))[1]))
    if masked:
        problems.append(systemd_units.masked_sentence(masked))


def warn_of_little_space(module):
    root = nearest_existing_parent(module.params["data_root"])
    disk = os.statvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if free < ENOUGH_BYTES:
        module.warn(
            f"{root} has {free / 1024**3:.1f} GiB free, less than the 2 GiB that an engine with a few images needs: "
            "enlarge it, or set data-root in docker_engine_daemon_options"
        )


def look(module):
    """What to install and what is there; fails with every problem at once."""
    problems = []  # type: list[str]
    installed = installed_packages(module)
    conflicting = find_conflicts(module, installed, problems)
    packages = choose_packages(module, installed, problems)
    find_masked(module, problems)
    warn_of_little_space(module)
    if problems:
        listed = "\n".join("- " + problem for problem in problems)
        module.fail_json(msg="Docker cannot be installed as asked, nothing was changed:\n" + listed, problems=problems)
    return {
        "packages": packages,
        "packages_present": packages_present(module.params, installed),
        "installed": {name: package.evr for name, package in sorted(installed.items())},
        "conflicting": conflicting,
    }
