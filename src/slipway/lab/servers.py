# SPDX-License-Identifier: Apache-2.0
"""The lab's servers: containers that stand in for internet servers, under their real names."""

from collections.abc import Sequence

from docker.errors import NotFound
from docker.models.containers import Container

from slipway.lab.lab import Lab
from slipway.lab.networks import LABEL, Attachment

LOOPBACK = "127.0.0.1"
ANY_PORT = 0


def start(
    lab: Lab,
    image: str,
    attachments: Sequence[Attachment],
    *,
    name: str,
    role: str,
    command: Sequence[str] | None = None,
    published_port: int | None = None,
) -> Container:
    """Return a running server, starting it if needed; replace one with another image or without the published port.

    published_port is the port in the container; the engine picks the one on the machine's loopback.
    """
    client, name = lab.client, lab.name(name)
    ports = {f"{published_port}/tcp": (LOOPBACK, ANY_PORT)} if published_port else {}
    try:
        running = client.containers.get(name)
    except NotFound:
        running = None
    if running and is_of(running, image) and running.status == "running" and set(ports) <= set(running.ports):
        return running
    if running:
        running.remove(force=True)
    server = client.containers.create(
        image,
        list(command) if command else None,
        name=name,
        labels={LABEL: role},
        network_mode="none",
        ports=ports,
        use_config_proxy=False,
    )
    client.networks.get("none").disconnect(server)
    for network, aliases in attachments:
        network.connect(server, aliases=list(aliases))
    server.start()
    return server


def is_of(container: Container, image: str) -> bool:
    """Return whether a container was created from the image with this tag."""
    return container.image is not None and image in container.image.tags
