# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Rules for the kernel's audit about the engine's files: items 1.1.3 to 1.1.18 of the CIS Docker Benchmark 1.6.

auditctl stops at the first rule that the kernel refuses, and leaves out those of other files after it. So no rule
names a path whose directory is missing, now or at boot.
"""

import collections
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd

RULES = "/etc/audit/rules.d/50-slipway-docker.rules"
# Makes the directory of containerd's socket before auditd loads its rules, which is long before containerd starts.
TMPFILES = "/etc/tmpfiles.d/slipway-containerd.conf"
TMPFILES_TEXT = daemon_config.HEADER + "d /run/containerd 0711 root root -\n"
PROGRAM = "/usr/sbin/augenrules"
PID_FILE = "/run/auditd.pid"
KEY = "docker"
# The directories themselves: what is below changes with every container.
PLACES = ("/run/containerd", "{root}")
TREES = ("/etc/docker",)
FILES = (
    "/usr/bin/dockerd",
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim",
    "/usr/bin/containerd-shim-runc-v1",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/runc",
    "/usr/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.socket",
    "/usr/lib/systemd/system/containerd.service",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/etc/docker/daemon.json",
    "/etc/default/docker",
    "/etc/sysconfig/docker",
    "/etc/containerd/config.toml",
)
Plan = collections.namedtuple("Plan", "wanted changes root")
NOTHING = Plan(False, [], None)


def watched(root):
    """Return (field of the rule, path, permissions) of everything to watch on this host."""
    found = [("path", place.format(root=root), "rwa") for place in PLACES]
    found += [("dir", tree, "rwxa") for tree in TREES]
    found += [("path", path, "rwxa") for path in FILES]
    there = ("/run/containerd", "/etc/docker")  # made with the rules, and with daemon.json
    return [item for item in found if os.path.dirname(item[1]) in there or os.path.isdir(os.path.dirname(item[1]))]


def render(root):
    """Return the text of the rules file."""
    rules = [f"-a always,exit -F {kind}={path} -F perm={perm} -F key={KEY}\n" for kind, path, perm in watched(root)]
    return daemon_config.HEADER + "".join(rules)


def plan(module, wanted, root):
    """Return a Plan; None leaves the rules as they are. Raises DaemonConfigError."""
    if wanted is None:
        return NOTHING
    texts = ((TMPFILES, TMPFILES_TEXT, 0o644), (RULES, render(root), 0o600)) if wanted else ()
    files = texts or [(path, None, 0) for path in (TMPFILES, RULES) if is_ours(path)]
    if wanted:
        foreign = [path for path, _, _ in files if os.path.lexists(path) and not is_ours(path)]
        if foreign:
            raise daemon_config.DaemonConfigError(
                f"{foreign[0]} was not written by this collection: move it away, or set docker_engine_audit_rules: "
                "absent"
            )
        if not os.path.exists(PROGRAM) and not module.check_mode:
            module.warn(
                f"The engine is not audited, because {PROGRAM} is missing: install the package audit, or run the role "
                "with its tags docker_engine_repository and docker_engine_packages"
            )
            return NOTHING
    return Plan(wanted, [item for item in files if not host_files.is_up_to_date(*item)], root)


def is_ours(path):
    return (host_files.read_text(path) or "").startswith(daemon_config.HEADER)


def runs():
    """Whether auditd runs on this host, according to its PID file."""
    pid = (host_files.read_text(PID_FILE) or "").strip()
    return bool(pid) and os.path.exists("/proc/" + pid)


def missing(loaded, root):
    """Return the watched paths of which the output of auditctl -l has no rule."""
    known = set(re.findall(r"(?:-w |path=|dir=)(\S+?)/?(?:\s|$)", loaded))
    return [path for _, path, _ in watched(root) if path not in known]


def carry_out(module, planned):
    """Write or remove the rules and load them; return whether anything changes. Warn where they are not in force."""
    booted = systemd.is_booted() and not module.params["baking"]
    live = booted and runs()
    stale = live and (planned.changes or (planned.wanted and missing(loaded_rules(module), planned.root)))
    locked = stale and is_locked(module)
    if not module.check_mode:
        host_files.put_all(planned.changes)
        if planned.changes and planned.wanted and booted:
            module.run_command(["systemd-tmpfiles", "--create", TMPFILES])
        if stale or (planned.changes and os.path.exists(PROGRAM) and not module.params["baking"]):
            load(module, live and not locked)
    if locked:
        module.warn(f"The rules of {RULES} take effect at the next boot, because -e 2 has locked the rules of audit")
    if planned.wanted and booted and not live:
        module.warn(
            f"The rules of {RULES} are not in force, because auditd does not run: run systemctl enable --now auditd, "
            "which loads them. In a container it cannot run, since audit belongs to the kernel of the machine"
        )
    return bool(planned.changes or (stale and not locked))


def loaded_rules(module):
    return module.run_command(["auditctl", "-l"])[1]


def is_locked(module):
    return bool(re.search(r"^enabled 2$", module.run_command(["auditctl", "-s"])[1], re.MULTILINE))


def load(module, kernel):
    """Merge the rules of all files, and give them to the kernel if it is to have them; warn if that fails."""
    code, output, errors = module.run_command([PROGRAM] + (["--load"] if kernel else []))
    if code:
        module.warn(
            "augenrules cannot load the rules of audit ({}): correct the line that it names, and run it again".format(
                " ".join((errors or output).split())
            )
        )
