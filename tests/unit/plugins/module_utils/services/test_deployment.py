# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a project of the list is refused for, and how; tests/lab/test_services.py has real ones."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import deployment, docker_cli, swarm
from ansible_collections.slipway.platform.plugins.module_utils.services import project as project_folder
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError

PINNED = "x@sha256:" + 64 * "0"
ENTRY = {
    "name": "web",
    "state": "present",
    "compose": {"services": {}},
    "mode": "auto",
    "environment": {},
    "secrets": [],
}
OPTIONS = {"require_digest": True, "renew_pins": False}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = project_folder.Project
    monkeypatch.setattr(project_folder, "Project", lambda name: real(name, str(tmp_path / "services")))
    return tmp_path


def planned(folder: Path, node: str = swarm.NONE, **entry: Any) -> Any:
    return deployment.Deployment({**ENTRY, **entry}, docker_cli.DockerCli(str(folder)), str(folder), OPTIONS, node)


def keep(folder: Path, mode: str) -> None:
    project = project_folder.Project("web")
    project.prepare({"compose.json": "{}"}, (), mode)
    project.advance()


@pytest.mark.parametrize(
    ("wanted", "node", "mode", "elsewhere"),
    [
        ("auto", swarm.NONE, "compose", False),
        ("auto", swarm.LEADER, "stack", False),
        ("auto", swarm.MANAGER, "stack", True),
        ("auto", swarm.WORKER, "stack", True),
        ("compose", swarm.WORKER, "compose", False),
    ],
)
def test_a_project_is_a_stack_on_a_swarm_and_its_leader_deploys_it(
    folder: Path, wanted: str, node: str, mode: str, elsewhere: bool
) -> None:
    found = planned(folder, node, mode=wanted)
    assert (found.mode, found.is_elsewhere) == (mode, elsewhere)


def test_what_runs_as_a_project_is_not_deployed_as_a_stack_beside_it(folder: Path) -> None:
    """Fault: a host with projects joins a swarm. Outcome: refused with the remedy; nothing runs twice."""
    keep(folder, "compose")
    with pytest.raises(ServicesError, match=r"it was deployed as a compose before.* or set mode: compose"):
        planned(folder, swarm.LEADER)
    assert planned(folder, swarm.LEADER, state="absent").mode == "compose"


def test_a_host_that_has_left_its_swarm_deploys_and_removes_what_was_a_stack(folder: Path) -> None:
    keep(folder, "stack")
    assert planned(folder).mode == "compose"
    assert planned(folder, state="absent").mode == "compose"


@pytest.mark.parametrize(
    ("service", "more", "words"),
    [
        ({"build": {"context": "/x"}}, {}, "service app is built from a folder"),
        ({"image": "A"}, {}, "'A' is not the name of a repository"),
        ({"image": "nginx"}, {}, "the image nginx is not pinned"),
        ({"image": PINNED, "volumes": [{"type": "bind", "source": "{}/html"}]}, {}, "service app mounts ./html"),
        ({"image": PINNED, "volumes": [{"type": "bind", "source": "{}"}]}, {}, "service app mounts ., and"),
        ({"image": PINNED, "volumes": [{"type": "bind", "source": "{}/../b/secrets"}]}, {}, "mounts ../b/secrets, and"),
        ({"image": PINNED}, {"configs": {"a": {"file": "{}/a.conf"}}}, "configs a is read from ./a.conf"),
        ({"image": PINNED}, {"secrets": {"key": {"file": "{}/key.txt"}}}, "secrets key is read from ./key.txt"),
    ],
)
def test_what_no_host_can_deploy_is_refused(
    folder: Path, service: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    found = planned(folder)
    text = project_folder.render({"services": {"app": service}, **more}).replace("{}/..", str(folder / "services"))
    text = text.replace("{}", found.project.folder)
    found.plain = project_folder.json.loads(text)
    with pytest.raises(ServicesError, match=words):
        found.require_possible()


def test_absolute_mounts_and_volumes_are_accepted(folder: Path) -> None:
    found = planned(folder)
    mounts = [{"type": "bind", "source": "/srv/web"}, {"type": "volume", "source": "data"}, {"type": "tmpfs"}]
    found.plain = {"services": {"app": {"image": PINNED, "volumes": mounts}}}
    found.require_possible()


def test_logins_of_a_swarm_s_nodes_are_in_a_file_for_root_alone(folder: Path) -> None:
    class Keychain:
        def credentials_by_registry(self, registries: set[str]) -> dict[str, dict[str, str]]:
            assert registries == {"a", "b"}
            return {"a": {"username": "ci", "password": "x"}, "b": {"identitytoken": "y"}}

    docker_cli.DockerCli(str(folder)).log_in({"a", "b"}, Keychain())
    path = folder / "logins/config.json"
    assert project_folder.json.loads(path.read_text()) == {
        "auths": {"a": {"auth": "Y2k6eA=="}, "b": {"auth": "Og==", "identitytoken": "y"}}
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_version_that_was_never_healthy_is_deployed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = {"services": {"app": {"image": PINNED}}}
    project = project_folder.Project("web")
    project.prepare({"compose.json": project_folder.render(form)}, (), "compose")
    project.advance()
    found = planned(folder)
    found.canonical = form
    monkeypatch.setattr(found.target, "changes", lambda before, after: [])
    found.find_changes()
    assert [change.what for change in found.changes] == ["deploy again (they were not healthy yet)"]
    found.project.settle({"app": ["abc"]}, {})
    found.changes = []
    found.find_changes()
    assert found.changes == []
    assert found.project.known_hashes() == {"app": ["abc"]}
