# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What stands in the way of a cache on its host."""

import contextlib
import json
import os
import socket

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import paths, settings
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache.files import GIGABYTE


def engine_problem(module):
    """Return why this host's engine cannot run the cache, or None."""
    if not module.get_bin_path("docker"):
        return "There is no docker command on this host: run the role docker_engine first"
    code, _, errors = module.run_command(["docker", "version", "--format", "{{.Server.Version}}"])
    if code:
        return "The engine does not answer ({}): run the role docker_engine first".format(
            " ".join(errors.split())[:200]
        )
    return None


def problems(params, is_active):
    """Yield what is wrong with ports and disk, for a cache that runs already or not."""
    ours = current_ports() if is_active else set()
    for name, address in (("port", ""), ("metrics_port", "127.0.0.1")):
        port = params[name]
        if port not in ours and is_taken(address, port):
            yield (
                f"Port {port} of registry_cache_{name} is in use by another program on this host (ss -ltnp 'sport = "
                f":{port}' names it): stop that, or set another registry_cache_{name}"
            )
    yield from disk_problems(params["directory"], params["limit_gb"] * GIGABYTE)
    if settings.is_open(params) and os.path.exists(os.path.join(params["directory"], paths.PRIVATE)):
        yield (
            "The cache in {} has images that were pulled with an account, which it would serve to everyone who reaches "
            "its port: set registry_cache_client_ca, delete them (registry_cache_state: absent with "
            "registry_cache_purge_data: true) and run again, or set registry_cache_private_images_confirmed: true if "
            "the account sees public images only".format(params["directory"])
        )


def current_ports():
    text = host_files.read_text(paths.setting("settings.json"))
    found = json.loads(text) if text else {}
    return {found.get("port"), found.get("metrics_port")}


def is_taken(address, port):
    family = socket.AF_INET6 if not address and socket.has_ipv6 else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError:  # a kernel without IPv6
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(1)
        except OSError as error:
            return error.errno == 98  # EADDRINUSE
    return False


def disk_problems(directory, limit):
    """Yield a message if the file system cannot hold as much as the cache may use."""
    status = os.statvfs(host_files.nearest_existing_parent(directory))
    room = status.f_bavail * status.f_frsize + used(directory, limit)
    if room < limit:
        yield (
            f"The file system of {directory} has room for {room / GIGABYTE:.1f} GB of the cache, which may use "
            f"{limit // GIGABYTE} GB: lower registry_cache_limit_gb, free space, or set registry_cache_directory to "
            "another disk"
        )


def used(directory, enough):
    """Return the size of the files below a directory; the rest is not counted once it is enough."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # the registry moves what it has downloaded
                total += os.lstat(os.path.join(parent, name)).st_size
        if total >= enough:
            break
    return total
