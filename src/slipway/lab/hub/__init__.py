# SPDX-License-Identifier: Apache-2.0
"""The stand-in Docker Hub of the offline lab, and a second registry with Basic authentication.

Both run in one container of the stand-in repository's image, under the names of the real servers, with a certificate
that the hosts trust. The Hub has the public images `library/hello-world`, `ratelimitpreview/test` and
`library/registry`, and `alice/private` for alice; REGISTRY has `team/app` for ci. Passwords are random: see
`credentials`. Replacing the container, because it died or its image is outdated, resets users and images.
"""

import io
import json
import tarfile
from pathlib import PurePosixPath

from docker.errors import APIError
from docker.models.containers import Container
from docker.models.networks import Network

from slipway.lab import networks, servers
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.networks import Attachment

NAME = "slipway-hub"
PORT = 443
REGISTRY = "registry.slipway.test"  # the one with Basic authentication
NAMES = ["registry-1.docker.io", "auth.docker.io", "index.docker.io", "docker.io", REGISTRY]
SOURCE = PurePosixPath("/srv/slipway/source/hub")
HOME = PurePosixPath("/srv/slipway/hub")
HUB_USERS = "users.json"
BASIC_USERS = "basic-users.json"


def start(lab: Lab, network: Network) -> None:
    """Start the Hub on a network unless it runs, and wait until it answers. Raises LabError if it does not."""
    assert lab.images.repository
    attachments = [Attachment(network, NAMES), Attachment(networks.published(lab))]
    command = ["bash", f"{SOURCE}/start.sh"]
    hub = servers.start(
        lab, lab.images.repository, attachments, name=NAME, role="hub", command=command, published_port=PORT
    )
    try:
        status, output = _python(hub, "wait.py")
    except APIError as error:  # the container has stopped
        status, output = 1, str(error)
    if status:
        raise LabError(f"The stand-in Docker Hub did not start: {output}\n{hub.logs(tail=20).decode()}")


def engine_address(lab: Lab) -> str:
    """Return the address of REGISTRY for the engine that runs the lab, such as 127.0.0.1:32768.

    An engine requires no valid certificate of a registry on its loopback; other clients use the name REGISTRY.
    """
    bindings = _container(lab).ports[f"{PORT}/tcp"]
    assert bindings
    return f"{bindings[0]['HostIp']}:{bindings[0]['HostPort']}"


def credentials(lab: Lab) -> dict[str, str]:
    """Return the passwords by user: alice, bob and limited (always gets status 429) on the Hub, ci on REGISTRY."""
    hub = _container(lab)
    return {**_read(hub, HUB_USERS), **_read(hub, BASIC_USERS)}


def certificate_and_key(lab: Lab) -> bytes:
    """Return the certificate that hosts trust and its key, in PEM, for servers outside the container."""
    hub = _container(lab)
    return b"".join(_file(hub, f"/srv/slipway/keys/server.{part}") for part in ("crt", "key"))


def set_password(lab: Lab, user: str, password: str) -> None:
    """Change a user's password, or create a user of the Hub. It takes effect with the next request."""
    _change(lab, user, password)


def revoke(lab: Lab, user: str) -> None:
    """Remove a user; `set_password` restores it."""
    _change(lab, user, None)


def digest(lab: Lab, repository: str = "library/hello-world") -> str:
    """Return the digest of a repository's image on the Hub: all but library/registry contain the same."""
    latest = f"registry/docker/registry/v2/repositories/{repository}/_manifests/tags/latest/current/link"
    return _file(_container(lab), latest).decode()


def requests(lab: Lab) -> list[str]:
    """Return the lines that the Hub's servers have logged so far, one per request."""
    return [line for line in _container(lab).logs().decode().splitlines() if " HTTP/" in line]


def _container(lab: Lab) -> Container:
    return lab.client.containers.get(lab.name(NAME))


def _change(lab: Lab, user: str, password: str | None) -> None:
    hub = _container(lab)
    name = BASIC_USERS if user == "ci" else HUB_USERS
    users = {other: known for other, known in _read(hub, name).items() if other != user}
    if password is not None:
        users[user] = password
    hub.put_archive(str(HOME), _archive(name, json.dumps(users).encode()))
    status, output = _python(hub, "htpasswd.py")
    if status:
        raise LabError(f"The password file of {REGISTRY} cannot be written: {output}")


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
