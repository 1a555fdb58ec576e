# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What hangs, fails or is missing costs its own answer only."""

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.report import bounded


def hang(deadline: bounded.Deadline) -> None:
    bounded.output_of(["sleep", "60"], deadline)


def stuck(deadline: bounded.Deadline) -> None:
    """As a file system that does not answer: nothing ends it."""
    time.sleep(5)


def crash(deadline: bounded.Deadline) -> None:
    raise KeyError("s3cret")


def missing_file(deadline: bounded.Deadline) -> None:
    Path("/nonexistent/file").read_text()


def collect(seconds: float, **collectors: Any) -> dict[str, Any]:
    found: dict[str, Any] = bounded.collect(collectors, bounded.Deadline(seconds))
    return found


def test_facts_are_collected_side_by_side_and_what_hangs_is_given_up() -> None:
    begin = time.monotonic()
    found = collect(0.5, good=lambda deadline: [1], hangs=hang, hangs_too=hang, stuck=stuck)
    assert time.monotonic() - begin < 3
    assert found["good"]["facts"] == [1]
    assert found["good"]["error"] == ""
    assert found["hangs"]["error"] == found["hangs_too"]["error"] == "sleep did not answer within 0.5 seconds"
    assert found["stuck"] == {"facts": None, "error": "no answer within 0.5 seconds", "seconds": 0.5}


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(bounded.UnansweredError):
        bounded.output_of(["sh", "-c", f"sleep 60 & echo $! > {child}; wait"], bounded.Deadline(1))
    limit = time.monotonic() + 10
    while is_running(child.read_text().strip()):
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_an_unexpected_error_is_named_without_its_text() -> None:
    found = collect(5, crash=crash, file=missing_file)
    assert found["crash"]["error"] == "it failed unexpectedly (KeyError)"
    assert found["file"]["error"] == "/nonexistent/file: No such file or directory"


def test_a_command_that_fails_or_is_missing_says_so() -> None:
    with pytest.raises(bounded.UnansweredError, match=r"^sh failed with status 3 \(broken\)$"):
        bounded.output_of(["sh", "-c", "echo broken >&2; exit 3"], bounded.Deadline(5))
    with pytest.raises(bounded.UnansweredError, match=r"^nothing-here cannot be run \(No such file"):
        bounded.output_of(["nothing-here"], bounded.Deadline(5))
    assert bounded.output_of(["sh", "-c", "echo yes; exit 3"], bounded.Deadline(5), any_status=True) == "yes\n"
