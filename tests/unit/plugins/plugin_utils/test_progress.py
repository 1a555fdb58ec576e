# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the callback shows of a run, and what it keeps."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import progress, run_record


def run_of(*names: str, **estimates: float) -> progress.Run:
    run = progress.Run(0, estimates)
    run.expect(names, 0)
    return run


def test_a_phase_is_said_once_for_each_host() -> None:
    run = run_of("web-1")
    assert run.start("web-1", "slipway.platform.docker_engine : Daemon | Write daemon.json", 1) == "web-1: Daemon"
    assert run.start("web-1", "slipway.platform.docker_engine : Daemon | Start", 2) is None
    assert run.start("web-1", "Access | Manage the group", 3) == "web-1: Access"


def test_a_task_is_named_with_its_role() -> None:
    assert progress.title_of("slipway.platform.docker_engine : Daemon | Start") == "docker_engine: Daemon | Start"
    assert progress.title_of("Daemon | Start\n") == "Daemon | Start"


def test_failures_of_one_cause_are_one_line() -> None:
    run = run_of(*(f"web-{number}" for number in range(1, 15)))
    for number in range(1, 15):
        line = run.fail(f"web-{number}", "Repository | Write", f"web-{number}: port 84{number} is closed", 1)
    assert line == "web-14: failed: Repository | Write: the same as web-1"
    run.fail("web-3", "Daemon | Start", "no such option", 2)
    found = [text for text in run.summary(65) if text.startswith("failed")]
    assert found == [
        "failed: the same on 14 hosts (web-1, web-2, web-3, web-4 and 10 more): Repository | Write: "
        "web-1: port 841 is closed",
        "failed: web-3: Daemon | Start: no such option",
    ]


@pytest.mark.parametrize("tasks", [0, 1, 5, 6, 40])
def test_changes_take_at_most_five_lines(tasks: int) -> None:
    run = run_of("a", "b")
    for number in range(tasks):
        run.finish("a", f"Task {number:02d}", True, 1)
    run.finish("b", "Task 00", tasks > 0, 1)
    lines = [line for line in run.summary(2) if line.startswith("changed")]
    assert len(lines) == min(tasks, 5)
    if tasks:
        assert lines[0] == "changed: Task 00: a, b"
    if tasks > 5:
        assert lines[-1] == f"changed: {tasks - 4} other tasks: a"


def test_the_last_line_counts_the_hosts_but_not_the_controller() -> None:
    run = run_of("a", "b", "c", "d", "localhost")
    run.finish("a", "T", True, 1)
    run.fail("b", "T", "why", 1)
    run.fail("c", "T", "gone", 1, unreachable=True)
    assert run.summary(3725)[-1] == "4 hosts in 1:02:05: 1 unchanged, 1 changed, 1 failed, 1 unreachable"


def test_a_failure_that_was_rescued_is_none() -> None:
    run = run_of("a")
    run.fail("a", "T", "why", 1)
    run.start("a", "Go on", 1)
    assert "a " in "".join(run.screen(1, 20, 80)[1:])
    run.end("a", False, False)
    assert run.summary(2) == ["1 host in 0:02: 1 unchanged"]


def test_a_failure_stays_one_although_other_tasks_follow() -> None:
    run = run_of("a")
    run.fail("a", "T", "why", 1)
    run.start("a", "Always", 2)
    run.end("a", True, False)
    assert run.summary(2) == ["failed: a: T: why", "1 host in 0:02: 1 failed"]


def test_a_terminal_shows_the_hosts_that_fit_with_estimates() -> None:
    run = run_of(*(f"web-{number}" for number in range(1, 51)), **{"web-1": 70.0})
    run.start("web-1", "Daemon | Write", 1)
    lines = run.screen(42, 12, 80)
    assert lines[0] == "50 hosts, 0:42"
    assert lines[1].split() == ["web-1", "Daemon", "0:42", "of", "about", "1:10"]
    assert len(lines) == 10
    assert lines[-1] == "  and 42 more hosts"
    assert all(len(line) < 80 for line in lines)
    alone = run_of("web-1", **{"web-1": 70.0})
    assert alone.screen(42, 12, 80)[0] == "1 host, 0:42 of about 1:10"


def test_a_message_cannot_control_the_terminal() -> None:
    run = run_of("a")
    assert run.fail("a", "T", "\x1b[2Jgone\r\n\x07bell\x9b1m", 1) == "a: failed: T: [2Jgone bell 1m"


def test_the_record_gives_estimates_and_last_runs(tmp_path: Path) -> None:
    path = run_record.path_of(str(tmp_path / "home"))
    last = {"web-1": {"at": 7, "playbook": "site.yml", "commit": "abc", "result": "ok"}}
    run_record.add(path, "/p/site.yml", {"web-1": 3.5, "web-2": 4}, last)
    run_record.add(path, "/p/site.yml", {"web-1": 4.5}, {})
    assert run_record.estimates(path, "/p/site.yml") == {"web-1": 4.5, "web-2": 4}
    assert run_record.estimates(path, "/p/other.yml") == {}
    assert run_record.read(path) == last
    assert list(Path(path).parent.iterdir()) == [Path(path)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "hosts": 7, "playbooks": {"p": 1}}'])
def test_a_record_that_cannot_be_used_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = run_record.path_of(str(tmp_path))
    Path(path).parent.mkdir()
    Path(path).write_text(text)
    assert run_record.read(path) == {}
    assert run_record.estimates(path, "p") == {}
    run_record.add(path, "q", {"a": 1}, {})
    assert run_record.estimates(path, "q") == {"a": 1}


def test_a_record_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "slipway").write_text("a file")
    run_record.add(run_record.path_of(str(tmp_path)), "p", {"a": 1}, {})


def test_a_diff_cannot_control_the_terminal() -> None:
    """It shows files that a user of the host has written."""
    diff = [{"before": "a\tb\n\x1b[2Jc\r\n", "after": {"key": "\x9b"}, "before_header": "/home/x\x07"}, None]
    assert progress.harmless(diff) == [
        {"before": "a\tb\n\ufffd[2Jc\ufffd\n", "after": {"key": "\ufffd"}, "before_header": "/home/x\ufffd"},
        None,
    ]
