# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find everything that would make an installation of the engine fail, before anything is changed."""

import importlib.util
import os
import platform

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    daemon_json,
    data_root,
    data_root_checks,
    engine_api,
    foreign_flags,
    selinux,
    versions,
)
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd, unit_files
from ansible_collections.slipway.platform.plugins.module_utils.host.files import nearest_existing_parent
from ansible_collections.slipway.platform.plugins.module_utils.packages import (
    dnf_query,
    download,
    exclusions,
    repository_files,
    rpm,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import ENGINE
from ansible_collections.slipway.platform.plugins.module_utils.preflight import (
    engine_change,
    forwarding,
    kernels,
    options_change,
)
from ansible_collections.slipway.platform.plugins.module_utils.preflight import host as host_preflight

AUDIT, AUGENRULES = "audit", "/usr/sbin/augenrules"
UNITS = ("docker.service", "docker.socket", "containerd.service")
ENOUGH_BYTES = 2 * 1024**3
PROBE_SECONDS = 10


def query_packages(module):
    """Return what rpm reports about all relevant packages, from a single call, to save time."""
    names = rpm.queried(module.params["package"], module.params["plugins"])
    command = [module.get_bin_path("rpm", required=True), "-q", "--qf", rpm.QUERY_FORMAT_WITH_FILES]
    return module.run_command(command + names)[1]  # the exit status is the number of missing packages


def needing_runc(module):
    """Return the packages that would be removed with runc, which containerd.io replaces: podman and buildah on EL 8."""
    output = module.run_command(["rpm", "-q", "--qf", rpm.QUERY_FORMAT, "--whatrequires", "runc"])[1]
    return {package.name: package for package in rpm.parse(output)}


def probe_repository(params):
    """Raise FetchError unless the repository, if its address is known, can be reached."""
    if params["baseurl"]:
        download.fetch(yum_repo.probe_url(params["baseurl"], platform.machine()), params["proxy"], PROBE_SECONDS)


def why_unreadable(params, error):
    """Return a FetchError with reason and remedy; dnf says little about servers and proxies, so probe them again."""
    try:
        probe_repository(params)
    except download.FetchError as reason:
        return reason
    return download.FetchError(str(error), download.check(ENGINE))


def repository_name(params):
    """Return how messages call the repository that the engine comes from."""
    return yum_repo.redact(params["baseurl"] or "the enabled repositories")


def builds_in_repository(module, names, problems):
    """Return all builds of the packages in the engine's repository; None, and a problem, if it cannot be read."""
    try:
        return dnf_query.builds_of(module, names)
    except yum_repo.YumRepoError as error:
        problems.append(str(error))
    except dnf_query.RepositoryError as error:
        why = why_unreadable(module.params, error)
        problems.append(f"the versions in {repository_name(module.params)} cannot be read ({why}): {why.remedy}")
    return None


def choose_pinned(module, installed, problems):
    """Return the exact builds of the pinned packages, [] without a pin; add a problem if it is invalid or has no match.

    The repository is queried only if the installed packages do not satisfy the pin.
    """
    package, pin = module.params["package"], module.params["version"]
    if not pin:
        return []
    if rpm.pin_problem(pin):
        problems.append(rpm.pin_problem(pin))
        return []
    if rpm.pin_is_satisfied(package, pin, installed):
        return [installed[name] for name in rpm.PINNED[package] if name in installed]
    if exclusions.hidden([package]):
        return []  # as find_hidden says
    candidates = builds_in_repository(module, rpm.PINNED[package], problems)
    if candidates is None:
        return []
    builds = rpm.pinned_builds(package, pin, candidates)
    if not builds:
        problem = rpm.no_such_version(package, pin, candidates, repository_name(module.params))
        problems.append(". ".join(filter(None, [problem.rstrip("."), exclusions.remedy(rpm.PINNED[package])])))
    return builds


def engine_to_be(module, installed, builds, options):
    """Return the engine's build after the transaction; None if it is unknown, or does not matter.

    On a host without an engine it is the newest in the repository, which is asked only where the options or a pinned
    containerd depend on it. One that cannot be read is reported when its file is written, and tried first, because dnf
    waits for minutes where a firewall drops packets.
    """
    package = module.params["package"]
    if module.params["version"]:
        return builds[0] if builds else None
    if package in installed:
        return installed[package]
    if not (versions.depends(options) or module.params["containerd_version"]):
        return None
    try:
        probe_repository(module.params)
        return rpm.newest(dnf_query.builds_of(module, [package]), package, "")
    except (download.FetchError, dnf_query.RepositoryError, yum_repo.YumRepoError):
        return None


def choose_containerd(module, installed, engine, problems):
    """Return the build of the pinned containerd, None without a pin; add a problem if the engine refuses it.

    The repository is queried only if something is to be installed.
    """
    params, pin, variable = module.params, module.params["containerd_version"], "docker_engine_containerd_version"
    if not pin or rpm.CONTAINERD not in rpm.wanted(params["package"], []):
        return None
    problem = rpm.pin_problem(pin, variable, "2.1 or 2.1.5")
    if problem:
        problems.append(problem)
        return None
    build = installed.get(rpm.CONTAINERD)
    if build is None or not build.satisfies(pin):
        candidates = builds_in_repository(module, [rpm.CONTAINERD], problems)
        build = rpm.newest(candidates or [], rpm.CONTAINERD, pin)
        if build is None:
            if candidates is not None:
                named = rpm.no_such_version(rpm.CONTAINERD, pin, candidates, repository_name(params), variable)
                problems.append(named)
            return None
    present = [installed[name].spec for name in (params["package"], rpm.CONTAINERD) if name in installed]
    if engine and [engine.spec, build.spec] != present:
        problems += containerd_problems(module, engine, build)
    return build


def containerd_problems(module, engine, build):
    """Return a message if the engine's package requires a newer containerd than the pinned one."""
    try:
        requirements = dnf_query.requires(module, engine.spec)
    except (dnf_query.RepositoryError, yum_repo.YumRepoError):
        return []  # the transaction reports it
    least = rpm.required_version(requirements, rpm.CONTAINERD)
    if least is None or rpm.version_key(build.version) >= rpm.version_key(least):
        return []
    return [
        f"{engine.name} {engine.version} requires containerd.io {least} or later, and docker_engine_containerd_version "
        f"holds {build.version}: raise it, or leave it empty"
    ]


def choose_packages(params, builds, containerd):
    """Return what to install in one transaction: exact builds with a pin, plain names without."""
    exact = builds + ([containerd] if containerd else [])
    pinned = {*(rpm.PINNED[params["package"]] if params["version"] else ()), *(build.name for build in exact)}
    names = rpm.wanted(params["package"], params["plugins"])
    return [build.spec for build in exact] + [name for name in names if name not in pinned]


def packages_present(params, installed, containerd):
    names = rpm.wanted(params["package"], params["plugins"])
    pinned = rpm.pin_is_satisfied(params["package"], params["version"], installed)
    held = containerd is None or containerd is installed.get(rpm.CONTAINERD)
    return pinned and held and all(name in installed for name in names)


def kernel_packages(module, options, problems):
    """Return the packages with a module that a kernel lacks; add a problem or warn if no repository has them.

    A reboot into another kernel may be far away, so that only the one that runs the engine first is a problem.
    """
    if options.get("iptables") is False or options.get("firewall-backend") == "nftables":
        return []
    lacks = kernels.lacking(os.uname().release, module.params["baking"])
    if not lacks:
        return []
    try:
        available = dnf_query.available(module, [lack.package for lack in lacks])
    except (dnf_query.RepositoryError, yum_repo.YumRepoError):
        available = []
    for lack in lacks:
        if lack.package not in available:
            sentence = kernels.message(lack, exclusions.remedy([lack.package.rsplit("-", 2)[0]]))
            if lack.decisive:
                problems.append(sentence)
            else:
                module.warn(sentence)
    return available


def dnf_bindings(module, installed):
    """Return dnf5's module for Python if it is missing: ansible-core before 2.19 does not bring it for its dnf module.

    The roles docker_firstboot and docker_mirror install packages with that.
    """
    program = os.path.realpath(module.get_bin_path("dnf") or "")
    missing = program.endswith("dnf5") and rpm.DNF5_BINDINGS not in installed
    return [rpm.DNF5_BINDINGS] if missing and importlib.util.find_spec("libdnf5") is None else []


def audit_packages(module, problems):
    """Return the package of auditd if the host lacks what is to audit the engine; add a problem without it."""
    if not module.params["audit"] or os.path.exists(AUGENRULES):
        return []
    try:
        available = dnf_query.provides(module, AUDIT)
    except (dnf_query.RepositoryError, yum_repo.YumRepoError):
        available = True  # reported with the repository
    if not available:
        problems.append(
            f"{AUDIT}, which the rules of audit need, is neither installed nor in an enabled repository: enable the "
            "distribution's BaseOS repository, or set docker_engine_audit_rules: absent"
        )
    return [AUDIT]


def find_conflicts(module, installed, problems):
    package = module.params["package"]
    conflicting = [name for name in rpm.CONFLICTING[package] if name in installed]
    if "runc" in conflicting:
        dependents = needing_runc(module)
        installed.update(dependents)
        conflicting += sorted(set(dependents) - set(conflicting))
    if conflicting and module.params["conflicts"] == "refuse":
        problems.append(rpm.conflict_problem(package, conflicting, installed))
    return conflicting


def find_masked(module, problems):
    masked = systemd.masked(systemd.list_unit_files(module, UNITS))
    if masked:
        problems.append(systemd.masked_message(masked))


def find_hidden(params, installed, problems):
    """Add a problem if dnf's settings hide packages that have to be installed."""
    missing = [name for name in rpm.wanted(params["package"], params["plugins"]) if name not in installed]
    outdated = [] if rpm.pin_is_satisfied(params["package"], params["version"], installed) else [params["package"]]
    problems += [
        f"{clause} from dnf: remove the entry, or the packages from it"
        for clause in exclusions.hidden(sorted({*missing, *outdated}))
    ]


def find_unavailable(module, problems):
    """Add a problem if dnf cannot read a repository or the SELinux policy is not available.

    dnf would say so too, but only after files were written.
    """
    policy = rpm.SELINUX_POLICY
    try:
        available = dnf_query.provides(module, policy)
    except yum_repo.YumRepoError:
        return  # reported when the repository is written
    except dnf_query.RepositoryError as error:
        if error.repository != module.params["repo_id"] or module.params["state"] == "unmanaged":
            problems.append(repository_files.unreadable(error.repository, error))
        return
    if not available and module.run_command(["rpm", "-q", "--whatprovides", policy])[0]:
        problems.append(
            f"{policy}, which the engine's packages require, is neither installed nor in an enabled repository: "
            "enable the distribution's AppStream repository, or this host's mirror of it"
        )


def warn_about_units(module, query):
    for message in unit_files.warnings(UNITS, unit_files.parse_digests(query)):
        module.warn(message)


def warn_about_space(module, root):
    root = nearest_existing_parent(root)
    disk = os.statvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if free < ENOUGH_BYTES:
        module.warn(
            f"{root} has {free / 1024**3:.1f} GiB free, less than the 2 GiB that an engine with a few images needs: "
            "enlarge it, or set docker_engine_data_root"
        )


def find_unusable_root(module, options, problems):
    """Add a problem if the data root cannot be used or would leave data behind; else warn if it is nearly full."""
    root = module.params["data_root"]
    found = data_root_checks.problems(module, root, options, module.params["data_root_leave_data"])
    problems += found
    if not found:
        warn_about_space(module, root)


def warn_about_loose_pin(module):
    """Warn that nothing enforces the pin between runs in a repository that the role does not manage."""
    params = module.params
    pins = [
        "{} {}".format(variable, params[name])
        for variable, name in (
            ("docker_engine_version", "version"),
            ("docker_engine_containerd_version", "containerd_version"),
        )
        if params[name]
    ]
    if params["state"] == "unmanaged" and pins:
        module.warn(
            "{} {} not survive a plain dnf update, because the role does not manage this repository: add "
            "includepkgs={} to its file".format(
                " and ".join(pins),
                "do" if pins[1:] else "does",
                ",".join(rpm.include_patterns(params["package"], params["version"], params["containerd_version"])),
            )
        )


def find_second_definition(params, problems):
    if params["state"] == "present":
        problem = repository_files.second_definition(params["repo_id"], params["file"])
        problems += [problem] if problem else []


def check_host(module, version, options, problems):
    host = host_preflight.gather()
    package, baking = module.params["package"], module.params["baking"]
    problems += host_preflight.problems(host, package, version) + forwarding.problems(options, baking)
    for message in host_preflight.warnings(host, package, version) + forwarding.warnings(options, baking):
        module.warn(message)


def check(module):
    """Return what to install and what is installed; fail the module with all problems at once."""
    params = module.params
    problems = []  # type: list[str]
    query = query_packages(module)
    installed, superseded = rpm.split_superseded(rpm.parse(query), params["package"], params["version"])
    conflicting = find_conflicts(module, installed, problems)
    find_second_definition(params, problems)
    builds = choose_pinned(module, installed, problems)
    options = data_root.without_live_restore(daemon_json.normalise(params["daemon_options"]))[0]
    options = selinux.without_selinux(options, params["baking"])[0]
    engine = engine_to_be(module, installed, builds, options)
    containerd = choose_containerd(module, installed, engine, problems)
    version = engine.version if engine else None
    announcements = engine_change.check(module, installed, version, options, problems)
    check_host(module, version, options, problems)
    find_masked(module, problems)
    if not module.params["baking"] and engine_api.occupied(engine_api.SOCKET):
        problems.append(engine_api.occupied(engine_api.SOCKET))
    find_unusable_root(module, options, problems)
    options_change.check(module, options, problems)
    problems += foreign_flags.problems(options)
    others = (
        selinux.packages(params["data_root"])
        + audit_packages(module, problems)
        + kernel_packages(module, options, problems)
        + dnf_bindings(module, installed)
    )
    present = packages_present(params, installed, containerd) and not others
    if not present:
        find_hidden(params, installed, problems)
        find_unavailable(module, problems)
    warn_about_units(module, query)
    warn_about_loose_pin(module)
    for sentence in announcements:
        module.warn(sentence)
    if problems:
        listed = "\n".join("- " + problem for problem in problems)
        module.fail_json(
            msg="Docker cannot be installed with these settings; nothing was changed:\n" + listed, problems=problems
        )
    return {
        "packages": choose_packages(params, builds, containerd) + others,
        "packages_present": present,
        "superseded": [package.spec for package in superseded],
        "installed": {name: package.evr for name, package in sorted(installed.items())},
        "conflicting": conflicting,
        "announcements": announcements,
    }
