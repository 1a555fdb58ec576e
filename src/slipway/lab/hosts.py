# SPDX-License-Identifier: Apache-2.0
"""Lab hosts: containers that boot systemd and can run an engine of their own."""

import time
from collections.abc import Iterable
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import Mount

from slipway.lab import hub, networks, servers
from slipway.lab.errors import LabError
from slipway.lab.images import Images
from slipway.lab.networks import LABEL, Attachment
from slipway.lab.progress import say

REPOSITORY = "slipway-repository"
# The names of the real servers, so that hosts are configured here exactly as anywhere else.
REPOSITORY_NAMES = ["download.docker.com", "yum.dockerproject.org"]
BOOT_SECONDS = 60
# systemd ends without a word when it gets no inotify instance.
TOO_MANY_HOSTS = (
    "Perhaps there are too many hosts, 7 inotify instances each: remove some, or raise the machine's sysctl "
    "fs.inotify.max_user_instances."
)
# On the isolated network nobody is there to say that a name does not exist: do not wait long for him.
NAME_LOOKUPS = ["timeout:1", "attempts:1"]

# What a container is created with in which systemd boots.
SYSTEMD: dict[str, Any] = {
    # --privileged asks for CAP_SYS_RESOURCE too, which sandboxes lack; the rest is what a nested engine needs.
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "cgroupns": "host",
    "volumes": {"/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"}},
    "tmpfs": {"/run": "exec,mode=755", "/tmp": "exec"},
}


def create(
    client: docker.DockerClient,
    images: Images,
    names: Iterable[str],
    *,
    isolated: bool = False,
    isolated_alias: str | None = None,
) -> list[Container]:
    """Make the hosts that are missing, start those that are stopped, and wait until all have booted.

    isolated puts them on the isolated network instead of the lab's, isolated_alias on both, with that name on it.
    """
    attachments = [Attachment(ready_network(client, images))]
    if isolated:
        attachments = [Attachment(networks.isolated(client))]
    elif isolated_alias:
        attachments.append(Attachment(networks.isolated(client), [isolated_alias]))
    hosts = [_host(client, images, name, attachments) for name in names]
    for host in hosts:
        wait_until_booted(host)
    return hosts


def ready_network(client: docker.DockerClient, images: Images) -> Network:
    """Return the lab's network; offline, with the repository and the Hub on it."""
    lab = networks.lab(client, internal=images.repository is not None)
    if images.repository:
        repository = [Attachment(lab, REPOSITORY_NAMES)]
        servers.start(client, images.repository, repository, name=REPOSITORY, role="repository")
        hub.start(client, images.repository, lab)
    return lab


def run(host: Container, *command: str) -> tuple[int, str]:
    """Run a command on a host; return its exit status and what it printed, both streams, without white space around."""
    status, output = host.exec_run(list(command))
    assert isinstance(status, int)
    assert isinstance(output, bytes)
    return status, output.decode().strip()


def reboot(host: Container) -> None:
    """Restart a host's machine and wait until it has booted: /run is empty, nothing runs but what is enabled."""
    host.restart(timeout=30)
    wait_until_booted(host)


def wait_until_booted(host: Container) -> None:
    """Wait until systemd has started everything. Raises LabError when it has ended, or has not within BOOT_SECONDS."""
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            _, state = run(host, "systemctl", "is-system-running")
        except APIError as error:  # nothing can be run on a host that has ended
            raise LabError(f"{host.name} ended while it booted. {TOO_MANY_HOSTS}") from error
        if state in ("running", "degraded"):
            return
        if time.monotonic() > deadline:
            raise LabError(
                f"{host.name} has not booted within {BOOT_SECONDS} s: systemd says {state!r}. {TOO_MANY_HOSTS}"
            )
        time.sleep(0.1)


def existing(client: docker.DockerClient) -> list[Container]:
    """Return the hosts that are there, running or not, sorted by name."""
    hosts: list[Container] = client.containers.list(all=True, filters={"label": f"{LABEL}=host"})
    return sorted(hosts, key=lambda host: str(host.name))


def destroy(client: docker.DockerClient, names: Iterable[str]) -> None:
    """Remove hosts by name with their volumes; those that are not there are no error."""
    wanted = set(names)
    for host in existing(client):
        if host.name in wanted:
            host.remove(v=True, force=True)


def destroy_all(client: docker.DockerClient) -> None:
    """Remove every host, the servers, the networks and the images that carry the lab's label."""
    everything: dict[str, str | list[str] | bool] = {"label": LABEL}
    for container in client.containers.list(all=True, filters=everything):
        container.remove(v=True, force=True)
    for network in client.networks.list(filters=everything):
        network.remove()
    for image in client.images.list(filters=everything):
        client.images.remove(str(image.id), force=True)


def _host(client: docker.DockerClient, images: Images, name: str, attachments: list[Attachment]) -> Container:
    try:
        host = client.containers.get(name)
    except NotFound:
        say(f"Creating host {name} ({images.description})")
        return _run(client, images.host, name, attachments)
    if set(host.attrs["NetworkSettings"]["Networks"]) != {attachment.network.name for attachment in attachments}:
        raise LabError(f"Host {name} is there already, on other networks: remove it first.")
    if not servers.is_of(host, images.host):
        say(f"Host {name} is of an older image: `make down` first for a new one")
    host.start()
    return host


def _run(client: docker.DockerClient, image: str, name: str, attachments: list[Attachment]) -> Container:
    host = client.containers.create(
        image,
        name=name,
        hostname=name,
        network=attachments[0].network.name,
        dns_opt=NAME_LOOKUPS if attachments[0].network.name == networks.ISOLATED else [],
        labels={LABEL: "host"},
        # Loop devices: a disk of a test's own, for a data root elsewhere.
        device_cgroup_rules=["b 7:* rwm", "c 10:237 rwm"],
        # Overlay on overlay fails, so what holds layers is a volume.
        mounts=[Mount(path, None, type="volume") for path in ("/var/lib/docker", "/var/lib/containerd")],
        **SYSTEMD,
    )
    for network, aliases in attachments[1:]:
        network.connect(host, aliases=list(aliases))
    host.start()
    return host
