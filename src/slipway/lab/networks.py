# SPDX-License-Identifier: Apache-2.0
"""The lab's networks: a public one with the servers, an isolated one, and one for published ports."""

from collections.abc import Sequence
from typing import NamedTuple

from docker.errors import NotFound
from docker.models.networks import Network

from slipway.lab.errors import LabError
from slipway.lab.lab import Lab

LABEL = "slipway.lab"
PUBLIC = "slipway-lab"
ISOLATED = "slipway-isolated"
PUBLISHED = "slipway-published"


class Attachment(NamedTuple):
    """A network, and a container's additional names on it."""

    network: Network
    aliases: Sequence[str] = ()


def public(lab: Lab) -> Network:
    """Return the network of hosts and servers, internal if offline. Raises LabError if the other kind exists."""
    internal = lab.images.repository is not None
    network = _network(lab, PUBLIC, internal)
    if network.attrs["Internal"] != internal:
        raise LabError(
            f"The running lab is {'online' if internal else 'offline'}: run `make down` before changing LAB."
        )
    return network


def isolated(lab: Lab) -> Network:
    """Return the network on which a host reaches only other members of the network."""
    return _network(lab, ISOLATED, internal=True)


def published(lab: Lab) -> Network:
    """Return the network of servers with published ports, which internal networks do not allow. No host is on it."""
    return _network(lab, PUBLISHED, internal=False)


def _network(lab: Lab, what: str, internal: bool) -> Network:
    name = lab.name(what)
    try:
        return lab.client.networks.get(name)
    except NotFound:
        return lab.client.networks.create(name, driver="bridge", internal=internal, labels={LABEL: "network"})
