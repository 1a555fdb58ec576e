# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon.config import DaemonConfigError
from ansible_collections.slipway.platform.plugins.module_utils.engine import audit_rules

ROOT = "/var/lib/docker"
# What auditctl 3 and 4 print for the rules.
LISTED_3 = "-w /usr/bin/dockerd -p rwxa -k docker\n-w /etc/docker/ -p rwxa -k docker\n"
LISTED_4 = "-a always,exit -S all -F path=/usr/bin/dockerd -F perm=rwxa -F key=docker\n"


class Module(SimpleNamespace):
    """What the functions use of a module."""

    def __init__(self, **answers: str) -> None:
        super().__init__(check_mode=False, params={"baking": False}, warnings=[], commands=[], answers=answers)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        self.commands.append(command)
        answer = self.answers.get(" ".join(command[1:]), "")
        return (1, "", answer) if answer.startswith("There was an error") else (0, answer, "")


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RULES", "TMPFILES", "PROGRAM", "PID_FILE"):
        monkeypatch.setattr(audit_rules, name, str(tmp_path / name))
    return tmp_path


def test_a_rule_has_the_form_that_auditctl_reads() -> None:
    header, *rules = audit_rules.render(ROOT).splitlines()
    assert header.startswith("# managed by slipway")
    for rule in rules:
        assert re.fullmatch(r"-a always,exit -F (path|dir)=/\S+ -F perm=r?w?x?a -F key=docker", rule)
    assert "-a always,exit -F path=/usr/bin/dockerd -F perm=rwxa -F key=docker" in rules


def test_no_rule_names_a_path_whose_directory_is_missing() -> None:
    """Fault: a rule about a file in a directory that does not exist. Outcome: it is left out, since auditctl would not
    load those after it.
    """
    paths = [path for _, path, _ in audit_rules.watched("/no/such/disk/docker")]
    assert "/no/such/disk/docker" not in paths
    assert "/run/containerd/containerd.sock" in paths, "its directory is made before auditd starts"
    assert ("path", ROOT, "rwa") in audit_rules.watched(ROOT), "what is below changes with every container"


@pytest.mark.parametrize("listed", [LISTED_3, LISTED_4])
def test_a_rule_that_the_kernel_has_is_found_in_either_spelling(listed: str) -> None:
    missing = audit_rules.missing(listed, ROOT)
    assert "/usr/bin/dockerd" not in missing
    assert "/usr/bin/runc" in missing
    assert ("/etc/docker" in missing) == (listed == LISTED_4)


def test_rules_of_somebody_else_are_not_overwritten(etc: Path) -> None:
    """Fault: the rules file was written by somebody else. Outcome: refused with its path; it stays."""
    (etc / "RULES").write_text("-w /usr/bin/dockerd -k mine\n")
    with pytest.raises(DaemonConfigError, match="RULES was not written by this collection"):
        audit_rules.plan(Module(), True, ROOT)
    assert audit_rules.plan(Module(), False, ROOT).changes == []


def test_a_host_without_audit_is_named(etc: Path) -> None:
    """Fault: the package phase was skipped, so the package audit is missing. Outcome: a warning; no file is written."""
    module = Module()
    assert audit_rules.plan(module, True, ROOT) == audit_rules.NOTHING
    assert "install the package audit" in module.warnings[0]


def planned(etc: Path) -> Any:
    (etc / "PROGRAM").touch()
    return audit_rules.plan(Module(), True, ROOT)


@pytest.fixture
def booted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rules.systemd, "is_booted", lambda: True)


def test_without_auditd_the_rules_are_merged_and_a_warning_says_so(etc: Path, booted: None) -> None:
    """Fault: auditd does not run, as in a container. Outcome: the rules are written and merged, and a warning says that
    they are not in force.
    """
    module = Module()
    assert audit_rules.carry_out(module, planned(etc))
    assert module.commands[-1] == [str(etc / "PROGRAM")]
    assert "systemctl enable --now auditd" in module.warnings[0]
    assert (etc / "RULES").stat().st_mode & 0o777 == 0o600
    assert not audit_rules.carry_out(Module(), planned(etc)), "a second run changes nothing"


def test_rules_that_the_kernel_has_lost_are_loaded_again(etc: Path, booted: None) -> None:
    """Fault: the rules were deleted from the kernel (auditctl -D), or a run was killed before it loaded them. Outcome:
    the next run loads them.
    """
    audit_rules.carry_out(Module(), planned(etc))
    (etc / "PID_FILE").write_text("self\n")
    module = Module()
    assert audit_rules.carry_out(module, planned(etc))
    assert module.commands[-1] == [str(etc / "PROGRAM"), "--load"]
    module = Module(**{"-l": audit_rules.render(ROOT)})
    assert not audit_rules.carry_out(module, planned(etc))
    assert module.commands == [["auditctl", "-l"]]
    assert module.warnings == []


def test_locked_rules_wait_for_the_next_boot(etc: Path, booted: None) -> None:
    """Fault: -e 2 has locked the rules of audit. Outcome: they are merged, and a warning names the next boot; until
    then, further runs repeat it, and report no change.
    """
    (etc / "PID_FILE").write_text("self\n")
    for changes in (True, False):
        module = Module(**{"-s": "enabled 2\nfailure 1\n"})
        assert audit_rules.carry_out(module, planned(etc)) is changes
        assert module.commands[-1] == [str(etc / "PROGRAM")]
        assert "at the next boot" in module.warnings[0]


def test_rules_that_the_kernel_refuses_are_named(etc: Path, booted: None) -> None:
    """Fault: a rule of another file is wrong. Outcome: a warning with augenrules' words; the engine runs on."""
    (etc / "PID_FILE").write_text("self\n")
    module = Module(**{"--load": "There was an error in line 7 of /etc/audit/audit.rules"})
    audit_rules.carry_out(module, planned(etc))
    assert "line 7 of /etc/audit/audit.rules" in module.warnings[0]


def test_going_back_removes_the_rules(etc: Path, booted: None) -> None:
    audit_rules.carry_out(Module(), planned(etc))
    (etc / "PID_FILE").write_text("self\n")
    module = Module()
    assert audit_rules.carry_out(module, audit_rules.plan(module, False, ROOT))
    assert not (etc / "RULES").exists()
    assert not (etc / "TMPFILES").exists()
    assert module.commands[-1] == [str(etc / "PROGRAM"), "--load"]
    assert not audit_rules.carry_out(module, audit_rules.plan(module, False, ROOT))
