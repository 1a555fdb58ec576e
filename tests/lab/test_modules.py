# SPDX-License-Identifier: Apache-2.0
"""Four runs of each module: check, run, rerun, check again."""

from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run
from slipway.lab.workbench import LabHost, Workbench

TREE = "https://download.docker.com/linux/centos"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make("test-modules")
    assert host.converge().status == 0
    return host


def repository(fingerprint: str | None, **arguments: Any) -> dict[str, Any]:
    return {
        "slipway.platform.docker_repository": {
            "baseurl": f"{TREE}/9/$basearch/stable",
            "gpg_key": f"{TREE}/gpg",
            "gpg_fingerprint": fingerprint,
            "file": "/etc/yum.repos.d/four-runs.repo",
            "key_file": "/etc/pki/rpm-gpg/four-runs",
            **arguments,
        }
    }


def daemon(**arguments: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_daemon": arguments}


def access(**arguments: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_access": arguments}


def credential(**login: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_credential": {"logins": [login]}, "no_log": True}


def images(**image: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_images": {"images": [image]}}


def text_files(path: str, text: Any, *executable: str) -> dict[str, Any]:
    return {"slipway.platform.text_files": {"files": {path: text}, "executable": list(executable)}}


def run(host: LabHost, task: dict[str, Any], *options: str) -> Run:
    done = host.play(task, options=options)
    assert done.status == 0, done.output
    return done


def four_runs(host: LabHost, task: dict[str, Any], look: str) -> None:
    """Assert that check mode foretells the change and makes none, and that the change is made once."""
    before = host.sh(look)
    assert run(host, task, "--check", "--diff").changed(host.name)
    assert host.sh(look) == before
    assert run(host, task).changed(host.name)
    after = host.sh(look)
    assert after != before
    assert not run(host, task).changed(host.name)
    assert not run(host, task, "--check", "--diff").changed(host.name)
    assert host.sh(look) == after


def test_docker_repository_comes_changes_and_goes(host: LabHost, workbench: Workbench) -> None:
    look = "sha256sum /etc/yum.repos.d/four-runs.repo /etc/pki/rpm-gpg/four-runs 2>&1 || true"
    four_runs(host, repository(workbench.fingerprint), look)
    four_runs(host, repository(workbench.fingerprint, enabled=False), look)
    four_runs(host, repository(workbench.fingerprint, state="absent"), look)


def test_docker_daemon_configures_an_engine_that_is_stopped(host: LabHost) -> None:
    state = "systemctl is-active docker.service docker.socket || true; systemctl is-enabled docker.service || true;"
    four_runs(host, daemon(state="stopped", enabled=False), state)
    look = "cat /etc/docker/daemon.json; ls /etc/systemd/system/docker.service.d 2>/dev/null || true"
    options = {"debug": True, "hosts": ["fd://", "tcp://127.0.0.1:2375"]}
    four_runs(host, daemon(options=options, state="stopped"), look)
    four_runs(host, daemon(options=options, state="started", enabled=True), state)
    assert host.sh("docker --host tcp://127.0.0.1:2375 info --format '{{.Debug}}'") == "true"


def test_docker_daemon_schedules_pruning_without_touching_the_engine(host: LabHost) -> None:
    look = "cat /etc/systemd/system/docker-prune.* || true; systemctl is-enabled docker-prune.timer || true"
    for prune in ({"schedule": "weekly"}, {"schedule": "Sun 03:30", "filters": [], "all": True}, {}):
        four_runs(host, daemon(prune=prune), look)


def test_docker_access_lets_people_in_and_out(host: LabHost) -> None:
    members = "getent group docker"
    four_runs(host, access(members=["alice", "bob"]), members)
    four_runs(host, access(members=["alice"], exclusive=True), members)
    four_runs(host, access(group="keepers", gid=4445, members=["bob"]), "getent group keepers || true")
    run(host, daemon(state="current"))
    four_runs(host, access(), "cat /etc/systemd/system/docker.socket.d/slipway.conf")
    run(host, daemon(state="current"))


def test_docker_credential_logs_in_and_out(host: LabHost, workbench: Workbench) -> None:
    token = hub.credentials(workbench.engine.client)["alice"]
    look = "cat /home/bob/.docker/config.json 2>/dev/null || true"
    four_runs(host, credential(username="alice", password=token, user="bob"), look)
    four_runs(host, credential(user="bob", state="absent"), look)


def test_docker_images_are_pulled_built_and_tagged(host: LabHost, workbench: Workbench) -> None:
    digest = hub.digest(workbench.engine.client)
    host.sh("mkdir /opt/four-runs; echo 'FROM hello-world:1' > /opt/four-runs/Dockerfile")
    look = "docker image ls --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}@{{.Digest}}'"
    four_runs(host, images(name="library/hello-world", digest=digest), look)
    four_runs(host, images(name="library/hello-world", digest=digest, tags=["1"]), look)
    four_runs(host, images(name="team/built", build="/opt/four-runs"), look)


def test_text_files_come_change_and_become_commands(host: LabHost) -> None:
    path = "/opt/four-runs-files/deep/hello"
    look = f"stat --format '%a %U' {path} 2>&- && cat {path} || true"
    four_runs(host, text_files(path, "#!/bin/sh\n"), look)
    four_runs(host, text_files(path, "#!/bin/sh\necho hello\n"), look)
    four_runs(host, text_files(path, "#!/bin/sh\necho hello\n", path), look)
    assert host.sh(path) == "hello"
    for wrong, reason in ((text_files("opt/x", ""), "is not absolute"), (text_files(path, {"a": 1}), "is no text")):
        assert reason in host.play(wrong).failure(host.name)


def test_no_password_of_a_proxy_is_printed(host: LabHost, workbench: Workbench) -> None:
    """Nor is it readable by others on the host."""
    proxy = "http://user:geheim%21@proxy.example.com:3128"
    tasks = (
        repository(workbench.fingerprint, state="absent"),
        daemon(options={}, proxy={"http": proxy}, prove=False, state="stopped"),
        daemon(options={}, proxy={"http": proxy}, state="nonsense"),
    )
    printed = "".join(host.play(task, options=("-vvv", "--diff")).output for task in tasks)
    assert "proxy.env" in printed
    assert "geheim" not in printed
    assert "geheim" in host.sh("cat /etc/docker/proxy.env")
    assert host.sh("stat --format %a /etc/docker/proxy.env") == "600"
    assert host.run("grep", "--recursive", "geheim", "/etc/systemd", "/etc/docker/daemon.json")[0] == 1
