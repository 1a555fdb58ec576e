# SPDX-License-Identifier: Apache-2.0
"""Claims about deployed projects (role docker_services)."""

import json
from typing import Any

import pytest
from testinfra.host import Host

FOLDER = "/var/lib/slipway/services"


def listed(host: Host) -> list[str]:
    """Return the names of the present projects alone: pytest shows the arguments of a claim that fails."""
    shown = host.ansible("ansible.builtin.debug", "var=docker_services_list").get("docker_services_list")
    entries = shown if isinstance(shown, list) else []
    return [entry["name"] for entry in entries if entry.get("state", "present") == "present"]


@pytest.fixture(scope="module")
def projects(host: Host) -> list[str]:
    """The projects that this host deploys: what is deployed by the leader of a swarm has no folder elsewhere."""
    present = listed(host)
    if not present:
        pytest.skip("the inventory lists no projects")
    here = [name for name in present if host.file(f"{FOLDER}/{name}").exists]
    if not here:
        assert host.check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "active", "nothing was deployed"
        pytest.skip("another node of the swarm deploys the projects")
    return here


def record(host: Host, project: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.file(f"{FOLDER}/{project}/record.json").content_string)
    return found


def services_of(host: Host, project: str) -> dict[str, dict[str, Any]]:
    """Return the services of the version that was deployed last, with their images by digest."""
    path = f"{FOLDER}/{project}/current/compose.json"
    found: dict[str, dict[str, Any]] = json.loads(host.file(path).content_string)["services"]
    return found


def containers_of(host: Host, project: str) -> list[dict[str, Any]]:
    """Return the containers of a Compose project; those of a stack may be on other nodes."""
    label = f"com.docker.compose.project={project}"
    ids = host.check_output("docker ps --all --quiet --filter label=%s", label).split()
    found: list[dict[str, Any]] = json.loads(host.check_output("docker inspect " + " ".join(ids))) if ids else []
    return found


def test_every_service_is_up_and_healthy(host: Host, projects: list[str]) -> None:
    for project in projects:
        if record(host, project)["mode"] == "stack":
            for service in services_of(host, project):
                name = f"{project}_{service}"
                listed = host.check_output(
                    "docker service ls --filter name=%s --format '{{.Name}} {{.Replicas}}'", name
                )
                (row,) = [line for line in listed.splitlines() if line.split()[0] == name]
                running, wanted = row.split()[1].split("/")
                assert running == wanted or "completed)" in row, name
            continue
        containers = containers_of(host, project)
        up = {container["Config"]["Labels"]["com.docker.compose.service"] for container in containers}
        assert set(services_of(host, project)) <= up
        for container in containers:
            state = container["State"]
            is_done = state["Status"] == "exited" and state["ExitCode"] == 0
            assert state["Status"] == "running" or is_done, container["Name"]
            assert state.get("Health", {}).get("Status", "healthy") == "healthy", container["Name"]


def test_what_runs_starts_at_boot(host: Host, projects: list[str]) -> None:
    """A swarm starts the tasks of stacks anyway."""
    for project in projects:
        for container in containers_of(host, project):
            if container["State"]["Status"] == "running":
                assert container["HostConfig"]["RestartPolicy"]["Name"] in ("always", "unless-stopped"), container[
                    "Name"
                ]


def test_images_are_pinned_by_their_content(host: Host, projects: list[str]) -> None:
    for project in projects:
        for service in services_of(host, project).values():
            assert "sha256:" in service["image"]


def test_versions_and_secrets_are_for_root_alone(host: Host, projects: list[str]) -> None:
    for project in projects:
        path = f"{FOLDER}/{project}"
        assert (host.file(path).user, host.file(path).mode) == ("root", 0o700)
        assert host.check_output("find %s -perm /077", path) == ""
