# SPDX-License-Identifier: Apache-2.0
"""Claims of docker_engine_profile: hardened: the items of the CIS Docker Benchmark 1.6, sections 1 to 3, and 5.3.

They look at a host and change nothing. A host with the profile `default` has no claims of these, except in an audit
(`--cis-report`, as in playbooks/audit.yml), which asks every host for every item.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from testinfra.host import Host

from tests.verify import conftest

CERTIFICATES = "/etc/docker/certs.d"
AUDITED = {
    "1.1.3": "/usr/bin/dockerd",
    "1.1.4": "/run/containerd",
    "1.1.5": "{root}",
    "1.1.6": "/etc/docker",
    "1.1.7": "{docker.service}",
    "1.1.8": "/run/containerd/containerd.sock",
    "1.1.9": "{docker.socket}",
    "1.1.10": "/etc/default/docker",
    "1.1.11": "/etc/docker/daemon.json",
    "1.1.12": "/etc/containerd/config.toml",
    "1.1.13": "/etc/sysconfig/docker",
    "1.1.14": "/usr/bin/containerd",
    "1.1.15": "/usr/bin/containerd-shim",
    "1.1.16": "/usr/bin/containerd-shim-runc-v1",
    "1.1.17": "/usr/bin/containerd-shim-runc-v2",
    "1.1.18": "/usr/bin/runc",
}
# Items of an owner and of a mode, what they are about, the owner, and the bits that the mode may have.
FILES = (
    ("3.1", "3.2", "{docker.service}", "root:root", 0o644),
    ("3.3", "3.4", "{docker.socket}", "root:root", 0o644),
    ("3.5", "3.6", "/etc/docker", "root:root", 0o755),
    ("3.7", "3.8", "{certificates}", "root:root", 0o444),
    ("3.9", "3.10", "{tlscacert}", "root:root", 0o444),
    ("3.11", "3.12", "{tlscert}", "root:root", 0o444),
    ("3.13", "3.14", "{tlskey}", "root:root", 0o400),
    ("3.15", "3.16", "/run/docker.sock", "root:{group}", 0o660),
    ("3.17", "3.18", "/etc/docker/daemon.json", "root:root", 0o644),
    ("3.19", "3.20", "/etc/default/docker", "root:root", 0o644),
    ("3.22", "3.21", "/etc/sysconfig/docker", "root:root", 0o644),
    ("3.23", "3.24", "/run/containerd/containerd.sock", "root:root", 0o660),
)
# Items that the profile leaves to the user.
LEFT = {
    "2.12": "it takes a plugin of yours: authorization-plugins in docker_engine_daemon_options",
    "2.13": "it takes a server of yours: log-driver in docker_engine_daemon_options",
}
# Options with which the inventory decides about items itself.
OPTIONS = {
    "2.2": "icc",
    "2.3": "log-level",
    "2.4": "iptables",
    "2.5": "insecure-registries",
    "2.6": "storage-driver",
    "2.8": "default-ulimits",
    "2.9": "userns-remap",
    "2.10": "cgroup-parent",
    "2.11": "storage-opts",
    "2.14": "no-new-privileges",
    "2.15": "live-restore",
    "2.16": "userland-proxy",
    "2.17": "seccomp-profile",
    "2.18": "experimental",
    "5.3": "selinux-enabled",
}
LOCAL_LOGS = ("json-file", "local", "journald", "none")
LOCAL_NETWORKS = {"127.0.0.0/8", "::1/128"}
# One command, since each costs a connection.
LOOK = f"""
part() {{ printf '\\n#### %s\\n' "$1"; }}
part options; cat /etc/docker/daemon.json 2>/dev/null
part info; docker info --format '{{{{json .}}}}' 2>/dev/null
part bridge; docker network inspect --format '{{{{json .Options}}}}' bridge 2>/dev/null
part command; tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline 2>/dev/null
part units; systemctl show --property=Id,FragmentPath docker.service docker.socket
part kernel; auditctl -l 2>&1
part merged; cat /etc/audit/audit.rules 2>/dev/null
part container; systemd-detect-virt --container
part members; getent group "$1"
part certificates; find {CERTIFICATES} -name '*.crt' -o -name '*.cert' 2>/dev/null
part selinux; test -e /sys/fs/selinux/enforce && cat /sys/fs/selinux/enforce
"""
STAT = 'for path; do stat --dereference --format "%U:%G %a %n" "$path" 2>/dev/null; done; :'


class NotApplicable(Exception):
    """The item is about something that this host does not have."""


def title(pattern: str) -> str:
    """Return how a pattern of the tables is called."""
    names = {"{certificates}": f"certificate in {CERTIFICATES}", "{root}": "the data root"}
    return names.get(pattern, pattern.strip("{}"))


def literal(script: str) -> str:
    """Return a script for testinfra, which takes a percent sign for the place of an argument."""
    return script.replace("%", "%%")


class State:
    """What the items are about, read from a host at once."""

    def __init__(self, host: Host, group: str, members: list[str]) -> None:
        self._host, self.group, self.listed = host, group, members
        parts = re.split(r"^#### (\w+)\n", host.run(f"set -- %s; {literal(LOOK)}", group).stdout, flags=re.MULTILINE)
        self.text = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
        self.options: dict[str, Any] = json.loads(self.text["options"] or "{}")
        self.info: dict[str, Any] = json.loads(self.text["info"] or "{}")
        self.security = " ".join(self.info.get("SecurityOptions") or [])

    @property
    def root(self) -> str:
        """The data root, without the directory of mapped users."""
        return re.sub(r"/[0-9]+\.[0-9]+$", "", str(self.info.get("DockerRootDir", "/var/lib/docker")))

    def flag(self, name: str) -> str:
        """An option of daemon.json, or of the command line."""
        found = re.search(rf"--{name}[= ](\S+)", self.text["command"])
        return found[1] if found else str(self.options.get(name) or "")

    def paths(self, pattern: str) -> list[str]:
        """The paths that a pattern of the tables means on this host."""
        if pattern == "{certificates}":
            return self.text["certificates"].splitlines()
        if pattern.startswith("{tls"):
            return [self.flag(pattern[1:-1])] if self.flag(pattern[1:-1]) else []
        units = dict(re.findall(r"^Id=(\S+)\nFragmentPath=(\S+)", self.text["units"], re.MULTILINE))
        units |= {name: path for path, name in re.findall(r"^FragmentPath=(\S+)\nId=(\S+)", self.text["units"], re.M)}
        # Debian's systemd names its own units by the link.
        known = {f"{{{name}}}": re.sub("^/lib/", "/usr/lib/", path) for name, path in units.items()}
        known["{root}"] = self.root
        return [known.get(pattern, pattern)]

    @cached_property
    def files(self) -> dict[str, tuple[str, int]]:
        """Owner and mode by path of every file of the tables that exists."""
        patterns = [*AUDITED.values(), *(row[2] for row in FILES)]
        wanted = sorted({path for pattern in patterns for path in self.paths(pattern)})
        found = self._host.run(f"set -- {' '.join(['%s'] * len(wanted))}; {literal(STAT)}", *wanted).stdout
        rows = [line.split(" ", 2) for line in found.splitlines()]
        return {path: (owner, int(mode, 8)) for owner, mode, path in rows}

    def existing(self, pattern: str) -> list[str]:
        found = [path for path in self.paths(pattern) if path in self.files]
        if not found:
            raise NotApplicable(f"this host has no {title(pattern)}")
        return found


def audited(pattern: str) -> Callable[[State], str]:
    def check(state: State) -> str:
        (path,) = state.existing(pattern)
        where = "kernel"
        if state.text["container"] not in ("", "none"):
            where = "merged"  # the kernel's rules are those of the machine
        known = re.findall(r"(?:-w |path=|dir=)(\S+?)/?(?:\s|$)", state.text[where])
        if path not in known:
            return f"audit has no rule for {path}"
        if where == "merged":
            raise NotApplicable("audit.rules has it, and a container has no audit of its own to load it into")
        return ""

    return check


def owner(pattern: str, wanted: str) -> Callable[[State], str]:
    def check(state: State) -> str:
        right = wanted.format(group=state.group)
        wrong = [path for path in state.existing(pattern) if state.files[path][0] != right]
        return ", ".join(f"{path} belongs to {state.files[path][0]}, not to {right}" for path in wrong)

    return check


def mode(pattern: str, limit: int) -> Callable[[State], str]:
    def check(state: State) -> str:
        wrong = [path for path in state.existing(pattern) if state.files[path][1] & ~limit]
        return ", ".join(f"{path} has the mode {state.files[path][1]:o}, more than {limit:o}" for path in wrong)

    return check


def partition(state: State) -> str:
    point = state._host.check_output("stat --format %%m %s", state.root)
    return "" if point == state.root else f"{state.root} is on {point}"


def members(state: State) -> str:
    found = state.text["members"].partition("\n")[0].split(":")[-1]
    others = sorted(set(filter(None, found.split(","))) - set(state.listed))
    return f"docker_access_members does not list {', '.join(others)}" if others else ""


def isolation(state: State) -> str:
    network = json.loads(state.text["bridge"] or "{}")
    if not network:
        raise NotApplicable("there is no default network")
    if network.get("com.docker.network.bridge.enable_icc") == "false":
        return ""
    waits = state.options.get("icc") is False
    return "containers of the default network reach each other" + (
        ", until the engine starts without running containers" if waits else ""
    )


def registries(state: State) -> str:
    known = state.info.get("RegistryConfig") or {}
    names = [name for name, index in (known.get("IndexConfigs") or {}).items() if not index.get("Secure")]
    names += sorted(set(known.get("InsecureRegistryCIDRs") or []) - LOCAL_NETWORKS)
    return f"insecure: {', '.join(names)}" if names else ""


def remote_api(state: State) -> str:
    flags = re.findall(r"(?:-H|--host)[= ](\S+)", state.text["command"])
    open_to = [host for host in [*flags, *(state.options.get("hosts") or [])] if not re.match("(fd|unix)://", host)]
    if not open_to:
        raise NotApplicable("the engine does not listen on the network")
    verified = state.options.get("tlsverify") is True or re.search(r"--tlsverify(?!=false)", state.text["command"])
    return "" if verified else f"{', '.join(open_to)} asks for no client certificate"


def live_restore(state: State) -> str:
    if state.info.get("Swarm", {}).get("LocalNodeState") == "active":
        raise NotApplicable("this is a node of a swarm")
    return "" if state.info.get("LiveRestoreEnabled") else "live-restore is off"


def seccomp(state: State) -> str:
    return "" if re.search(r"name=seccomp,profile=(?!unconfined)", state.security) else "seccomp is off"


def selinux(state: State) -> str:
    if not state.text["selinux"]:
        raise NotApplicable("SELinux is disabled on this host")
    return "" if "name=selinux" in state.security else "the engine runs containers without SELinux labels"


def remote_logs(state: State) -> str:
    driver = state.info.get("LoggingDriver")
    return f"logs stay on the host ({driver})" if driver in LOCAL_LOGS else ""


def option(name: str, is_right: Callable[[Any], bool]) -> Callable[[State], str]:
    def check(state: State) -> str:
        value = state.options.get(name)
        return "" if is_right(value) else f"{name} is {'not set' if value is None else json.dumps(value)}"

    return check


def security(name: str, wrong: str) -> Callable[[State], str]:
    return lambda state: "" if f"name={name}" in state.security else wrong


@dataclass(frozen=True)
class Item:
    """An item of the benchmark; check returns why it does not hold, "" if it does, and may raise NotApplicable."""

    number: str
    title: str
    check: Callable[[State], str]


def file_items() -> list[Item]:
    found = []
    for owners, modes, pattern, right, limit in FILES:
        found += [Item(owners, f"owner of {title(pattern)}", owner(pattern, right))]
        found += [Item(modes, f"mode of {title(pattern)}", mode(pattern, limit))]
    return sorted(found, key=lambda item: int(item.number.partition(".")[2]))


ITEMS = [
    Item("1.1.1", "a partition of its own for the data root", partition),
    Item("1.1.2", "only trusted users are in the group of the socket", members),
    *(Item(number, f"audit of {title(pattern)}", audited(pattern)) for number, pattern in AUDITED.items()),
    Item("2.2", "no traffic between containers on the default network", isolation),
    Item("2.3", "log level info", option("log-level", lambda value: value in (None, "", "info"))),
    Item("2.4", "the engine may change iptables", option("iptables", lambda value: value is not False)),
    Item("2.5", "no insecure registries", registries),
    Item("2.6", "no aufs", lambda state: "the driver is aufs" if state.info.get("Driver") == "aufs" else ""),
    Item("2.7", "client certificates on the network", remote_api),
    Item("2.8", "default ulimits", option("default-ulimits", bool)),
    Item("2.9", "user namespaces", security("userns", "root of a container is root of the host")),
    Item("2.10", "default cgroup", option("cgroup-parent", lambda value: not value)),
    Item("2.11", "base device size", option("storage-opts", lambda value: "dm.basesize" not in str(value))),
    Item(
        "2.12",
        "authorization of client commands",
        lambda state: "" if state.info.get("Plugins", {}).get("Authorization") else "there is no authorization plugin",
    ),
    Item("2.13", "centralized and remote logging", remote_logs),
    Item("2.14", "no new privileges", option("no-new-privileges", lambda value: value is True)),
    Item("2.15", "live restore", live_restore),
    Item("2.16", "no userland proxy", option("userland-proxy", lambda value: value is False)),
    Item("2.17", "seccomp", seccomp),
    Item("2.18", "no experimental features", option("experimental", lambda value: not value)),
    *file_items(),
    Item("5.3", "SELinux", selinux),
]


@pytest.fixture(scope="module")
def state(host: Host, variable: Callable[[str, Any], Any]) -> State:
    found = State(host, variable("docker_access_socket_group", "docker"), variable("docker_access_members", []))
    assert found.info.get("ServerVersion"), "the engine does not answer"
    return found


def decided(number: str, variable: Callable[[str, Any], Any]) -> str:
    """Say with which setting the inventory has decided about an item; "" if the profile does."""
    accepted = variable("verify_cis_accepted", [])
    assert all(isinstance(item, str) for item in accepted), "verify_cis_accepted: quote the numbers of items"
    if number in accepted:
        return "verify_cis_accepted lists it"
    given = variable("docker_engine_daemon_options", {}) or {}
    if OPTIONS.get(number) in given:
        return f"docker_engine_daemon_options sets {OPTIONS[number]}"
    if number in AUDITED and variable("docker_engine_audit_rules", "profile") == "absent":
        return "docker_engine_audit_rules is absent"
    if number.startswith("3.") and variable("docker_engine_file_modes", "profile") == "unmanaged":
        return "docker_engine_file_modes is unmanaged"
    return LEFT.get(number, "")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.number)
def test_the_item_of_the_benchmark_holds(
    item: Item,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
    variable: Callable[[str, Any], Any],
) -> None:
    record_property("item", (item.number, item.title))
    is_audit = conftest.is_audit(request.config)
    if not is_audit and variable("docker_engine_profile", "default") != "hardened":
        pytest.skip("docker_engine_profile is not hardened")
    reason = decided(item.number, variable)
    try:
        wrong = item.check(request.getfixturevalue("state"))
    except NotApplicable as error:
        pytest.skip(str(error))
    if not wrong:
        return
    if reason and not is_audit:
        pytest.skip(f"{wrong}: {reason}")
    pytest.fail(f"{wrong} ({reason})" if reason else wrong, pytrace=False)
