# SPDX-License-Identifier: Apache-2.0
"""The stand-in Docker Hub of the offline lab, and beside it a registry with Basic authentication.

Both run in one container of the stand-in repository's image, under the names of the real servers, with a certificate
that the hosts trust. The Hub has `library/hello-world` and `ratelimitpreview/test` for everybody, and `alice/private`
for alice; REGISTRY has `team/app` for ci. Users and passwords are random: see `credentials`. A hub that is replaced,
because it died or its image is older, has the users and images of its image again.
"""

import io
import json
import tarfile
from pathlib import PurePosixPath

import docker
from docker.errors import APIError
from docker.models.containers import Container
from docker.models.networks import Network

from slipway.lab import networks, servers
from slipway.lab.errors import LabError
from slipway.lab.networks import Attachment

NAME = "slipway-hub"
PORT = 443
REGISTRY = "registry.slipway.test"  # the one with Basic authentication
NAMES = ["registry-1.docker.io", "auth.docker.io", "index.docker.io", "docker.io", REGISTRY]
SOURCE = PurePosixPath("/srv/slipway/source/hub")
HOME = PurePosixPath("/srv/slipway/hub")
HUB_USERS = "users.json"
BASIC_USERS = "basic-users.json"


def start(client: docker.DockerClient, image: str, network: Network) -> None:
    """Have the Hub running and answering, from an image of `yum_repository.build`. Raises LabError when it does not."""
    attachments = [Attachment(network, NAMES), Attachment(networks.published(client))]
    command = ["bash", f"{SOURCE}/start.sh"]
    hub = servers.start(client, image, attachments, name=NAME, role="hub", command=command, published_port=PORT)
    try:
        status, output = _python(hub, "wait.py")
    except APIError as error:  # nothing can be run in a container that has ended
        status, output = 1, str(error)
    if status:
        raise LabError(f"The stand-in Docker Hub does not work: {output}\n{hub.logs(tail=20).decode()}")


def engine_address(client: docker.DockerClient) -> str:
    """Return the address by which the engine that carries the lab reaches REGISTRY, such as 127.0.0.1:32768.

    Of a registry on its own loopback an engine asks no certificate for; others reach it as REGISTRY.
    """
    bindings = client.containers.get(NAME).ports[f"{PORT}/tcp"]
    assert bindings
    return f"{bindings[0]['HostIp']}:{bindings[0]['HostPort']}"


def credentials(client: docker.DockerClient) -> dict[str, str]:
    """Return the users' passwords: alice, bob and limited (answered 429 always) on the Hub, ci on REGISTRY."""
    hub = client.containers.get(NAME)
    return {**_read(hub, HUB_USERS), **_read(hub, BASIC_USERS)}


def certificate_and_key(client: docker.DockerClient) -> bytes:
    """Return the certificate that hosts trust, with its key, in PEM: for servers that run elsewhere."""
    hub = client.containers.get(NAME)
    return b"".join(_file(hub, f"/srv/slipway/keys/server.{part}") for part in ("crt", "key"))


def set_password(client: docker.DockerClient, user: str, password: str) -> None:
    """Change a user's password, or make a user of the Hub. It holds from the next request on."""
    _change(client, user, password)


def revoke(client: docker.DockerClient, user: str) -> None:
    """Remove a user. `set_password` brings the user back."""
    _change(client, user, None)


def digest(client: docker.DockerClient) -> str:
    """Return the digest of the one image that all repositories of both registries hold."""
    latest = "registry/docker/registry/v2/repositories/library/hello-world/_manifests/tags/latest/current/link"
    return _file(client.containers.get(NAME), latest).decode()


def _change(client: docker.DockerClient, user: str, password: str | None) -> None:
    hub = client.containers.get(NAME)
    name = BASIC_USERS if user == "ci" else HUB_USERS
    users = {other: known for other, known in _read(hub, name).items() if other != user}
    if password is not None:
        users[user] = password
    hub.put_archive(str(HOME), _archive(name, json.dumps(users).encode()))
    status, output = _python(hub, "htpasswd.py")
    if status:
        raise LabError(f"The passwords of {REGISTRY} cannot be written: {output}")


def _python(hub: Container, script: str) -> tuple[int, str]:
    status, output = hub.exec_run(["python3", f"{SOURCE}/{script}"])
    assert isinstance(status, int)
    assert isinstance(output, bytes)
    return status, output.decode().strip()


def _read(hub: Container, name: str) -> dict[str, str]:
    users: dict[str, str] = json.loads(_file(hub, name))
    return users


def _file(hub: Container, name: str) -> bytes:
    chunks, _ = hub.get_archive(str(HOME / name))
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        file = tar.extractfile(PurePosixPath(name).name)
        assert file
        return file.read()


def _archive(name: str, content: bytes) -> bytes:
    """Return a tar archive of one file that only root may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
