# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The state of a manager as an archive, and back.

Docker documents both: the engine stops for the copy, and a restored manager forgets the others (--force-new-cluster).
"""

import base64
import io
import ipaddress
import json
import os
import shutil
import tarfile
import tempfile
import time
import zlib

from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, joining, membership

FOLDER, NOTE = "swarm", "slipway.json"
UNITS = ("docker.socket", "docker.service")
# The archive travels as text in a module's result and arguments.
LARGEST = 256 << 20


def systemctl(module, verb, timeout):
    code, _, errors = module.run_command(["timeout", str(timeout), "systemctl", verb, *UNITS])
    if code:
        raise api.SwarmError(
            "systemctl {} {} failed ({})".format(verb, " ".join(UNITS), " ".join(errors.split()) or "timeout")
        )


def start(module):
    """Start the engine, and wait until it answers."""
    systemctl(module, "start", module.params["timeout"])
    if not membership.wait_until(lambda: bool(api.get("/info")), module.params["timeout"]):
        raise api.SwarmError("the engine does not answer after its start: see journalctl --unit=docker")


def save(module, node):
    """Return the archive of this manager's state, for which the engine stops, as base64."""
    root = api.get("/info")["DockerRootDir"]
    note = {name: node[name] for name in ("engine_version", "swarm_id", "address")}
    note["saved_at"] = int(time.time())
    size = sum(
        allocated(os.path.join(folder, name))
        for folder, _, names in os.walk(os.path.join(root, FOLDER))
        for name in names
    )
    if size > LARGEST:
        raise api.SwarmError(
            f"the state in {root}/{FOLDER} has {size >> 20} MiB, and this copies {LARGEST >> 20} at most: copy it by "
            "hand, as Docker documents"
        )
    try:
        systemctl(module, "stop", module.params["timeout"])
        content = archived(root, note)
    finally:
        start(module)
    return base64.b64encode(content).decode()


def allocated(path):
    """Return the bytes that a file takes on the disk: the log of raft is mostly a hole."""
    return os.lstat(path).st_blocks * 512


def archived(root, note):
    """Return the compressed archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        text = json.dumps(note).encode()
        entry = tarfile.TarInfo(NOTE)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
        tar.add(os.path.join(root, FOLDER), FOLDER)
    return stream.getvalue()


def opened(content):
    """Return the note and the entries, each its name, its mode and its bytes, None for a folder.

    Raises SwarmError for anything else than what save returns.
    """
    entries = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(content)), mode="r:gz") as tar:
            for member in tar.getmembers():
                refuse_foreign(member)
                file = tar.extractfile(member)  # None for a folder
                entries[member.name] = (member.mode & 0o755, file.read() if file else None)
        note = json.loads((entries.pop(NOTE)[1] or b"").decode())
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, zlib.error) as error:
        raise api.SwarmError(f"the backup is damaged, or not one of a swarm ({error})") from error
    return note, [(name, mode, data) for name, (mode, data) in entries.items()]


def is_local(address):
    """Return whether this host has the address. To bind it says less: hosts with ip_nonlocal_bind may bind any."""
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return False
    if wanted.version == 4:
        with open("/proc/net/fib_trie", encoding="ascii") as file:
            return address in local_addresses(file)
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as file:
            return f"{int(wanted):032x}" in file.read().split()
    except FileNotFoundError:  # the kernel has no IPv6
        return False


def local_addresses(trie):
    """Return the host's IPv4 addresses, from lines of the kernel's routes."""
    found, address = set(), ""
    for line in trie:
        if "|--" in line:
            address = line.split()[-1]
        elif line.split()[:3] == ["/32", "host", "LOCAL"]:
            found.add(address)
    return found


def refuse_foreign(member):
    parts = member.name.split("/")
    if member.name != NOTE and (parts[0] != FOLDER or ".." in parts or not (member.isfile() or member.isdir())):
        raise api.SwarmError(f"the backup has {member.name}, which no state of a swarm has: choose another")


def refuse_other_engine(note, node):
    if note.get("engine_version") != node["engine_version"]:
        raise api.SwarmError(
            "the backup is of engine {}, and this host has {}: Docker restores with the same version only, so set "
            "docker_engine_version to it first".format(note.get("engine_version"), node["engine_version"])
        )


def restore(module, content, node):
    """Make this host the only manager of the swarm in the archive."""
    note, entries = opened(content)
    refuse_other_engine(note, node)
    root = api.get("/info")["DockerRootDir"]
    place = os.path.join(root, FOLDER)
    new = tempfile.mkdtemp(prefix=".swarm.", dir=root)
    try:
        unpack(entries, new)
        try:
            systemctl(module, "stop", module.params["timeout"])
            shutil.rmtree(place, ignore_errors=True)  # of an engine that is in no swarm
            os.rename(os.path.join(new, FOLDER), place)
        finally:
            start(module)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if membership.state() == "locked":
        if not module.params["unlock_key"]:
            raise api.SwarmError(
                "the restored manager is locked: run docker swarm unlock with the key from the time of the backup, "
                "and then docker swarm init --force-new-cluster"
            )
        joining.unlock(module.params)
        if not membership.wait_until(lambda: membership.state() == "active", module.params["timeout"]):
            raise api.SwarmError(
                "the restored manager is unlocked and has no quorum, without which its engine does not go on: restore "
                "a backup that was made without autolock"
            )
    body = {
        "ListenAddr": module.params["listen_address"],
        "AdvertiseAddr": module.params["advertise_address"],
        "ForceNewCluster": True,
        "Spec": {},
    }
    try:
        api.request("POST", "/swarm/init", body, module.params["timeout"])
    except api.SwarmError as error:
        raise joining.explained(error) from error
    if not membership.wait_until(lambda: bool(api.get("/nodes")), module.params["timeout"]):
        raise api.SwarmError("the restored manager has no quorum: see journalctl --unit=docker")


def unpack(entries, folder):
    """Write folders and files, as root's own; opened has checked the names."""
    for name, mode, data in entries:
        path = os.path.join(folder, name)
        if data is None:
            os.makedirs(path, mode=mode, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
