# SPDX-License-Identifier: Apache-2.0
"""The lab's proxy, for offline hosts of the isolated network: the only way from there to the servers of the lab.

A squid in a container of the stand-in repository's image, on both networks. It leads to the names that the lab serves
(squid.conf lists them) and refuses others with HTTP 403. Its log can be read as data.
"""

from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from slipway.lab import networks, servers
from slipway.lab.errors import LabError
from slipway.lab.networks import Attachment

CONTAINER = "slipway-proxy"
NAME = "proxy.slipway.test"
OPEN = f"http://{NAME}:3128"  # asks for no password
GUARDED_PORT = 3129
USER = "alice"
SOURCE = PurePosixPath("/srv/slipway/source/proxy")
HOME = PurePosixPath("/srv/slipway/proxy")
WAIT = f"until (</dev/tcp/127.0.0.1/{GUARDED_PORT}) 2>/dev/null; do sleep 0.05; done"


class Request(NamedTuple):
    """A line of the proxy's log; user is - where none was told, address is host:443 for a tunnel."""

    method: str
    address: str
    user: str
    status: int


def start(client: docker.DockerClient, image: str | None) -> None:
    """Have the proxy running, from an image of `yum_repository.build`. Raises LabError when it does not."""
    if image is None:
        raise LabError("The lab's proxy stands before the lab's own servers: use LAB=offline.")
    both = [
        Attachment(networks.lab(client, internal=True)),
        Attachment(networks.isolated(client), [NAME]),
    ]
    command = ["bash", f"{SOURCE}/start.sh", USER]
    proxy = servers.start(client, image, both, name=CONTAINER, role="proxy", command=command)
    try:
        _run(proxy, "timeout", "15", "bash", "-c", WAIT)
    except (APIError, LabError) as error:  # nothing can be run in a container that has ended
        raise LabError(f"The lab's proxy does not start: {error}\n{proxy.logs(tail=20).decode()}") from error


def guarded(client: docker.DockerClient) -> str | None:
    """Return the address with user and password of the port that wants them; None where no proxy was started."""
    try:
        password = _run(client.containers.get(CONTAINER), "cat", f"{HOME}/password")
    except NotFound:
        return None
    return f"http://{USER}:{quote(password, safe='')}@{NAME}:{GUARDED_PORT}"


def requests(client: docker.DockerClient) -> list[Request]:
    """Return what was asked of the proxy since it was started, the refused requests too."""
    lines = _run(client.containers.get(CONTAINER), "cat", f"{HOME}/access.log").splitlines()
    return [Request(method, address, user, int(status)) for method, address, user, status in map(str.split, lines)]


def _run(proxy: Container, *command: str) -> str:
    status, output = proxy.exec_run(list(command))
    assert isinstance(output, bytes)
    if status:
        raise LabError(f"{command[0]} ended in {CONTAINER} with status {status}: {output.decode()}")
    return output.decode()
