# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Shutdown of the engine, with or without its containers."""

import json

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, engine_api, kept_data, shims
from ansible_collections.slipway.platform.plugins.module_utils.engine.units import (
    RELOAD_SECONDS,
    SERVICE,
    SOCKET,
    ServiceError,
)
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback, systemd
from ansible_collections.slipway.platform.plugins.module_utils.host.files import put, read_text


def is_stopped(docker, state):
    """Whether the engine is stopped; for the state drained, its containers as well."""
    engine = systemd.running(docker.units, (SERVICE, SOCKET))
    return not engine and not (state == "drained" and running_shims(docker))


def stop(docker):
    """Stop the engine; with live-restore, its containers keep running."""
    stop_units(docker)
    rollback.clear()


def stop_units(docker):
    """Stop the socket first, because it would start the service again."""
    for name in (SOCKET, SERVICE):
        if name in systemd.installed(docker.units):
            docker.systemctl("stop", name)


def drain(docker):
    """Stop the engine with its containers, and drop the rollback record."""
    stop_with_containers(docker)
    rollback.clear()


def stop_with_containers(docker):
    """Stop the engine with its containers; restart policies apply at its next start, as after a reboot.

    With live-restore they would survive as orphans that an engine with another version or root cannot take over.
    Raises ServiceError.
    """
    if docker.is_running and docker.has_live_restore():
        disable_live_restore(docker)
    stop_units(docker)
    orphans = running_shims(docker)
    if orphans:
        raise ServiceError(
            "containers still run without the engine ({} {}): kill them or reboot the host, and run again".format(
                shims.SHIM, ", ".join(orphans)
            )
        )


def disable_live_restore(docker):
    """Disable live-restore in the running engine, with a temporary change of daemon.json."""
    path = docker.module.params["path"]
    before = rollback.snapshot(path) or {"text": None, "mode": 0o644}
    options = dict(daemon_json.parse(before["text"]), **{"live-restore": False})
    try:
        put(path, json.dumps(options), before["mode"])
        docker.systemctl("reload", SERVICE)
        if not engine_api.wait_until(lambda: not docker.has_live_restore(), RELOAD_SECONDS):
            raise ServiceError(
                f"live-restore cannot be disabled by a reload of {SERVICE}: stop the containers, and run again"
            )
    finally:
        put(path, before["text"], before["mode"])


def running_shims(docker):
    """Return the PIDs of the shims of the engine's containers, started with the new files or with those before."""
    path = docker.module.params["path"]
    replaced = rollback.replaced().get(path) or {"text": None}
    names = [
        name for text in (read_text(path), replaced["text"]) for name in kept_data.namespaces(daemon_json.parse(text))
    ]
    return shims.running(names)


STOP = {"stopped": stop, "drained": drain}
