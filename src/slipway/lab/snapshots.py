# SPDX-License-Identifier: Apache-2.0
"""Images of converged hosts, so that tests boot one instead of converging again."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from slipway.images.image import NAMESPACE
from slipway.lab import images, locking
from slipway.lab.lab import Lab
from slipway.lab.networks import LABEL
from slipway.lab.paths import PROJECT
from slipway.lab.progress import say

# Sources of a converged host, below the project.
SOURCES = ("ansible.cfg", "playbooks", "plugins", "roles")
SHUTDOWN_SECONDS = 30


def tag(lab: Lab, variables: dict[str, Any]) -> str:
    """Return the tag of the image of a host converged with these variables; the image may not exist."""
    digest = hashlib.sha256(json.dumps([lab.images.host, lab.images.repository, variables], sort_keys=True).encode())
    for file in _files():
        content = file.read_bytes()
        digest.update(f"{file.relative_to(PROJECT)}\0{len(content)}\0".encode() + content)
    return f"{NAMESPACE}/converged:{digest.hexdigest()[:12]}"


def prepare(lab: Lab, variables: dict[str, Any], make: Callable[[], Container]) -> str:
    """Return the tag of that image; if it is missing, commit the converged host that make() returns.

    The host is shut down before the commit and cannot be used afterwards.
    """
    image = tag(lab, variables)

    def commit() -> None:
        say(f"Creating {image}: a host converged with {', '.join(variables) or 'the defaults'}")
        host = make()
        host.stop(timeout=SHUTDOWN_SECONDS)
        host.commit(*image.split(":"), conf={"Labels": {LABEL: "image"}})

    return images.once(lab.client, image, locking.building(f"converged-{image.rpartition(':')[2]}"), commit)


def _files() -> Iterator[Path]:
    for source in SOURCES:
        path = PROJECT / source
        yield from (
            [path]
            if path.is_file()
            else sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        )
