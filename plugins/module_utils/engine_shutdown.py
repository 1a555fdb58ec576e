# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Stops the engine, alone or with its containers."""

import json
import os

from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_options,
    engine_api,
    rollback,
    systemd_units,
)
from ansible_collections.slipway.platform.plugins.module_utils.engine_units import (
    RELOAD_SECONDS,
    SERVICE,
    SOCKET,
    ServiceError,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import put, read_text

SHIM = "containerd-shim"
NAMESPACE = "moby"  # in which dockerd keeps its containers; those of others are none of ours


def is_stopped(docker, state):
    """Whether nothing is left to do; drained means that no container runs either."""
    engine = systemd_units.running(docker.units, (SERVICE, SOCKET))
    return not engine and not (state == "drained" and shims())


def stop(docker):
    """Stop the engine; under live-restore its containers run on."""
    stop_units(docker)
    rollback.clear()


def stop_units(docker):
    """The socket first: it would start the service again."""
    for name in (SOCKET, SERVICE):
        if name in systemd_units.installed(docker.units):
            docker.systemctl("stop", name)


def drain(docker):
    """Stop the engine with its containers, and forget what a later start could go back to."""
    stop_with_containers(docker)
    rollback.clear()


def stop_with_containers(docker):
    """Stop the engine with its containers, which restart policies bring back as after a reboot.

    Under live-restore they would outlive it: orphans that no other engine, nor one with another root, can take over.
    """
    if docker.is_running and docker.has_live_restore():
        release_containers(docker)
    stop_units(docker)
    orphans = shims()
    if orphans:
        raise ServiceError(
            "containers run without their engine ({} {}): end them, or reboot the host, and run again".format(
                SHIM, ", ".join(orphans)
            )
        )


def release_containers(docker):
    """Turn live-restore off in the running engine; daemon.json is as it was afterwards."""
    path = docker.module.params["path"]
    before = rollback.snapshot(path) or {"text": None, "mode": 0o644}
    options = dict(daemon_options.parse(before["text"]), **{"live-restore": False})
    try:
        put(path, json.dumps(options), before["mode"])
        docker.systemctl("reload", SERVICE)
        if not engine_api.wait_until(lambda: not docker.has_live_restore(), RELOAD_SECONDS):
            raise ServiceError(f"live-restore cannot be turned off by a reload of {SERVICE}: stop its containers")
    finally:
        put(path, before["text"], before["mode"])


def shims(proc="/proc"):
    """The process ids of the shims of Docker's containers."""
    pids = sorted((name for name in os.listdir(proc) if name.isdigit()), key=int)
    return [pid for pid in pids if is_shim((read_text(os.path.join(proc, pid, "cmdline")) or "").split("\0"))]


def is_shim(words):
    return os.path.basename(words[0]).startswith(SHIM) and NAMESPACE in words


STOP = {"stopped": stop, "drained": drain}
