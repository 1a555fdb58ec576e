# SPDX-License-Identifier: Apache-2.0
"""Four runs of each module: check, run, rerun, check again."""

from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

TREE = "https://download.docker.com/linux/centos"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-modules")


def repository(fingerprint: str | None, **arguments: Any) -> dict[str, Any]:
    return {
        "slipway.platform.docker_package_repository": {
            "baseurl": f"{TREE}/9/$basearch/stable",
            "gpg_key": f"{TREE}/gpg",
            "gpg_fingerprint": fingerprint,
            "repo_id": "four-runs",
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
    return {"slipway.platform.docker_login": {"logins": [login]}, "no_log": True}


def images(**image: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_images": {"images": [image]}}


def write_files(path: str, text: Any, *executable: str) -> dict[str, Any]:
    return {"slipway.platform.write_files": {"files": {path: text}, "executable": list(executable)}}


def run(host: LabHost, task: dict[str, Any]) -> Run:
    return ok(host.play(task))


def four_runs(host: LabHost, look: str, *tasks: dict[str, Any]) -> None:
    """Assert of each task in turn that check mode predicts its change and makes none, and that one run makes it.

    All of it is one play, since most of the time of a play goes into its start.
    """
    looking = {"name": "look", "ansible.builtin.raw": f"{{% raw %}}{look}{{% endraw %}}"}
    steps = []
    for task in tasks:
        dry = {**task, "check_mode": True, "diff": True}
        steps += [looking, dry, looking, task, looking, task, dry, looking]
    results = [result for _, result in ok(host.play(*steps)).results(host.name)]
    assert len(results) == len(steps)
    for number, task in enumerate(tasks):
        before, predicted, untouched, made, after, again, predicted_again, at_last = results[
            number * 8 : number * 8 + 8
        ]
        assert predicted["changed"], task
        assert untouched["stdout"] == before["stdout"], task
        assert made["changed"], task
        assert after["stdout"] != before["stdout"], task
        assert not again["changed"], task
        assert not predicted_again["changed"], task
        assert at_last["stdout"] == after["stdout"], task


def test_docker_package_repository_comes_changes_and_goes(host: LabHost, workbench: Workbench) -> None:
    look = "sha256sum /etc/yum.repos.d/four-runs.repo /etc/pki/rpm-gpg/four-runs 2>&1 || true"
    differing: list[dict[str, Any]] = [{}, {"enabled": False}, {"state": "absent"}]
    four_runs(host, look, *(repository(workbench.fingerprint, **arguments) for arguments in differing))


def test_docker_daemon_configures_an_engine_that_is_stopped(host: LabHost) -> None:
    state = "systemctl is-active docker.service docker.socket || true; systemctl is-enabled docker.service || true;"
    four_runs(host, state, daemon(state="stopped", enabled=False))
    look = "cat /etc/docker/daemon.json; ls /etc/systemd/system/docker.service.d 2>/dev/null || true"
    options = {"debug": True, "hosts": ["fd://", "tcp://127.0.0.1:2375"]}
    four_runs(host, look, daemon(options=options, state="stopped"))
    four_runs(host, state, daemon(options=options, state="started", enabled=True))
    assert host.sh("docker --host tcp://127.0.0.1:2375 info --format '{{.Debug}}'") == "true"


def test_docker_daemon_schedules_pruning_without_touching_the_engine(host: LabHost) -> None:
    look = "cat /etc/systemd/system/docker-prune.* || true; systemctl is-enabled docker-prune.timer || true"
    schedules: tuple[dict[str, Any], ...] = (
        {"schedule": "weekly"},
        {"schedule": "Sun 03:30", "filters": [], "all": True},
        {},
    )
    four_runs(host, look, *(daemon(prune=prune) for prune in schedules))


def test_docker_access_lets_people_in_and_out(host: LabHost) -> None:
    two, one = access(members=["alice", "bob"]), access(members=["alice"], exclusive=True)
    four_runs(host, "getent group docker", two, one)
    four_runs(host, "getent group keepers || true", access(group="keepers", gid=4445, members=["bob"]))
    run(host, daemon(state="current"))
    four_runs(host, "cat /etc/systemd/system/docker.socket.d/slipway.conf 2>&1 || true", access())
    run(host, daemon(state="current"))


def test_docker_login_logs_in_and_out(host: LabHost, workbench: Workbench) -> None:
    token = hub.credentials(workbench.lab)["alice"]
    look = "cat /home/bob/.docker/config.json 2>/dev/null || true"
    four_runs(host, look, credential(username="alice", password=token, user="bob"))
    four_runs(host, look, credential(user="bob", state="absent"))


def test_docker_images_are_pulled_built_and_tagged(host: LabHost, workbench: Workbench) -> None:
    digest = hub.digest(workbench.lab)
    host.sh("mkdir /opt/four-runs; echo 'FROM hello-world:1' > /opt/four-runs/Dockerfile")
    look = "docker image ls --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}@{{.Digest}}'"
    four_runs(
        host,
        look,
        images(name="library/hello-world", digest=digest),
        images(name="library/hello-world", digest=digest, tags=["1"]),
        images(name="team/built", build="/opt/four-runs"),
    )


def test_write_files_come_change_and_become_commands(host: LabHost) -> None:
    path = "/opt/four-runs-files/deep/hello"
    look = f"stat --format '%a %U' {path} 2>&- && cat {path} || true"
    silent, talking = "#!/bin/sh\n", "#!/bin/sh\necho hello\n"
    four_runs(host, look, write_files(path, silent), write_files(path, talking), write_files(path, talking, path))
    assert host.sh(path) == "hello"
    for wrong, reason in ((write_files("opt/x", ""), "is not absolute"), (write_files(path, {"a": 1}), "not a string")):
        assert reason in host.play(wrong).failure(host.name)


def test_no_password_of_a_proxy_and_no_token_is_printed(host: LabHost, workbench: Workbench) -> None:
    """Nor is it readable by others on the host."""
    proxy = "http://user:geheim%21@proxy.example.com:3128"
    options = {"log-driver": "splunk", "log-opts": {"splunk-token": "geheimer-token", "tag": "x"}}
    tasks = (
        repository(workbench.fingerprint, state="absent"),
        daemon(options=options, proxy={"http": proxy}, prove=False, state="stopped"),
        daemon(options={}, proxy={"http": proxy}, state="nonsense"),
    )
    printed = "".join(host.play(task, options=("-vvv", "--diff")).output for task in tasks)
    assert "proxy.env" in printed
    assert "geheim" not in printed
    assert "geheim" in host.sh("cat /etc/docker/proxy.env")
    assert "geheimer-token" in host.sh("cat /etc/docker/daemon.json")
    assert host.sh("stat --format %a /etc/docker/proxy.env /etc/docker/daemon.json").split() == ["600", "600"]
    assert host.run("grep", "--recursive", "geheim", "/etc/systemd")[0] == 1
