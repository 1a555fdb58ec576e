# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Facts about the engine: its packages, units, socket and group, and the files that site.yml would change."""

import os
import stat

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    config,
    daemon_json,
    data_root,
    engine_api,
    selinux,
)
from ansible_collections.slipway.platform.plugins.module_utils.engine import (
    audit_rules,
    prune_options,
    prune_timer,
    socket_access,
    strict_modes,
    units,
)
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import groups, rollback, systemd
from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm
from ansible_collections.slipway.platform.plugins.module_utils.report.bounded import UnansweredError, output_of

NAMES = ("docker-ce", "docker-ce-cli", "docker-engine", "containerd.io")
UNITS = (units.SERVICE, units.SOCKET, units.CONTAINERD)
# What dnf of a host knows already: it neither asks a network nor writes a cache. The excludes are those of a pin.
NEWEST = ("dnf", "-q", "-C", "repoquery", "--setopt=disable_excludes=*", "--qf", rpm.REPOQUERY_FORMAT)


def packages(deadline, options):
    """Return the installed version of each of the engine's packages that is installed."""
    # rpm's status is the number of those that are not installed.
    output = output_of(["rpm", "--query", "--queryformat", rpm.QUERY_FORMAT, *NAMES], deadline, any_status=True)
    return {package.name: package.version for package in rpm.parse(output)}


def newest(deadline, options):
    """Return the newest version of each package in the metadata that the host has cached."""
    builds = rpm.parse(output_of([*NEWEST, *NAMES], deadline))
    found = {name: rpm.newest(builds, name, "") for name in NAMES}
    return {name: build.version for name, build in found.items() if build}


def service(deadline, options):
    """Return the state of the units, the version that answers, and why a restart is pending, if it is."""
    known = systemd.parse_show(output_of(systemd.show_command(UNITS), deadline))
    unit = known.get(units.SERVICE, {})
    running = systemd.is_running(unit)
    answer = engine_api.get_json(engine_api.SOCKET, "/version", deadline.left()) if running else {}
    return {
        "state": unit.get("ActiveState", "unknown"),
        "enabled": unit.get("UnitFileState", ""),
        "exists": unit.get("LoadState") == "loaded",
        "masked": systemd.masked(known),
        "answers": bool(answer),
        "version": answer.get("Version", ""),
        "restart": pending(known, unit) if running else [],
    }


def pending(known, unit):
    """Return clauses about why the running engine is older than what is installed or configured."""
    record = rollback.load()
    found = []
    if record and rollback.is_newer_than(record, systemd.started_at(unit)):
        found.append("its configuration changed after it started")
    if systemd.needs_reload(known):
        found.append("its unit files changed after systemd read them")
    if any(units.is_replaced(known.get(name, {}).get("MainPID")) for name in UNITS):
        found.append("its program was replaced by an update")
    return found


def socket(deadline, options):
    """Return owner, group, mode and access control list of the socket; None if there is none."""
    try:
        status = os.stat(engine_api.SOCKET)
    except FileNotFoundError:
        return None
    return {
        "owner": status.st_uid,
        "group": groups.owner_of(status.st_gid) or str(status.st_gid),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "acl": socket_access.has_acl(engine_api.SOCKET),
        "is_socket": stat.S_ISSOCK(status.st_mode),
    }


def members(deadline, options):
    """Return who has the rights of the socket's group, by any means; None if the group does not exist."""
    entry = groups.find(options["group"])
    if entry is None:
        return None
    access = groups.access_to(entry)
    return {
        "members": groups.effective_members(access),
        "administrators": access.administrators,
        "password": access.password,
    }


def drift(deadline, options):
    """Return the files that site.yml would change, and for daemon.json the names of the options that differ."""
    if options["options"] is None:
        raise UnansweredError("the wanted options are not given")
    # What site.yml leaves out of them on this host.
    wanted_options, _ = data_root.without_live_restore(daemon_json.normalise(options["options"]))
    wanted_options, _ = selinux.without_selinux(wanted_options, baking=False)
    try:
        wanted = config.wanted_files(options, wanted_options, config.vendor_command(options["dockerd"]))
    except config.DaemonConfigError as error:
        raise UnansweredError(str(error)) from error
    wanted += [(path, text, 0o644) for path, text in prune_timer.units(prune_options.given(options["prune"] or {}))]
    changed = [path for path, text, mode in wanted if not host_files.is_up_to_date(path, text, mode)]
    present = daemon_json.parse(host_files.read_text(options["path"]))
    names = sorted(name for name in {*present, *wanted_options} if present.get(name) != wanted_options.get(name))
    return {"files": changed, "options": names}


def hardening(deadline, options):
    """Return the files that are too open, and clauses about what audit lacks; None if neither is wanted."""
    if not options["audit_rules"] and not options["strict_modes"]:
        return None
    wanted = options["options"] or {}
    return {
        "loose": [path for path, _, _ in strict_modes.loose(wanted)] if options["strict_modes"] else [],
        "unaudited": unaudited(data_root.from_options(wanted), deadline) if options["audit_rules"] else [],
        "audit_runs": not options["audit_rules"] or audit_rules.runs(),
    }


def unaudited(root, deadline):
    """Return clauses about what keeps the rules of audit from being in force; that auditd does not run is not one."""
    if not os.path.exists(audit_rules.PROGRAM):
        return ["the package audit is not installed"]
    if not host_files.is_up_to_date(audit_rules.RULES, audit_rules.render(root), 0o600):
        return [f"{audit_rules.RULES} is not as site.yml writes it"]
    missing = audit_rules.missing(output_of(["auditctl", "-l"], deadline), root) if audit_rules.runs() else []
    return [f"the kernel has no rule for {', '.join(missing)}"] if missing else []
