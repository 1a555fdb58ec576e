# SPDX-License-Identifier: Apache-2.0
"""The inventory of lab hosts: connection variables, and variables that differ from real hosts."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from slipway.lab import hub, images, proxy
from slipway.lab.lab import Lab

HEADER = "---\n# Written by slipway.lab; `make down` removes it. Add your own settings to group_vars/ beside it.\n"

# Each machine has new host keys behind a port that another one had.
SSH_OPTIONS = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes")


def write(path: Path, hosts: Iterable[str], lab: Lab, group: str = "docker_hosts") -> None:
    """Write the inventory file, readable by its owner only: it holds the lab's passwords of Hub and proxy."""
    _write(path, {group: {"hosts": dict.fromkeys(hosts), "vars": _connection(lab) | _stand_in(lab)}})


def write_machine(path: Path, name: str, port: int, key: Path, lab: Lab) -> None:
    """Write the inventory of a machine whose SSH server is on a port of the loopback."""
    connection = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": " ".join(SSH_OPTIONS),
        "ansible_become": False,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    _write(path, {"docker_hosts": {"hosts": {name: {}}, "vars": connection | _stand_in(lab)}})


def write_root(path: Path, folder: Path, tree: str, fingerprint: str | None) -> None:
    """Write the inventory of a machine's root file system in a folder. tree is the URL of the package tree."""
    machine = {
        "ansible_host": str(folder.resolve()),
        "ansible_connection": "community.general.chroot",
        "ansible_become": False,
        "ansible_python_interpreter": "/usr/bin/python3",
        "docker_engine_repo_root": tree,
        "docker_engine_gpg_fingerprint": fingerprint,
    }
    _write(path, {"image_builds": {"hosts": {folder.name: machine}}})


def _write(path: Path, inventory: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(HEADER + yaml.safe_dump(inventory))


def _connection(lab: Lab) -> dict[str, Any]:
    return {
        "ansible_connection": "community.docker.docker",
        "ansible_docker_extra_args": f"--host={lab.engine.address}",
        "ansible_become": False,
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def _stand_in(lab: Lab) -> dict[str, Any]:
    """Return the variables of an offline lab: package key, accounts on the stand-in Hub, proxy."""
    if not lab.images.repository:
        return {}
    return {
        "docker_engine_gpg_fingerprint": images.fingerprint(lab.client, lab.images),
        "lab_hub_digest": hub.digest(lab),
        "lab_hub_tokens": hub.credentials(lab),
        "lab_proxy": proxy.guarded(lab),
    }
