# SPDX-License-Identifier: Apache-2.0
"""Creates the content of the stand-in Docker Hub. Runs in the container that builds the repository, after that.

It writes the images directly into the registries' storage, in their layout, so that no server has to run. Passwords are
random and stored in the image, where `slipway.lab.hub.credentials` reads them.
"""

import argparse
import gzip
import hashlib
import io
import json
import secrets
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

DOCKER = "application/vnd.docker"
MANIFEST = f"{DOCKER}.distribution.manifest.v2+json"
HUB = ("alice/private", "library/hello-world", "ratelimitpreview/test")
BASIC = ("team/app",)
# Stands for the image of the same name: distribution's registry, which is a cache of the Hub where it is told to be.
REGISTRY = "library/registry"
REGISTRY_PROGRAM = Path("/usr/bin/docker-registry")


@dataclass(frozen=True)
class Image:
    """An image as stored in a registry: its manifest and the blobs that it references."""

    manifest: bytes
    blobs: tuple[bytes, ...]


def main() -> None:
    """Create the keys, the users and the storage of both registries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True, help="archive of the image for all repositories")
    parser.add_argument("--out", type=Path, required=True, help="folder to create")
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir()
    make_token_key(out)
    write_users(out / "users.json", {user: f"dckr_pat_{password()}" for user in ("alice", "bob", "limited")})
    write_users(out / "basic-users.json", {"ci": password()})
    image = read_image(options.image)
    for folder, repositories in (("registry", HUB), ("basic-registry", BASIC)):
        for repository in repositories:
            store(out / folder, repository, image)
    store(out / "registry", REGISTRY, registry_image())


def make_token_key(out: Path) -> None:
    """Create the key that signs tokens, and its certificate for the registry."""
    certificate = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj")
    files = ("-keyout", out / "token.key", "-out", out / "token.crt")
    subprocess.run([*certificate, "/CN=auth.docker.io", *files], stderr=subprocess.DEVNULL, check=True)


def password() -> str:
    """Return a random password."""
    return secrets.token_urlsafe(20)


def write_users(file: Path, users: dict[str, str]) -> None:
    """Write users and passwords, readable by root only."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(users))


def read_image(archive: Path) -> Image:
    """Read the image in an archive of `docker save`, which must contain only one."""
    with tarfile.open(archive) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member
            return member.read()

        saved = json.loads(read("manifest.json"))[0]
        config = read(saved["Config"])
        layers = [gzip.compress(read(name), mtime=0) for name in saved["Layers"]]
    return describe(config, layers)


def describe(config: bytes, layers: list[bytes]) -> Image:
    """Return the image of a configuration and compressed layers."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(f"{DOCKER}.container.image.v1+json", config),
        "layers": [descriptor(f"{DOCKER}.image.rootfs.diff.tar.gzip", layer) for layer in layers],
    }
    return Image(json.dumps(manifest).encode(), (config, *layers))


def registry_image() -> Image:
    """Return an image of this machine's registry and the libraries that it needs, with the paths of the real image."""
    needed = subprocess.run(["ldd", REGISTRY_PROGRAM], capture_output=True, text=True, check=False).stdout
    libraries = [Path(word) for word in needed.split() if word.startswith("/")]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for name, file in {"bin/registry": REGISTRY_PROGRAM, **{str(file)[1:]: file for file in libraries}}.items():
            tar.add(file, name, filter=without_time)
    layer = buffer.getvalue()
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Env": ["PATH=/bin"],
            "Entrypoint": ["/bin/registry"],
            "Cmd": ["serve", "/etc/distribution/config.yml"],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}"]},
        "history": [{"created_by": "Slipway's stand-in Docker Hub"}],
    }
    return describe(json.dumps(config).encode(), [gzip.compress(layer, mtime=0)])


def without_time(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    return member


def architecture() -> str:
    """Return this machine's architecture by Go's name, which differs from Debian's for one."""
    found = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    return {"ppc64el": "ppc64le"}.get(found, found)


def descriptor(media_type: str, blob: bytes) -> dict[str, str | int]:
    """Return the descriptor of a blob, for a manifest."""
    return {"mediaType": media_type, "size": len(blob), "digest": f"sha256:{digest(blob)}"}


def digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def store(storage: Path, repository: str, image: Image) -> None:
    """Add an image to a registry's storage, as <repository>:latest."""
    root = storage / "docker/registry/v2"
    for blob in (image.manifest, *image.blobs):
        write(root / "blobs/sha256" / digest(blob)[:2] / digest(blob) / "data", blob)
    manifests = root / "repositories" / repository / "_manifests"
    latest = manifests / "tags/latest"
    for folder in (manifests / "revisions", latest / "index"):
        link(folder / "sha256" / digest(image.manifest), image.manifest)
    link(latest / "current", image.manifest)
    for blob in image.blobs:
        link(root / "repositories" / repository / "_layers/sha256" / digest(blob), blob)


def link(folder: Path, blob: bytes) -> None:
    """Link to a blob like the registry: write a file with its digest."""
    write(folder / "link", f"sha256:{digest(blob)}".encode())


def write(file: Path, content: bytes) -> None:
    """Write a file, creating its parent folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    main()
