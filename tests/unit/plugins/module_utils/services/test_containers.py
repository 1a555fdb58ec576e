# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Verdicts on what the engine says of containers, and the troubles of a project."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import containers

NOW = 1_000_000_000.0  # 2001-09-09T01:46:40Z
OLD, NEW = "2001-09-09T01:46:00.5Z", "2001-09-09T01:46:39Z"


def container(status: str = "running", **more: Any) -> dict[str, Any]:
    state = {"Status": status, "StartedAt": more.get("started", OLD), "ExitCode": more.get("code", 0)}
    if "health" in more:
        state["Health"] = {"Status": more["health"], "Log": [{"Output": "refused\n"}]}
    policy = {"Name": more.get("policy", "unless-stopped")}
    return {"Id": "abc", "State": state, "HostConfig": {"RestartPolicy": policy}, "RestartCount": more.get("count", 0)}


@pytest.mark.parametrize(
    ("described", "state", "words"),
    [
        (container(), containers.WELL, ""),
        (container(started=NEW), containers.WAITING, "has just started"),
        (container(started=NEW, health="healthy"), containers.WELL, ""),
        (container(health="starting"), containers.WAITING, "is not healthy yet (its health check said: refused)"),
        (container(health="unhealthy"), containers.FAILED, "is unhealthy (its health check said: refused)"),
        (container("exited", policy="no"), containers.WELL, ""),
        (container("exited", policy="no", code=3), containers.FAILED, "exited with status 3"),
        (container("exited", policy="always"), containers.FAILED, "exited with status 0"),
        (container("restarting", code=1), containers.WAITING, "exited with status 1 and is to be restarted"),
        (container("restarting", code=1, count=5), containers.FAILED, "restarts again and again"),
        (container(count=9, health="healthy"), containers.WELL, ""),
        (container(count=9, started=NEW), containers.FAILED, "restarts again and again"),
        (container(count=9), containers.WELL, ""),  # months ago, as far as is known
        (container("created"), containers.WAITING, "is created"),
        (container("paused"), containers.FAILED, "is paused"),
    ],
)
def test_a_container_is_well_waited_for_or_failed(described: dict[str, Any], state: str, words: str) -> None:
    verdict = containers.judge(described, NOW)
    assert verdict.state == state
    assert words in verdict.reason


def test_a_service_needs_as_many_containers_as_it_has_replicas() -> None:
    project = {"services": {"a": {"deploy": {"replicas": 2}}, "b": {"scale": 0}, "c": {}}}
    failed, waiting = containers.troubles(project, {"a": [container()]}, NOW)
    assert failed == []
    assert [(trouble.service, trouble.reason) for trouble in waiting] == [
        ("a", "has too few containers"),
        ("c", "has no container"),
    ]


def test_another_secret_is_shown_as_such_and_another_label_as_label() -> None:
    before = {"labels": {"io.slipway.secrets": "1"}, "image": "a"}
    assert containers.differing_keys(before, {**before, "labels": {"io.slipway.secrets": "2"}}) == ["secrets"]
    both = {"labels": {"io.slipway.secrets": "2", "mine": "x"}, "image": "b"}
    assert containers.differing_keys(before, both) == ["image", "labels", "secrets"]
