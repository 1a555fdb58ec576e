# SPDX-License-Identifier: Apache-2.0
"""The inventory of lab hosts: how Ansible reaches them, and what differs from a host of the user's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from slipway.lab import hub, images, proxy
from slipway.lab.engine import Engine

HEADER = "---\n# Written by slipway.lab; `make down` removes it. Add your own settings to group_vars/ beside it.\n"


def write(
    path: Path, hosts: Iterable[str], engine: Engine, made_of: images.Images, group: str = "docker_hosts"
) -> None:
    """Write the inventory file; only its owner may read it, because of the throw-away passwords of Hub and proxy."""
    _write(path, {group: {"hosts": dict.fromkeys(hosts), "vars": _connection(engine) | _stand_in(engine, made_of)}})


def write_root(path: Path, folder: Path, tree: str, fingerprint: str | None) -> None:
    """Write the inventory of a machine's root file system in a folder, for whose packages there is a tree."""
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


def _connection(engine: Engine) -> dict[str, Any]:
    return {
        "ansible_connection": "community.docker.docker",
        "ansible_docker_extra_args": f"--host={engine.address}",
        "ansible_become": False,
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def _stand_in(engine: Engine, made_of: images.Images) -> dict[str, Any]:
    """What is true offline only: the key of the stand-in's packages, accounts at the stand-in Hub and the proxy."""
    if not made_of.repository:
        return {}
    return {
        "docker_engine_gpg_fingerprint": images.fingerprint(engine.client, made_of),
        "lab_hub_digest": hub.digest(engine.client),
        "lab_hub_tokens": hub.credentials(engine.client),
        "lab_proxy": proxy.guarded(engine.client),
    }
