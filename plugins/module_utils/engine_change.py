# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what a change of the engine's version means on this host, before the packages are changed."""

from ansible_collections.slipway.platform.plugins.module_utils import daemon_options, engine_api, engine_versions
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

API_SOCKET = "/run/docker.sock"
DAEMON_JSON = "/etc/docker/daemon.json"


def option_problems(package, version, wanted):
    """The options to be written that the engine cannot work with: of one to come there is no binary to ask yet."""
    return [
        f"docker_engine_daemon_options do not fit {package} {version}: {phrase}"
        for phrase in engine_versions.unusable(wanted, version)
    ]


def storage_problems(package, version, info):
    """A storage driver that is in use cannot be exchanged by an update: the new engine would not see its data."""
    return [
        f"the images and containers of this host do not fit {package} {version}: {phrase}"
        for phrase in engine_versions.unusable({"storage-driver": info.get("Driver")}, version)
    ]


def in_place_announcements(version, wanted, in_place):
    """The package restarts the engine with the daemon.json in place, before the role has written the new one."""
    others = {key: value for key, value in in_place.items() if wanted.get(key) != value}
    phrases = engine_versions.unusable(others, version)
    if not phrases:
        return []
    return [
        f"{DAEMON_JSON} has what dockerd {version} cannot work with ({'; '.join(phrases)}): the engine is down from "
        "the installation of its package until the new daemon.json is in place."
    ]


def container_warning(info):
    """The sentence for containers that the change stops, or None."""
    count = info.get("ContainersRunning", 0)
    if not count or info.get("LiveRestoreEnabled"):
        return None
    return (
        "{} {} going to be stopped, since the running engine has no live-restore: to keep {}, run the role with "
        "--tags docker_engine_daemon and live-restore before you change the version".format(
            "1 container" if count == 1 else f"{count} containers",
            "is" if count == 1 else "are",
            "it" if count == 1 else "them",
        )
    )


def look(module, installed, version, wanted, problems):
    """What to announce when the packages change the engine's version; adds to the problems, and warns."""
    package = module.params["package"]
    before = installed[package].version if package in installed else None
    if version is None:
        return []
    problems += option_problems(package, version, wanted)
    if before in (None, version):
        return []
    # While baking, whoever answers is the engine of the machine around the image.
    info = {} if module.params["baking"] else engine_api.get_json(API_SOCKET, "/info")
    problems += storage_problems(package, version, info)
    if container_warning(info):
        module.warn(container_warning(info))
    return engine_versions.announcements(package, before, version) + in_place_announcements(
        version, wanted, daemon_options.parse(read_text(DAEMON_JSON))
    )
