# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Differences between releases of the engine that matter to a host.

Options by release were read from moby's tags v1.13.0 to docker-v29.7.2 on 2026-11-29, in a clone of 2026-08-23;
`python -m slipway.engine_options <clone>` holds these tables against another one. API_MINIMUM is defaultMinAPIVersion
of moby's daemon/config/config.go. Other sources, all below docs.docker.com/engine: "Deprecated Docker Engine features",
the release notes of 23.0 and 29, "Live restore", and "Docker with nftables".
"""

import os
import re

OPTION, STORAGE_DRIVER, STORAGE_OPT, LOG_DRIVER, LOG_OPT, FEATURE = (
    "option",
    "storage-driver",
    "storage-opts",
    "log-driver",
    "log-opts",
    "features",
)
# (release, kind, name, remedy): since that release, dockerd or containers do not start with it.
REMOVED = (
    ((17, 9), OPTION, "api-enable-cors", "put a reverse proxy in front of the API"),
    ((19, 3), OPTION, "disable-legacy-registry", "remove it"),
    ((23, 0), OPTION, "cluster-advertise", "remove it"),
    ((23, 0), OPTION, "cluster-store", "remove it"),
    ((23, 0), OPTION, "cluster-store-opts", "remove it"),
    ((23, 0), OPTION, "graph", "use docker_engine_data_root"),
    ((24, 0), STORAGE_DRIVER, "aufs", "migrate to overlay2 first"),
    ((24, 0), STORAGE_DRIVER, "overlay", "migrate to overlay2 first"),
    ((24, 0), STORAGE_OPT, "overlay2.override_kernel_check", "remove it"),
    ((25, 0), STORAGE_DRIVER, "devicemapper", "migrate to overlay2 first"),
    ((25, 0), LOG_DRIVER, "logentries", "use another driver"),
    ((25, 0), OPTION, "oom-score-adjust", "set OOMScoreAdjust in a drop-in of docker.service"),
    ((28, 0), OPTION, "api-cors-header", "put a reverse proxy in front of the API"),
    ((28, 0), LOG_OPT, "fluentd-async-connect", "use fluentd-async"),
)
# (release, kind, name): older releases do not start with it, or do without the feature.
INTRODUCED = (
    ((17, 4), OPTION, "default-shm-size"),
    ((17, 5), OPTION, "data-root"),
    ((17, 6), OPTION, "allow-nondistributable-artifacts"),
    ((17, 6), OPTION, "deprecated-key-path"),
    ((17, 6), OPTION, "no-new-privileges"),
    ((17, 9), OPTION, "default-ipc-mode"),
    ((17, 9), OPTION, "network-control-plane-mtu"),
    ((17, 9), OPTION, "node-generic-resources"),
    ((17, 12), OPTION, "network-diagnostic-port"),
    ((18, 6), OPTION, "default-address-pools"),
    ((18, 9), OPTION, "builder"),
    ((18, 9), OPTION, "cri-containerd"),
    ((18, 9), OPTION, "features"),
    ((19, 3), OPTION, "containerd-namespace"),
    ((19, 3), OPTION, "rootless"),
    ((20, 10), OPTION, "default-cgroupns-mode"),
    ((20, 10), OPTION, "host-gateway-ip"),
    ((20, 10), OPTION, "ip6tables"),
    ((20, 10), OPTION, "max-download-attempts"),
    ((23, 0), OPTION, "proxies"),
    ((24, 0), FEATURE, "containerd-snapshotter"),
    ((24, 0), OPTION, "default-network-opts"),
    ((25, 0), OPTION, "cdi-spec-dirs"),
    ((25, 0), OPTION, "log-format"),
    ((28, 0), OPTION, "bip6"),
    ((28, 0), OPTION, "host-gateway-ips"),
    ((28, 0), OPTION, "ip-forward-no-drop"),
    ((28, 2), OPTION, "allow-direct-routing"),
    ((29, 0), OPTION, "bridge-accept-fwmark"),
    ((29, 0), OPTION, "firewall-backend"),
    ((29, 0), OPTION, "min-api-version"),
    ((29, 2), OPTION, "nri-opts"),
    ((29, 7), OPTION, "default-stop-timeout"),
)
# (release, oldest API version that it accepts from clients, first Docker release that uses that version).
API_MINIMUM = (((25, 0), "1.24", "1.12"), ((29, 0), "1.44", "25.0"), ((29, 3), "1.40", "19.03"))
CONTAINERD_2 = (29, 0)  # containerd 2.1.5 or later, its image store on new hosts, cgroup v1 deprecated
LAST_CALENDAR = 20  # versions were year.month up to 20.10; 23.0 is the first semantic version


def release(version):
    """The first two numbers of a version, such as (20, 10) or (26, 1); 0 for one that a repository made up."""
    numbers = [int(number[:9]) for number in re.findall(r"[0-9]+", version)[:2]]
    return tuple([*numbers, 0, 0][:2])


def installed(module, dockerd):
    """Return the version of an installed dockerd, "" without one."""
    if not os.path.exists(dockerd):
        return ""
    return module.run_command([dockerd, "--version"])[1].partition("version ")[2].partition(",")[0]


def release_line(version):
    """The release line of a version, within which Docker supports live-restore: 18.09, 20.10 or 26."""
    first, second = release(version)
    return f"{first}.{second:02d}" if first <= LAST_CALENDAR else str(first)


def name_of(number):
    return "{}.{:02d}".format(*number) if number[0] <= LAST_CALENDAR else "{}.{}".format(*number)


def leaves_line(before, after):
    """Whether the change leaves the release line, within which Docker supports live-restore."""
    return release_line(before) != release_line(after)


def unusable(options, version):
    """Return a list of phrases about options that an engine of that version does not support."""
    target = release(version)
    removed = [
        f"{describe(kind, name)} was removed in engine {name_of(since)}: {remedy}"
        for since, kind, name, remedy in REMOVED
        if since <= target and is_used(options, kind, name)
    ]
    return removed + [
        f"{describe(kind, name)} is new in engine {name_of(since)}: remove it, or raise docker_engine_version"
        for since, kind, name in INTRODUCED
        if target < since and is_used(options, kind, name)
    ]


def depends(options):
    """Whether any option is one that a release since 20.10 does not support."""
    return any(unusable(options, version) for version in ("20.10", "999.0"))


def is_used(options, kind, name):
    if kind == OPTION:
        return name in options
    if kind == STORAGE_OPT:
        items = options.get(kind)
        return any(str(item).partition("=")[0] == name for item in (items if isinstance(items, list) else ()))
    if kind == FEATURE:
        return bool(mapping(options, kind).get(name))
    return name in mapping(options, kind) if kind == LOG_OPT else options.get(kind) == name


def mapping(options, name):
    """Return the value of an option that is a mapping; {} for another value, which dockerd refuses."""
    value = options.get(name)
    return value if isinstance(value, dict) else {}


def describe(kind, name):
    return name if kind == OPTION else f"{kind} {name}"


def api_minimum(version):
    """The oldest API version that clients may use, and the first Docker release that uses it; None without a limit."""
    return next((known[1:] for known in reversed(API_MINIMUM) if known[0] <= release(version)), None)


def announcements(package, before, after, options):
    """Return a list of sentences about the effects of a version change; empty within a release line."""
    if not leaves_line(before, after):
        return []
    return [
        f"{package} changes from {before} to {after}. Docker supports live-restore only within {release_line(before)}: "
        "be prepared to restart containers that the new engine does not take over.",
        *api_announcement(package, before, after),
        *option_announcement(before, after),
        *default_announcement(package, before, after, options),
    ]


def default_announcement(package, before, after, options):
    """What 29 does otherwise than engines before it, unless the options settle it."""
    if not release(before) < CONTAINERD_2 <= release(after):
        return []
    found = []
    if "nofile" not in mapping(options, "default-ulimits"):
        found.append(
            f"{package} {after} comes with containerd 2.1.5 or later, under which containers may open 1024 files "
            "instead of 1048576 (LimitNOFILE): set docker_engine_nofile if a workload needs more."
        )
    # A storage driver by name, or mapped users, keep new hosts from the new image store.
    settled = ("storage-driver", "userns-remap")
    if "containerd-snapshotter" not in mapping(options, "features") and not any(map(options.get, settled)):
        found.append(
            f"{package} {after} keeps its images where they are on this host, but has them in containerd's image store "
            "on hosts that are installed with it: set docker_engine_image_store, to have all hosts alike."
        )
    return found


def api_announcement(package, before, after):
    minimum, known = api_minimum(after), api_minimum(before)
    if minimum is None or (known and release(minimum[0]) <= release(known[0])) or release(after) < release(before):
        return []
    return [
        f"{package} {after} rejects clients with an API older than {minimum[0]}, which is that of Docker {minimum[1]}: "
        "update the clients of the engine's socket first."
    ]


def option_announcement(before, after):
    """The options that an upgrade removes, or that a downgrade lacks."""
    source, target = release(before), release(after)
    if source < target:
        names = [describe(kind, name) for since, kind, name, _ in REMOVED if source < since <= target]
        return (
            [f"dockerd {after} no longer supports these options of daemon.json: {', '.join(names)}."] if names else []
        )
    names = [describe(kind, name) for since, kind, name in INTRODUCED if target < since <= source]
    return [f"dockerd {after} does not support these options of daemon.json yet: {', '.join(names)}."] if names else []
