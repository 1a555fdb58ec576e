# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Removal of the engine's configuration: stops and disables the units, and removes the files of this collection."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import files as daemon_files
from ansible_collections.slipway.platform.plugins.module_utils.engine import shutdown
from ansible_collections.slipway.platform.plugins.module_utils.engine.units import CONTAINERD, Docker
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback, systemd
from ansible_collections.slipway.platform.plugins.module_utils.images import built_images


def removable_files(module):
    """The files to remove; a daemon.json that was edited is kept."""
    params = module.params
    paths = [params[name] for name in ("proxy_env", "dropin", "containerd_dropin")]
    paths += [daemon_files.RECORD, built_images.RECORD]
    if daemon_files.is_ours(params["path"]):
        paths.append(params["path"])
    elif os.path.exists(params["path"]):
        module.warn("{} was not written by this collection, or was edited since, and is kept".format(params["path"]))
    return [path for path in paths if os.path.lexists(path)]


def run(module):
    """Stop the engine with its containers and remove the files of docker_daemon; keep packages and data."""
    docker = Docker(module).refresh()
    enabled = systemd.to_toggle(docker.units, False)
    running = not shutdown.is_stopped(docker, "drained")
    containerd = systemd.running(docker.units, (CONTAINERD,))
    files = removable_files(module)
    changed = bool(running or containerd or enabled or files)
    if changed and not module.check_mode:
        shutdown.drain(docker)
        if containerd:
            docker.systemctl("stop", CONTAINERD)
        if enabled:
            docker.systemctl("disable", *enabled)
        remove(files)
        socket = module.params["socket"]  # systemd does not remove it
        (host_files.remove_if_empty if os.path.isdir(socket) else host_files.remove)(socket)
        host_files.remove_if_empty(os.path.dirname(module.params["path"]))
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
    """Remove the files, and their directories if empty."""
    for path in files:
        host_files.remove(path)
        host_files.remove_if_empty(os.path.dirname(path))
