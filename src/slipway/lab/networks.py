# SPDX-License-Identifier: Apache-2.0
"""The lab's networks: one with the servers of the internet on it, one from which nothing leads out, and a way in."""

from collections.abc import Sequence
from typing import NamedTuple

import docker
from docker.errors import NotFound
from docker.models.networks import Network

from slipway.lab.errors import LabError

LABEL = "slipway.lab"
LAB = "slipway-lab"
ISOLATED = "slipway-isolated"
PUBLISHED = "slipway-published"


class Attachment(NamedTuple):
    """A network, and the names that a container has on it beside its own."""

    network: Network
    aliases: Sequence[str] = ()


def lab(client: docker.DockerClient, *, internal: bool) -> Network:
    """Return the network of hosts and servers, internal if offline. Raises LabError if it is of the other kind."""
    network = _network(client, LAB, internal)
    if network.attrs["Internal"] != internal:
        raise LabError(
            f"The lab that is up is {'online' if internal else 'offline'}: `make down` first, then change LAB."
        )
    return network


def isolated(client: docker.DockerClient) -> Network:
    """Return the network on which a host reaches nothing but what is attached to it as well."""
    return _network(client, ISOLATED, internal=True)


def published(client: docker.DockerClient) -> Network:
    """Return the network of servers with published ports: an internal one lets nothing in. No host is on it."""
    return _network(client, PUBLISHED, internal=False)


def _network(client: docker.DockerClient, name: str, internal: bool) -> Network:
    try:
        return client.networks.get(name)
    except NotFound:
        return client.networks.create(name, driver="bridge", internal=internal, labels={LABEL: "network"})
