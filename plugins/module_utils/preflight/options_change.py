# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What new options of daemon.json would break for the containers that run on this host."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, engine_api, kept_data
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

SHOWN = 10


def check(module, options, problems):
    """Add a problem for containers that could not run again, and warn of those that will run differently."""
    old = daemon_json.parse(read_text(daemon_json.PATH))
    news = {name for name in ("userns-remap", "no-new-privileges", "selinux-enabled") if options.get(name)}
    news |= {name for name in ("icc", "userland-proxy") if options.get(name) is False}
    news -= {name for name in news if old.get(name) == options[name]}
    if not news or module.params["baking"] or not kept_data.engine_info(engine_api.SOCKET):
        return
    running = engine_api.get_json(engine_api.SOCKET, "/containers/json") or []
    found = [engine_api.get_json(engine_api.SOCKET, "/containers/{}/json".format(item["Id"])) for item in running]
    found = [item for item in found if item]
    if "userns-remap" in news:
        report(module, problems, needing_host_ids(found))
    for sentence in warnings(found, news):
        module.warn(sentence)


def report(module, problems, needs):
    if not needs:
        return
    sentence = (
        f"with userns-remap, these running containers could not be started again as they are: {listed(needs)}. Create "
        "them with --userns=host, give the directories to the first ID of userns-remap in /etc/subuid, or set "
        "userns-remap: null in docker_engine_daemon_options"
    )
    if module.params["data_root_leave_data"]:
        module.warn(sentence[0].upper() + sentence[1:])
    else:
        problems.append(sentence)


def needing_host_ids(containers):
    """Describe each container that needs the user IDs of the host."""
    return [
        "{} ({})".format(name_of(item), ", ".join(reasons(item)))
        for item in containers
        if item["HostConfig"].get("UsernsMode") != "host" and reasons(item)
    ]


def reasons(container):
    config = container["HostConfig"]
    found = ["privileged"] if config.get("Privileged") else []
    found += [
        f"{what} of the host"
        for what, key in (("network", "NetworkMode"), ("processes", "PidMode"))
        if config.get(key) == "host"
    ]
    return found + [f"writes to root's {mount['Source']}" for mount in binds(container) if is_roots(mount)]


def binds(container):
    return [mount for mount in container.get("Mounts") or [] if mount.get("Type") == "bind"]


def is_roots(mount):
    """Whether a container may write to something that only root of the host can write to."""
    try:
        status = os.stat(mount["Source"])
    except OSError:
        return False
    return bool(mount.get("RW")) and status.st_uid == 0 and not status.st_mode & 0o002


def warnings(containers, news):
    """Return a sentence for each new option under which running containers will behave differently."""
    bridged = [name_of(item) for item in containers if item["HostConfig"].get("NetworkMode") in ("default", "bridge")]
    gaining = [
        name_of(item)
        for item in containers
        if not any("no-new-privileges" in option for option in item["HostConfig"].get("SecurityOpt") or [])
    ]
    unlabelled = [
        name_of(item)
        for item in containers
        if any(not set(mount.get("Mode") or "") & {"z", "Z"} for mount in binds(item))
    ]
    found = []
    if "icc" in news and bridged[1:]:
        found.append(
            f"With icc: false, {listed(bridged)}, which share the default network, cannot reach each other: give them "
            "a network of their own (docker network create)"
        )
    if "no-new-privileges" in news and gaining:
        found.append(
            f"With no-new-privileges, from their next start, {listed(gaining)} cannot use programs such as sudo, which "
            "gain privileges: run those that need it with --security-opt no-new-privileges=false"
        )
    if "selinux-enabled" in news and unlabelled:
        found.append(
            f"With selinux-enabled, from their next start, {listed(unlabelled)} cannot use the directories of the host "
            "that they mount without z or Z: create them again with it"
        )
    if news & {"icc", "userland-proxy"} and containers and "userns-remap" not in news:
        found.append(
            "icc and userland-proxy take effect when the engine starts without running containers: with live-restore, "
            "they keep the network that they have until you stop them and run systemctl restart docker"
        )
    return found


def name_of(container):
    return container.get("Name", "").lstrip("/")


def listed(names):
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
