# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Takes the engine out of service for good: units stopped and disabled, and the files of this collection removed."""

import os

from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_files,
    engine_shutdown,
    file_io,
    rollback,
    systemd_units,
)
from ansible_collections.slipway.platform.plugins.module_utils.engine_units import CONTAINERD, Docker


def removable_files(module):
    """The files to remove; a daemon.json that somebody has edited since we wrote it stays."""
    params = module.params
    paths = [params["proxy_env"], params["dropin"], params["containerd_dropin"], daemon_files.RECORD]
    if daemon_files.is_ours(params["path"]):
        paths.append(params["path"])
    elif os.path.exists(params["path"]):
        module.warn("{} is not as this collection wrote it, and stays".format(params["path"]))
    return [path for path in paths if os.path.lexists(path)]


def run(module):
    """Stop the engine with its containers, and remove what docker_daemon wrote; packages and data stay."""
    docker = Docker(module).look()
    enabled = systemd_units.to_toggle(docker.units, False)
    running = not engine_shutdown.is_stopped(docker, "drained")
    containerd = systemd_units.running(docker.units, (CONTAINERD,))
    files = removable_files(module)
    changed = bool(running or containerd or enabled or files)
    if changed and not module.check_mode:
        engine_shutdown.drain(docker)
        if containerd:
            docker.systemctl("stop", CONTAINERD)
        if enabled:
            docker.systemctl("disable", *enabled)
        remove([*files, module.params["socket"]])  # which systemd leaves behind
        rollback.clear()
        docker.systemctl("daemon-reload")
    return {
        "changed": changed,
        "before": docker.unit.get("ActiveState", "unknown"),
        "state": "absent",
        "restart_pending": False,
        "diff": [daemon_files.difference(path, None) for path in files if path != module.params["proxy_env"]],
    }


def remove(files):
    """Remove the files, and their directories where nothing else is in them."""
    for path in files:
        file_io.remove(path)
        file_io.remove_if_empty(os.path.dirname(path))
