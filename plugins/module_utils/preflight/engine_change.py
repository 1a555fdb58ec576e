# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check what a change of the engine's version means for this host, before the packages are changed."""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    daemon_json,
    data_root,
    engine_api,
    versions,
)
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text


def option_problems(package, version, wanted):
    """Return a message for each option that the engine to install does not support; its binary cannot be asked yet."""
    return [
        f"docker_engine_daemon_options does not work with {package} {version}: {phrase}"
        for phrase in versions.unusable(wanted, version)
    ]


def storage_problems(package, version, info):
    """Return a message if the new engine lacks the storage driver in use, and so would not see its data."""
    return [
        f"{package} {version} cannot use the images and containers of this host: {phrase}"
        for phrase in versions.unusable({"storage-driver": info.get("Driver")}, version)
    ]


def in_place_announcements(version, wanted, in_place):
    """Announce downtime: the package restarts the engine before the role writes the new daemon.json."""
    others = {key: value for key, value in in_place.items() if wanted.get(key) != value}
    phrases = versions.unusable(others, version)
    if not phrases:
        return []
    return [
        f"{daemon_json.PATH} contains options that dockerd {version} does not support ({'; '.join(phrases)}): the "
        "engine is down from the installation of its package until the new daemon.json is written."
    ]


def container_warning(info):
    """Return a message about the containers that the change stops, or None."""
    count = info.get("ContainersRunning", 0)
    if not count or info.get("LiveRestoreEnabled"):
        return None
    if (info.get("Swarm") or {}).get("LocalNodeState", "inactive") != "inactive":
        return (
            f"the containers of this node of a swarm ({count} running) will be stopped: to move its services first, "
            "run docker node update --availability drain on a manager"
        )
    return (
        "{} will be stopped, because the running engine has live-restore disabled: to keep {} running, enable it in "
        "docker_engine_daemon_options and run the role with --tags docker_engine_daemon before you change the "
        "version".format(
            "1 container" if count == 1 else f"{count} containers",
            "it" if count == 1 else "them",
        )
    )


def swarm_problems(options):
    """Return a message if a node of a swarm could not start with its firewall backend."""
    uses_nftables = options.get("firewall-backend") == "nftables" and options.get("iptables") is not False
    if not uses_nftables or versions.mapping(options, "features").get("swarm-nftables"):
        return []
    if "a swarm" not in data_root.engine_contents(data_root.from_options(options)):
        return []
    return ["firewall-backend: nftables does not work on a node of a swarm, which this host is: remove it"]


def check(module, installed, version, wanted, problems):
    """Return what to announce if the packages change the engine's version; add to problems, and warn."""
    problems += swarm_problems(wanted)
    package = module.params["package"]
    before = installed[package].version if package in installed else None
    if version is None:
        return []
    problems += option_problems(package, version, wanted)
    if before in (None, version):
        return []
    # While baking, an engine that answers is that of the build host, not of the image.
    info = {} if module.params["baking"] else engine_api.get_json(engine_api.SOCKET, "/info")
    problems += storage_problems(package, version, info)
    if container_warning(info):
        module.warn(container_warning(info))
    return versions.announcements(package, before, version, wanted) + in_place_announcements(
        version, wanted, daemon_json.parse(read_text(daemon_json.PATH))
    )
