# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows what differs between releases of the engine, as far as a host notices.

Sources, all of them Docker's own, below docs.docker.com/engine: "Deprecated Docker Engine features", the release notes
of 23.0 and 29, "Live restore", and "Docker with nftables". What they leave open is left out.
"""

import re

OPTION, STORAGE_DRIVER, STORAGE_OPT, LOG_DRIVER, LOG_OPT = (
    "option",
    "storage-driver",
    "storage-opts",
    "log-driver",
    "log-opts",
)
# (release, kind, name, what to do instead): from that release on, dockerd dies of it, or no container starts.
REMOVED = (
    ((19, 3), OPTION, "disable-legacy-registry", "remove it"),
    ((23, 0), OPTION, "cluster-advertise", "remove it"),
    ((23, 0), OPTION, "cluster-store", "remove it"),
    ((23, 0), OPTION, "cluster-store-opts", "remove it"),
    ((23, 0), OPTION, "graph", "write data-root"),
    ((24, 0), STORAGE_DRIVER, "aufs", "move to overlay2 first"),
    ((24, 0), STORAGE_DRIVER, "overlay", "move to overlay2 first"),
    ((24, 0), STORAGE_OPT, "overlay2.override_kernel_check", "remove it"),
    ((25, 0), STORAGE_DRIVER, "devicemapper", "move to overlay2 first"),
    ((25, 0), LOG_DRIVER, "logentries", "choose another"),
    ((25, 0), OPTION, "oom-score-adjust", "set OOMScoreAdjust in a drop-in of docker.service"),
    ((28, 0), OPTION, "api-cors-header", "put a reverse proxy before the API"),
    ((28, 0), LOG_OPT, "fluentd-async-connect", "write fluentd-async"),
)
# (release, kind, name): an older dockerd dies of it.
INTRODUCED = (
    ((23, 0), OPTION, "proxies"),
    ((29, 0), OPTION, "bridge-accept-fwmark"),
    ((29, 0), OPTION, "firewall-backend"),
)
# The oldest API that a release accepts from clients, and since when clients speak it.
API_MINIMUM = (((25, 0), "1.24", "1.12"), ((29, 0), "1.44", "25.0"))
LAST_CALENDAR = 20  # versions were year and month up to 20.10; 23.0 was the first major version


def release(version):
    """Year and month of a calendar version, else major and minor: (20, 10), (26, 1)."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", version)[:2])


def line(version):
    """What Docker's promises hold within: 18.09, 20.10 or 26."""
    first, second = release(version)
    return f"{first}.{second:02d}" if first <= LAST_CALENDAR else str(first)


def name_of(number):
    return "{}.{:02d}".format(*number) if number[0] <= LAST_CALENDAR else "{}.{}".format(*number)


def is_jump(before, after):
    """Whether the engine leaves the line within which Docker promises live-restore."""
    return line(before) != line(after)


def unusable(options, version):
    """One phrase for each option that an engine of that version cannot work with."""
    target = release(version)
    gone = [
        f"{describe(kind, name)} is gone since engine {name_of(since)}: {remedy}"
        for since, kind, name, remedy in REMOVED
        if since <= target and is_used(options, kind, name)
    ]
    return gone + [
        f"{describe(kind, name)} is new in engine {name_of(since)}: remove it, or raise docker_engine_version"
        for since, kind, name in INTRODUCED
        if target < since and is_used(options, kind, name)
    ]


def is_used(options, kind, name):
    if kind == OPTION:
        return name in options
    value = options.get(kind)
    if kind == STORAGE_OPT:
        return any(str(item).partition("=")[0] == name for item in value or ())
    return name in (value or {}) if kind == LOG_OPT else value == name


def describe(kind, name):
    return name if kind == OPTION else f"{kind} {name}"


def api_minimum(version):
    """(the oldest API that clients may speak, the first engine whose clients do), or None when all of them may."""
    return next((known[1:] for known in reversed(API_MINIMUM) if known[0] <= release(version)), None)


def announcements(package, before, after):
    """What a change from one version to the other means, a sentence each; nothing within a line."""
    if not is_jump(before, after):
        return []
    return [
        f"{package} goes from {before} to {after}. Docker promises live-restore only within {line(before)}: be ready "
        "to restart containers that the other engine does not take over.",
        *api_announcement(package, before, after),
        *option_announcement(before, after),
    ]


def api_announcement(package, before, after):
    minimum = api_minimum(after)
    if minimum is None or minimum == api_minimum(before) or release(after) < release(before):
        return []
    return [
        f"{package} {after} refuses clients that speak an API older than {minimum[0]}, the one of Docker {minimum[1]}: "
        "update what talks to the engine's socket first."
    ]


def option_announcement(before, after):
    """Upwards, what is gone from daemon.json; downwards, what is not there yet."""
    source, target = release(before), release(after)
    if source < target:
        names = [describe(kind, name) for since, kind, name, _ in REMOVED if source < since <= target]
        return [f"dockerd {after} no longer works with these in daemon.json: {', '.join(names)}."] if names else []
    names = [describe(kind, name) for since, kind, name in INTRODUCED if target < since <= source]
    return [f"dockerd {after} does not know these in daemon.json yet: {', '.join(names)}."] if names else []
