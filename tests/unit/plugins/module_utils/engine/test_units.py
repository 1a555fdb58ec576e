# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import data_move, service, units
from ansible_collections.slipway.platform.plugins.module_utils.host import groups, owned_groups, rollback

RUNNING = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "MainPID": "0"}
STARTING = {**RUNNING, "ActiveState": "activating", "SubState": "start"}
FAILED = {**RUNNING, "ActiveState": "failed", "SubState": "failed"}


class FailedError(Exception):
    """What a module fails with."""


class Module:
    """A module whose commands are answered by their first words; it records them."""

    check_mode = False

    def __init__(self, answers: dict[str, tuple[int, str, str]]) -> None:
        self.answers, self.commands = answers, list[str]()
        self.logged, self.warnings = list[str](), list[str]()
        self.params = {"socket": "/nonexistent/docker.sock", "timeout": 60, "start_timeout": 90, "path": "/nonexistent"}

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        line = " ".join(command)
        self.commands.append(line)
        return next((answer for words, answer in self.answers.items() if words in line), (0, "", ""))

    def log(self, line: str) -> None:
        self.logged.append(line)

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def fail_json(self, msg: str, **_: Any) -> None:
        raise FailedError(msg)


def docker(answers: dict[str, tuple[int, str, str]], **states: dict[str, str]) -> Any:
    made = units.Docker(Module(answers))
    made.units = {f"{name.replace('_', '.')}": state for name, state in states.items()}
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes 15 seconds."""
    moments = iter(range(0, 10_000, 15))
    monkeypatch.setattr(units.time, "monotonic", lambda: float(next(moments)))


@pytest.mark.usefixtures("clock")
def test_a_slow_start_is_waited_for_with_progress_in_the_log() -> None:
    """Fault: dockerd takes longer to start than usual. Outcome: waited for, ten minutes by default, with progress in
    the host's journal.
    """
    made = docker({"systemctl restart": (124, "", ""), "-n 20": (0, "-- No entries --\n", "")})
    made.start("restart", "docker.service")
    first, *rest = [line for line in made.module.commands if "systemctl" in line]
    assert first.startswith("timeout 30 systemctl restart docker.service")
    assert [line.split(" ", 2)[2] for line in rest] == ["systemctl start docker.service"], "it does not restart again"
    assert made.module.logged == ["waiting for docker.service, 30 seconds so far: "]


@pytest.mark.usefixtures("clock")
def test_a_start_that_takes_too_long_is_not_a_failed_one() -> None:
    made = docker({"systemctl": (124, "", "")})
    with pytest.raises(units.NotReadyError, match="not ready within 90 seconds"):
        made.start("start", "docker.service")


def judge(made: Any, error: Exception) -> str:
    with pytest.raises(FailedError) as caught:
        service.fail(made, error, *service.last_words(made, "@1.5"), was_running=True)
    return str(caught.value)


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record whether the previous files are restored; there are some."""
    done: list[str] = []
    monkeypatch.setattr(rollback, "load", lambda *_: {"files": {}})
    monkeypatch.setattr(rollback, "clear", lambda *_: None)
    monkeypatch.setattr(rollback, "restore", lambda _: done.append("restored"))
    monkeypatch.setattr(service, "roll_back", lambda *_: "Restored.")
    return done


def test_an_engine_that_is_still_starting_is_left_to_start(restored: list[str]) -> None:
    """Fault: dockerd is still starting when the time limit is reached. Outcome: the play fails; nothing is rolled back
    or restarted, since the engine may come up yet.
    """
    log = 'level=error msg="an error of a container"\nLoading containers: start.\n'
    made = docker({"-u docker.service": (0, log, "")}, docker_service=STARTING, containerd_service=RUNNING)
    message = judge(made, units.NotReadyError("it is not ready within 600 seconds"))
    assert "docker.service is still starting: it is not ready within 600 seconds" in message
    assert "Loading containers: start." in message
    assert "docker_engine_start_timeout" in message
    assert restored == []


@pytest.mark.parametrize(
    ("answers", "was_running", "sentence"),
    [
        ({}, False, "the engine was not running before and is stopped."),
        (
            {"systemctl stop": (124, "", "")},
            False,
            "was not running before, and cannot be stopped (systemctl stop took longer than 60 seconds): run systemctl "
            "stop docker.service.",
        ),
        ({}, True, "the engine answers again."),
        ({"systemctl restart": (1, "", "Job failed.")}, True, "does not start with it either: Job failed."),
        ({"daemon-reload": (124, "", "")}, True, "does not start with it either: systemctl daemon-reload took longer"),
        ({"systemctl restart": (124, "", ""), "systemctl start": (124, "", "")}, True, "is still starting with it: "),
    ],
)
@pytest.mark.usefixtures("clock", "host")
def test_a_rollback_says_what_became_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, str, str]], was_running: bool, sentence: str
) -> None:
    monkeypatch.setattr(units.engine_api, "wait_until", lambda *_: True)
    made = docker(answers, docker_service=FAILED)
    assert sentence in service.roll_back(made, was_running)


TOML = "containerd: failed to load TOML: /etc/containerd/config.toml: unexpected token"
LOGS = {
    "-u docker.service": (0, "failed to start daemon: failed to dial containerd\n", ""),
    "-u containerd.service": (0, TOML + "\ncontainerd.service: Main process exited\n", ""),
}


def test_the_reason_is_containerd_s_if_it_is_down(restored: list[str]) -> None:
    """Fault: a broken config.toml of containerd. Outcome: containerd's own sentence; the previous files are back."""
    made = docker(LOGS, docker_service=FAILED, containerd_service=FAILED)
    assert f"did not start with the new configuration: {TOML}. Restored." in judge(made, units.ServiceError("x"))
    assert restored == ["restored"]


@pytest.mark.usefixtures("restored")
def test_the_reason_is_dockerd_s_if_containerd_runs() -> None:
    made = docker(LOGS, docker_service=FAILED, containerd_service=RUNNING)
    assert "configuration: failed to start daemon: failed to dial" in judge(made, units.ServiceError("x"))
    synced = [line for line in made.module.commands if "journalctl" in line]
    assert synced[0] == "journalctl --sync", "what was written last is read too"
    assert "--since @1.5" in synced[1], "and nothing of earlier starts"


@pytest.mark.usefixtures("restored")
def test_the_reason_of_a_socket_that_cannot_start_is_its_own() -> None:
    log = "docker.socket: Failed to create listening socket (/run/docker.sock): Is a directory\n"
    usual = 'level=error msg="failed to load cni during init, please check CRI plugin status"'
    answers = {"-u docker.socket": (0, log, ""), "-u containerd": (0, usual, "")}
    made = docker(answers, containerd_service=RUNNING)
    assert log.strip() in judge(made, units.ServiceError("A dependency job for docker.service failed."))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_move, "containerd_root_differs", lambda _: False)
    monkeypatch.setattr(rollback, "load", lambda *_: None)
    monkeypatch.setattr(units.engine_api, "ping", lambda *_: True)


@pytest.mark.usefixtures("host")
def test_containerd_is_started_first_so_that_it_can_say_why_it_does_not() -> None:
    made = docker({"start containerd.service": (1, "", "Job failed")}, containerd_service=FAILED)
    with pytest.raises(units.ServiceError, match="Job failed"):
        made.bring_up("start")
    assert not [line for line in made.module.commands if line.endswith("start docker.service")]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(("group", "recorded"), [("docker", []), ("engines", ["engines"])])
def test_the_engine_s_own_group_is_created_if_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, group: str, recorded: list[str]
) -> None:
    """Fault: the group docker is missing and the engine is down. Outcome: created, with a warning."""
    claimed: list[str] = []
    monkeypatch.setattr(groups, "find", lambda _: None)
    monkeypatch.setattr(owned_groups, "recorded", lambda: recorded)
    monkeypatch.setattr(owned_groups, "claim", claimed.append)
    made = docker({}, docker_socket={**RUNNING, "SocketGroup": group})
    made.bring_up("start")
    assert f"groupadd --system {group}" in made.module.commands
    assert (claimed, len(made.module.warnings)) == ([group], 1)


@pytest.mark.usefixtures("host")
def test_a_missing_group_of_others_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "find", lambda _: None)
    made = docker({}, docker_socket={**RUNNING, "SocketGroup": "of-a-directory"})
    with pytest.raises(units.ServiceError, match="group of-a-directory, which does not exist: create it"):
        made.bring_up("start")


@pytest.fixture
def replaced(tmp_path: Path) -> Any:
    """A process whose program was replaced."""
    program = tmp_path / "sleep"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        while Path(f"/proc/{process.pid}/exe").readlink() != program:
            time.sleep(0.01)
        program.unlink()
        yield {**RUNNING, "MainPID": str(process.pid)}
        process.kill()


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", ["docker_service", "containerd_service"])
def test_a_program_that_was_replaced_is_noticed(replaced: dict[str, str], name: str) -> None:
    """Fault: the program containerd was replaced under a running engine. Outcome: one restart of both."""
    current = {**RUNNING, "MainPID": str(os.getpid())}
    assert not docker({}, docker_service=current, containerd_service=current).runs_replaced_program()
    both = {"docker_service": current, "containerd_service": current, name: replaced}
    made = docker({"MainPID": (0, both["containerd_service"]["MainPID"], "")}, **both)
    assert made.runs_replaced_program()
    made.bring_up("restart")
    verb = "restart" if name == "containerd_service" else "start"
    assert f"timeout 30 systemctl {verb} containerd.service" in made.module.commands


def test_a_directory_in_the_socket_s_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: `/run/docker.sock` is a directory. Outcome: refused with the remedy; nothing changes."""
    made = docker({}, docker_service=FAILED)
    made.module.params.update(socket=str(tmp_path), state="started", enabled=None)
    configure: Callable[[], Any] = lambda: pytest.fail("nothing may be changed")  # noqa: E731
    with pytest.raises(units.ServiceError, match=f"{tmp_path} is a directory.* rmdir {tmp_path}. Nothing was changed"):
        service.run(made.module, configure)
