# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the engine's API says, from answers of the form that moby documents, over a real socket."""

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.report import bounded, workloads

CONTAINERS = [
    {
        "Id": "a" * 64,
        "Names": ["/web"],
        "ImageID": "sha256:1",
        "State": "running",
        "Status": "Up 2 hours (unhealthy)",
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "127.0.0.1", "PrivatePort": 81, "PublicPort": 8081, "Type": "tcp"},
            {"PrivatePort": 82, "Type": "tcp"},
        ],
    },
    {"Id": "b" * 64, "Names": [], "ImageID": "sha256:2", "State": "restarting", "Status": "Restarting", "Ports": None},
]
LABELS = {"org.opencontainers.image.base.name": "base:1", "org.opencontainers.image.base.digest": "sha256:old"}
IMAGES = [
    {"Id": "sha256:1", "RepoTags": ["web:1"], "RepoDigests": None, "Created": 200, "Labels": LABELS},
    {"Id": "sha256:2", "RepoTags": None, "Created": 100, "Labels": None},
    {"Id": "sha256:3", "RepoTags": ["base:1"], "RepoDigests": ["base@sha256:new"], "Created": 300, "Labels": None},
]
NODES = [{"ManagerStatus": {"Reachability": state}} for state in ("reachable", "unreachable", "reachable")] + [{}]
INFO = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}


class Answers(http.server.BaseHTTPRequestHandler):
    answers: dict[str, Any]

    def do_GET(self) -> None:
        body = self.answers[self.path.partition("?")[0]]
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    answers: dict[str, Any] = {
        "/containers/json": CONTAINERS,
        "/images/json": IMAGES,
        "/info": INFO,
        "/nodes": NODES,
    }
    path = str(tmp_path / "docker.sock")
    monkeypatch.setattr(engine_api, "SOCKET", path)
    handler = type("Handler", (Answers,), {"answers": answers})
    with socketserver.ThreadingUnixStreamServer(path, handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield answers
        server.shutdown()


DEADLINE = bounded.Deadline(60)


def test_containers_in_trouble_and_ports_open_to_all_are_named(engine: dict[str, Any]) -> None:
    found = workloads.containers(DEADLINE, {})
    assert found == {
        "running": 1,
        "unhealthy": ["web"],
        "restarting": ["b" * 12],
        "dead": [],
        "open_ports": [{"port": 8080, "protocol": "tcp", "container": "web"}],
    }


def test_images_in_use_come_oldest_first_and_bases_by_their_labels(engine: dict[str, Any]) -> None:
    found = workloads.images(DEADLINE, {})
    assert [image["created"] for image in found["used"]] == [100, 200]
    assert found["bases"] == [{"image": "web:1", "base": "base:1", "digest": "sha256:old"}]
    assert found["digests"] == {"base:1": "sha256:new"}


def test_a_tag_has_the_digest_of_its_own_repository(engine: dict[str, Any]) -> None:
    """Otherwise an image on a base that was also pushed elsewhere would count as stale."""
    digests = ["base@sha256:new", "mirror:5000/base@sha256:other"]
    engine["/images/json"] = [
        {"Id": "sha256:3", "RepoTags": ["base:1", "mirror:5000/base:1"], "RepoDigests": digests, "Created": 300}
    ]
    found = workloads.images(DEADLINE, {})["digests"]
    assert found == {"base:1": "sha256:new", "mirror:5000/base:1": "sha256:other"}


def of_service(service: str, state: str, status: str, **labels: str) -> dict[str, Any]:
    labels |= {"com.docker.compose.project": "shop", "com.docker.compose.service": service}
    return {"Id": service, "State": state, "Status": status, "Labels": labels}


def test_services_that_do_not_run_as_they_should_are_named_and_finished_tasks_are_none_of_them(
    engine: dict[str, Any],
) -> None:
    engine["/containers/json"] = [
        *CONTAINERS,
        of_service("web", "running", "Up 2 hours (healthy)"),
        of_service("db", "running", "Up 2 hours (unhealthy)"),
        of_service("db", "running", "Up 2 hours (healthy)"),
        of_service("queue", "exited", "Exited (1) 2 hours ago"),
        of_service("migrate", "exited", "Exited (0) 2 hours ago"),
        of_service("mail", "exited", "Exited (0) 2 hours ago"),
        of_service("shell", "exited", "Exited (1) 2 hours ago", **{"com.docker.compose.oneoff": "True"}),
    ]
    for name, policy in (("migrate", "no"), ("mail", "unless-stopped")):
        engine[f"/containers/{name}/json"] = {"HostConfig": {"RestartPolicy": {"Name": policy}}}
    engine["/services"] = [
        {"Spec": {"Name": "api"}, "ServiceStatus": {"RunningTasks": 2, "DesiredTasks": 3, "CompletedTasks": 0}},
        {"Spec": {"Name": "job"}, "ServiceStatus": {"RunningTasks": 0, "DesiredTasks": 1, "CompletedTasks": 1}},
        {"Spec": {"Name": "up"}, "ServiceStatus": {"RunningTasks": 1, "DesiredTasks": 1, "CompletedTasks": 0}},
    ]
    found = workloads.services(DEADLINE, {})
    assert (found["count"], found["up"]) == (8, 4)
    assert [f"{item['name']} {item['trouble']}" for item in found["failing"]] == [
        "api runs 2 of 3 tasks",
        "shop/db is unhealthy",
        "shop/mail is exited",
        "shop/queue is exited",
    ]
    engine["/info"] = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": False}}
    assert workloads.services(DEADLINE, {})["count"] == 5, "a worker does not know the services"


def test_a_manager_counts_the_managers_that_it_reaches(engine: dict[str, Any]) -> None:
    found = workloads.swarm(DEADLINE, {})
    assert found == {"state": "active", "role": "manager", "managers": 3, "reachable": 2, "error": ""}
    engine["/info"] = {"Swarm": {"LocalNodeState": "inactive"}}
    assert workloads.swarm(DEADLINE, {})["role"] == ""


def test_a_manager_without_a_quorum_says_so_and_answers_nothing_else(engine: dict[str, Any]) -> None:
    """Its engine refuses /nodes and /services with status 503, which said nothing but that it did not answer."""
    error = "rpc error: The swarm does not have a leader. More\nthan half."
    engine["/info"] = {"Swarm": {**INFO["Swarm"], "Error": error}}
    del engine["/nodes"]
    found = workloads.swarm(DEADLINE, {})
    assert (found["role"], found["error"]) == ("manager", "rpc error: The swarm does not have a leader. More than half")
    with pytest.raises(bounded.UnansweredError, match="the swarm does not answer"):
        workloads.services(DEADLINE, {})


def test_an_engine_that_does_not_answer_or_talks_nonsense_is_said(engine: dict[str, Any]) -> None:
    engine["/info"] = b"<html>"
    with pytest.raises(bounded.UnansweredError, match="is not JSON"):
        workloads.swarm(DEADLINE, {})
    engine_api.SOCKET += ".gone"
    with pytest.raises(bounded.UnansweredError, match="does not answer on"):
        workloads.containers(DEADLINE, {})
