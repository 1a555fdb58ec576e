# SPDX-License-Identifier: Apache-2.0
"""A container image of one static program, for hosts that reach no registry."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from commands import output

NAME = "slipway/hello:latest"
GREETING = "Hello from a container on a Slipway lab host."
# Debian's names of architectures, where they are not Go's.
GO_ARCHITECTURES = {"ppc64el": "ppc64le", "armhf": "arm", "i386": "386"}


def make(busybox: Path, archive: Path) -> None:
    """Write the image as an archive that `docker load` reads."""
    layer = _tar({"bin/busybox": busybox.read_bytes()})
    architecture = output("dpkg", "--print-architecture").strip()
    config = json.dumps(
        {
            "architecture": GO_ARCHITECTURES.get(architecture, architecture),
            "os": "linux",
            "config": {"Cmd": ["/bin/busybox", "echo", GREETING]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]).encode()
    archive.parent.mkdir()
    archive.write_bytes(_tar({"manifest.json": manifest, "config.json": config, "layer.tar": layer}))


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
