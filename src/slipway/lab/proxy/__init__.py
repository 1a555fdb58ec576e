# SPDX-License-Identifier: Apache-2.0
"""The lab's proxy: the only way from the isolated network to the servers of the offline lab.

It is squid in a container of the stand-in repository's image, on both networks. It allows the names that the lab serves
(see squid.conf) and denies others with HTTP 403. `requests` parses its log.
"""

from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from slipway.lab import networks, servers
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.networks import Attachment

CONTAINER = "slipway-proxy"
NAME = "proxy.slipway.test"
OPEN = f"http://{NAME}:3128"  # without a password
GUARDED_PORT = 3129
USER = "alice"
SOURCE = PurePosixPath("/srv/slipway/source/proxy")
HOME = PurePosixPath("/srv/slipway/proxy")
WAIT = f"until (</dev/tcp/127.0.0.1/{GUARDED_PORT}) 2>/dev/null; do sleep 0.05; done"


class Request(NamedTuple):
    """A line of the proxy's log; user is "-" if anonymous, address is host:443 for a tunnel."""

    method: str
    address: str
    user: str
    status: int


def start(lab: Lab) -> None:
    """Start the proxy unless it runs. Raises LabError if it does not start."""
    if lab.images.repository is None:
        raise LabError("The lab has a proxy only when it is offline: use LAB=offline.")
    both = [
        Attachment(networks.public(lab)),
        Attachment(networks.isolated(lab), [NAME]),
    ]
    command = ["bash", f"{SOURCE}/start.sh", USER]
    proxy = servers.start(lab, lab.images.repository, both, name=CONTAINER, role="proxy", command=command)
    try:
        _run(proxy, "timeout", "15", "bash", "-c", WAIT)
    except (APIError, LabError) as error:  # the container has stopped
        raise LabError(f"The lab's proxy did not start: {error}\n{proxy.logs(tail=20).decode()}") from error


def guarded(lab: Lab) -> str | None:
    """Return the URL of the port that requires a password, with credentials; None if no proxy was started."""
    try:
        password = _run(lab.client.containers.get(lab.name(CONTAINER)), "cat", f"{HOME}/password")
    except NotFound:
        return None
    return f"http://{USER}:{quote(password, safe='')}@{NAME}:{GUARDED_PORT}"


def requests(lab: Lab) -> list[Request]:
    """Return all requests since the start of the proxy, including denied ones."""
    lines = _run(lab.client.containers.get(lab.name(CONTAINER)), "cat", f"{HOME}/access.log").splitlines()
    return [Request(method, address, user, int(status)) for method, address, user, status in map(str.split, lines)]


def _run(proxy: Container, *command: str) -> str:
    status, output = proxy.exec_run(list(command))
    assert isinstance(output, bytes)
    if status:
        raise LabError(f"{command[0]} failed in {CONTAINER} with status {status}: {output.decode()}")
    return output.decode()
