# SPDX-License-Identifier: Apache-2.0
"""Validates user data with Debian's cloud-init, from the lab's tools image."""

import io
import tarfile
from pathlib import Path

import docker

from slipway.lab import images
from slipway.lab.networks import LABEL


def check(client: docker.DockerClient, user_data: Path) -> str:
    """Return the errors that `cloud-init schema` reports for a file, or ""."""
    container = client.containers.create(
        images.tools(client),
        ["cloud-init", "schema", "--config-file", "/user-data"],
        labels={LABEL: "judge"},
        network_mode="none",
    )
    try:
        container.put_archive("/", _archive(user_data))
        container.start()
        valid = container.wait()["StatusCode"] == 0
        return "" if valid else container.logs().decode(errors="replace")
    finally:
        container.remove(force=True)


def _archive(user_data: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(user_data, "user-data")
    return buffer.getvalue()
