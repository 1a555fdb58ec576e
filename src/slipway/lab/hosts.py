# SPDX-License-Identifier: Apache-2.0
"""Lab hosts: containers that boot systemd and can run their own engine."""

import time
from collections.abc import Iterable
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import Mount

from slipway.lab import hub, inotify, locking, networks, servers
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.networks import LABEL, Attachment
from slipway.lab.progress import say

REPOSITORY = "slipway-repository"
# The names of the real servers, so that hosts are configured here exactly as anywhere else.
REPOSITORY_NAMES = ["download.docker.com", "yum.dockerproject.org"]
# What stand-ins have compiled: see keep_compiled.py in dockerfiles/contexts/stand-in.
COMPILED = "slipway-compiled"
BOOT_SECONDS = 60
# systemd exits silently if it gets no inotify instance.
TOO_MANY_HOSTS = (
    "A possible cause is too many hosts, at 7 inotify instances each: remove some, or raise the machine's sysctl "
    "fs.inotify.max_user_instances."
)
# The isolated network has no name server to report unknown names: keep the timeout short.
NAME_LOOKUPS = ["timeout:1", "attempts:1"]

# Options of a container that boots systemd.
SYSTEMD: dict[str, Any] = {
    # Not --privileged: it asks for CAP_SYS_RESOURCE, which sandboxes lack. A nested engine needs the rest.
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "cgroupns": "host",
    "volumes": {"/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"}},
    "tmpfs": {"/run": "exec,mode=755", "/tmp": "exec"},
}


def create(
    lab: Lab,
    names: Iterable[str],
    *,
    image: str | None = None,
    isolated: bool = False,
    isolated_alias: str | None = None,
) -> list[Container]:
    """Create missing hosts, start stopped ones, and wait until all have booted.

    image is the lab's host image by default. isolated puts them on the isolated network instead of the lab's;
    isolated_alias puts them on both, under that name on the isolated one.
    """
    names = list(names)
    running = {str(host.name) for host in existing(lab.client) if host.status == "running"}
    inotify.require_room(len(running.union(names)))
    attachments = [Attachment(ready_network(lab))]
    if isolated:
        attachments = [Attachment(networks.isolated(lab))]
    elif isolated_alias:
        attachments.append(Attachment(networks.isolated(lab), [isolated_alias]))
    hosts = [_host(lab, name, image or lab.images.host, attachments) for name in names]
    for host in hosts:
        wait_until_booted(host)
    return hosts


@locking.exclusive()
def ready_network(lab: Lab) -> Network:
    """Return the lab's network; offline, start the repository and the Hub on it."""
    network = networks.public(lab)
    if lab.images.repository:
        repository = [Attachment(network, REPOSITORY_NAMES)]
        servers.start(lab, lab.images.repository, repository, name=REPOSITORY, role="repository")
        hub.start(lab, network)
    return network


def run(host: Container, *command: str) -> tuple[int, str]:
    """Run a command on a host; return its exit status and its output (stdout and stderr), stripped."""
    status, output = host.exec_run(list(command))
    assert isinstance(status, int)
    assert isinstance(output, bytes)
    return status, output.decode().strip()


def reboot(host: Container) -> None:
    """Reboot a host and wait until it is up; as on a real reboot, /run is empty and only enabled units run."""
    host.restart(timeout=30)
    wait_until_booted(host)


def wait_until_booted(host: Container) -> None:
    """Wait until systemd has started all units. Raises LabError if the host stops, or after BOOT_SECONDS."""
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            _, state = run(host, "systemctl", "is-system-running")
        except APIError as error:  # the host has stopped
            raise LabError(f"{host.name} stopped during boot. {TOO_MANY_HOSTS}") from error
        if state in ("running", "degraded"):
            return
        if time.monotonic() > deadline:
            raise LabError(
                f"{host.name} did not boot within {BOOT_SECONDS} s: systemd reports {state!r}. {TOO_MANY_HOSTS}"
            )
        time.sleep(0.1)


def existing(client: docker.DockerClient) -> list[Container]:
    """Return all existing hosts, running or not, sorted by name."""
    hosts: list[Container] = client.containers.list(all=True, filters={"label": f"{LABEL}=host"}, ignore_removed=True)
    return sorted(hosts, key=lambda host: str(host.name))


def destroy(client: docker.DockerClient, names: Iterable[str]) -> None:
    """Remove hosts by name, with their volumes; ignore missing ones."""
    wanted = set(names)
    for host in existing(client):
        if host.name in wanted:
            host.remove(v=True, force=True)


def destroy_all(client: docker.DockerClient) -> None:
    """Remove all hosts, servers, networks, volumes and images with the lab's label."""
    everything: dict[str, str | list[str] | bool] = {"label": LABEL}
    for container in client.containers.list(all=True, filters=everything, ignore_removed=True):
        container.remove(v=True, force=True)
    for network in client.networks.list(filters=everything):
        network.remove()
    for volume in client.volumes.list(filters=everything):
        volume.remove()
    for image in client.images.list(filters=everything):
        client.images.remove(str(image.id), force=True)


def _host(lab: Lab, name: str, image: str, attachments: list[Attachment]) -> Container:
    try:
        host = lab.client.containers.get(name)
    except NotFound:
        say(f"Creating host {name} ({lab.images.description})")
        return _run(lab, name, image, attachments)
    if set(host.attrs["NetworkSettings"]["Networks"]) != {attachment.network.name for attachment in attachments}:
        raise LabError(f"Host {name} already exists on other networks: remove it first.")
    if not servers.is_of(host, image):
        say(f"Host {name} runs an older image: run `make down` first to replace it")
    host.start()
    return host


def _run(lab: Lab, name: str, image: str, attachments: list[Attachment]) -> Container:
    isolated = attachments[0].network.name == lab.name(networks.ISOLATED)
    host = lab.client.containers.create(
        image,
        name=name,
        hostname=name,
        network=attachments[0].network.name,
        dns_opt=NAME_LOOKUPS if isolated else [],
        labels={LABEL: "host"},
        use_config_proxy=False,  # the proxy of this user's Docker configuration is not for hosts
        # Loop devices: tests put the data root on another disk.
        device_cgroup_rules=["b 7:* rwm", "c 10:237 rwm"],
        mounts=[
            # Overlay on overlay fails, so layers are stored in volumes.
            *(Mount(path, None, type="volume") for path in ("/var/lib/docker", "/var/lib/containerd")),
            Mount("/var/cache/keep-compiled", COMPILED, type="volume", labels={LABEL: "compiled"}),
        ],
        **SYSTEMD,
    )
    for network, aliases in attachments[1:]:
        network.connect(host, aliases=list(aliases))
    host.start()
    return host
