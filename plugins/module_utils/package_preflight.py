# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what would stop an installation of the engine, all of it, before anything is changed."""

import os
import platform

from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_options,
    data_root_checks,
    dnf_query,
    engine_change,
    host_preflight,
    rpm_packages,
    selinux_context,
    systemd_units,
    unit_files,
    web_fetch,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import nearest_existing_parent
from ansible_collections.slipway.platform.plugins.module_utils.repository_variables import ENGINE

UNITS = ("docker.service", "docker.socket", "containerd.service")
ENOUGH_BYTES = 2 * 1024**3
PROBE_SECONDS = 10


def query_packages(module):
    """What rpm says of every package that matters: one call, for each call costs."""
    names = rpm_packages.queried(module.params["package"], module.params["plugins"])
    command = [module.get_bin_path("rpm", required=True), "-q", "--qf", rpm_packages.QUERY_FORMAT_WITH_FILES]
    return module.run_command(command + names)[1]  # rpm's exit code counts the absent ones


def needing_runc(module):
    """Packages that would go with runc, which containerd.io replaces: podman and buildah on EL 8."""
    output = module.run_command(["rpm", "-q", "--qf", rpm_packages.QUERY_FORMAT, "--whatrequires", "runc"])[1]
    return {package.name: package for package in rpm_packages.parse(output)}


def why_unreadable(params, error):
    """The reason and its remedy; dnf says little of servers and proxies, so they are asked once more."""
    try:
        if params["baseurl"]:
            web_fetch.fetch(yum_repo.probe_url(params["baseurl"], platform.machine()), params["proxy"], PROBE_SECONDS)
    except web_fetch.FetchError as reason:
        return reason
    return web_fetch.FetchError(str(error), web_fetch.check(ENGINE))


def choose_pinned(module, installed, problems):
    """The exact builds of the pinned packages, none without a pin; a problem when it is malformed or matches nothing.

    The repository is asked only when the installed packages do not satisfy the pin.
    """
    package, pin = module.params["package"], module.params["version"]
    if not pin:
        return []
    if rpm_packages.pin_problem(pin):
        problems.append(rpm_packages.pin_problem(pin))
        return []
    if rpm_packages.pin_is_satisfied(package, pin, installed):
        return [installed[name] for name in rpm_packages.PINNED[package] if name in installed]
    repository = module.params["baseurl"] or module.params["repo_id"]
    try:
        candidates = dnf_query.builds_of(module, rpm_packages.PINNED[package])
    except yum_repo.YumRepoError as error:
        problems.append(str(error))
        return []
    except dnf_query.RepositoryError as error:
        why = why_unreadable(module.params, error)
        problems.append(f"the versions in {repository} cannot be read ({why}): {why.remedy}")
        return []
    builds = rpm_packages.pinned_builds(package, pin, candidates)
    if not builds:
        problems.append(rpm_packages.no_such_version(package, pin, candidates, repository))
    return builds


def choose_packages(params, builds):
    """What to install, in one transaction: exact builds with a pin, plain names without."""
    names = rpm_packages.wanted(params["package"], params["plugins"])
    pinned = rpm_packages.PINNED[params["package"]] if params["version"] else ()
    return [build.spec for build in builds] + [name for name in names if name not in pinned]


def version_to_be(params, installed, builds):
    """The engine's version after the transaction; None when only the repository knows."""
    if params["version"]:
        return builds[0].version if builds else None
    return installed[params["package"]].version if params["package"] in installed else None


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
    masked = systemd_units.masked(systemd_units.of_files(module, UNITS))
    if masked:
        problems.append(systemd_units.masked_sentence(masked))


def find_missing_selinux(module, problems):
    """dnf would say so too, but only when the repository is written already."""
    policy = rpm_packages.SELINUX_POLICY
    if module.run_command(["rpm", "-q", "--whatprovides", policy])[0] == 0:
        return
    try:
        available = dnf_query.provides(module, policy)
    except (dnf_query.RepositoryError, yum_repo.YumRepoError):
        return  # of a repository that is broken, the transaction is going to tell
    if not available:
        problems.append(
            f"{policy}, which the engine's packages require, is neither installed nor in an enabled repository: "
            "enable the distribution's AppStream, or the mirror of it that this host uses"
        )


def warn_of_units(module, query):
    for sentence in unit_files.warnings(UNITS, unit_files.parse_digests(query)):
        module.warn(sentence)


def warn_of_little_space(module, root):
    root = nearest_existing_parent(root)
    disk = os.statvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if free < ENOUGH_BYTES:
        module.warn(
            f"{root} has {free / 1024**3:.1f} GiB free, less than the 2 GiB that an engine with a few images needs: "
            "enlarge it, or set docker_engine_data_root"
        )


def find_useless_root(module, problems):
    """A disk that cannot hold the engine's data, or that would leave them behind; else a little one is a warning."""
    root = module.params["data_root"]
    found = data_root_checks.problems(module, root, module.params["data_root_leave_data"])
    problems += found
    if not found:
        warn_of_little_space(module, root)


def warn_of_loose_pin(module):
    """In a repository that is not ours, nothing holds the pin between two runs."""
    params = module.params
    if params["state"] == "unmanaged" and params["version"]:
        module.warn(
            "docker_engine_version {} is not kept by a plain dnf update, since your repository is not managed here: "
            "write includepkgs={} into its file".format(
                params["version"], ",".join(rpm_packages.include_patterns(params["package"], params["version"]))
            )
        )


def look_at_host(module, version, options, problems):
    host = host_preflight.gather()
    package = module.params["package"]
    problems += host_preflight.problems(host, package, version, options)
    for sentence in host_preflight.warnings(host, package):
        module.warn(sentence)


def look(module):
    """What to install and what is there; fails with every problem at once."""
    params = module.params
    problems = []  # type: list[str]
    query = query_packages(module)
    installed, superseded = rpm_packages.sort_out(rpm_packages.parse(query), params["package"], params["version"])
    conflicting = find_conflicts(module, installed, problems)
    builds = choose_pinned(module, installed, problems)
    version = version_to_be(params, installed, builds)
    options = daemon_options.normalise(params["daemon_options"])
    announcements = engine_change.look(module, installed, version, options, problems)
    look_at_host(module, version, options, problems)
    find_masked(module, problems)
    find_useless_root(module, problems)
    for_labels = selinux_context.packages(params["data_root"])
    present = packages_present(params, installed) and not for_labels
    if not present:
        find_missing_selinux(module, problems)
    warn_of_units(module, query)
    warn_of_loose_pin(module)
    if problems:
        listed = "\n".join("- " + problem for problem in problems)
        module.fail_json(msg="Docker cannot be installed as asked, nothing was changed:\n" + listed, problems=problems)
    return {
        "packages": choose_packages(params, builds) + for_labels,
        "packages_present": present,
        "superseded": [package.spec for package in superseded],
        "installed": {name: package.evr for name, package in sorted(installed.items())},
        "conflicting": conflicting,
        "announcements": announcements,
    }
