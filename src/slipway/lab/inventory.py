# SPDX-License-Identifier: Apache-2.0
"""The inventory of lab hosts: how Ansible reaches them, and what differs from a host of the user's own."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from slipway.lab.engine import Engine

HEADER = "---\n# Written by slipway.lab; `make down` removes it. Add your own settings to group_vars/ beside it.\n"


def write(path: Path, hosts: Iterable[str], engine: Engine, fingerprint: str | None) -> None:
    """Write the inventory file.

    fingerprint: of the key that signs the stand-in repository; None online, where the role's own pin is right.
    """
    variables = {
        "ansible_connection": "community.docker.docker",
        "ansible_docker_extra_args": f"--host={engine.address}",
        "ansible_become": False,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    if fingerprint:
        variables["docker_engine_gpg_fingerprint"] = fingerprint
    inventory = {"docker_hosts": {"hosts": dict.fromkeys(hosts), "vars": variables}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + yaml.safe_dump(inventory))
