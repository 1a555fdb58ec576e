# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Facts about the machine, from what its kernel and rpm say."""

import time

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.report import bounded, machine

BOOTED = 1_790_000_000


def test_a_container_was_booted_when_its_first_process_began() -> None:
    process = "1 (sys temd) ) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4200 1 1"
    assert machine.booted_at(f"cpu 1\nbtime {BOOTED}\n", process) == BOOTED + 42


def test_a_kernel_that_does_not_tell_is_an_answer_of_its_own() -> None:
    with pytest.raises(bounded.UnansweredError, match="does not tell when"):
        machine.booted_at("cpu 1 2 3\n", "")


def test_this_machine_was_booted_before_now() -> None:
    assert 0 < machine.booted_at() < time.time()


def test_packages_that_are_newer_than_the_boot_need_a_reboot() -> None:
    output = (
        f"package linux-firmware is not installed\nglibc\t{BOOTED + 5}\t2.34-1.x86_64\n"
        f"systemd\t{BOOTED - 5}\t252-1.x86_64\nkernel-core\t{BOOTED - 9}\t5.14-1.x86_64\n"
        f"kernel-core\t{BOOTED + 9}\t5.14-2.x86_64\n"
    )
    found = machine.judge_packages(output, BOOTED, "5.14-1.x86_64")
    assert found == {"running": "5.14-1.x86_64", "newest": "5.14-2.x86_64", "updated": ["glibc", "kernel-core"]}


def test_a_host_without_rpm_s_answers_needs_none() -> None:
    assert machine.judge_packages("package glibc is not installed\n", BOOTED, "6.1")["updated"] == []


def test_each_disk_is_told_once_with_its_inodes() -> None:
    found = machine.disks(bounded.Deadline(5), {})
    assert found
    assert len({disk["path"] for disk in found}) == len(found)
    assert all(0 <= disk["free"] <= disk["bytes"] and disk["free_inodes"] <= disk["inodes"] for disk in found)
    assert any(disk["engine"] for disk in found)


def test_only_root_tells_of_a_last_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every user of a host may log by the name of a module."""
    monkeypatch.setattr(machine.glob, "glob", lambda pattern: [pattern])
    monkeypatch.setattr(machine, "output_of", lambda command, deadline: "7.5 host" if "_UID=0" in command else "9.5")
    assert machine.last_run(bounded.Deadline(5), {}) == 7
