# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a host says of its files, and of its hardening: audit and modes."""

import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import selinux
from ansible_collections.slipway.platform.plugins.module_utils.engine import audit_rules, strict_modes
from ansible_collections.slipway.platform.plugins.module_utils.report import bounded, engine_facts

DEADLINE = bounded.Deadline(60)
WANTED = {"options": {}, "audit_rules": True, "strict_modes": True}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with the rules of audit as site.yml writes them, and a file of the engine; auditd does not run."""
    for name in ("PROGRAM", "RULES", "PID_FILE"):
        monkeypatch.setattr(audit_rules, name, str(tmp_path / name))
    monkeypatch.setattr(strict_modes, "LIMITS", ((str(tmp_path / "daemon.json"), 0o644),))
    (tmp_path / "PROGRAM").touch()
    (tmp_path / "RULES").write_text(audit_rules.render("/var/lib/docker"))
    (tmp_path / "RULES").chmod(0o600)
    (tmp_path / "daemon.json").touch(mode=0o644)
    return tmp_path


def test_a_host_that_need_not_be_hardened_is_not_looked_at() -> None:
    assert engine_facts.hardening(DEADLINE, {**WANTED, "audit_rules": False, "strict_modes": False}) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="files must be root's")
def test_a_hardened_host_lacks_nothing(host: Path) -> None:
    assert engine_facts.hardening(DEADLINE, WANTED) == {"loose": [], "unaudited": [], "audit_runs": False}


def test_what_is_not_as_wanted_is_named(host: Path) -> None:
    (host / "daemon.json").chmod(0o666)
    (host / "RULES").write_text("")
    found = engine_facts.hardening(DEADLINE, WANTED)
    assert found["loose"] == [str(host / "daemon.json")]
    assert found["unaudited"] == [f"{host}/RULES is not as site.yml writes it"]
    (host / "PROGRAM").unlink()
    assert engine_facts.hardening(DEADLINE, WANTED)["unaudited"] == ["the package audit is not installed"]


def test_only_what_is_wanted_is_judged(host: Path) -> None:
    (host / "daemon.json").chmod(0o666)
    (host / "RULES").unlink()
    assert engine_facts.hardening(DEADLINE, {**WANTED, "strict_modes": False})["loose"] == []
    modes = engine_facts.hardening(DEADLINE, {**WANTED, "audit_rules": False})
    assert (modes["unaudited"], modes["audit_runs"]) == ([], True)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_an_option_that_site_leaves_out_is_no_drift(
    is_enabled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hardened profile sets selinux-enabled, and a host without SELinux gets a daemon.json without it."""
    monkeypatch.setattr(selinux, "is_enabled", lambda system: is_enabled)
    wanted = tmp_path / "daemon.json"
    wanted.write_text("{}\n")
    options = {"options": {"selinux-enabled": True}, "prune": {}, "proxy": {}, "dockerd": "/usr/bin/dockerd"}
    files = {name: str(tmp_path / name) for name in ("dropin", "containerd_dropin", "proxy_env")}
    found = engine_facts.drift(DEADLINE, {**options, **files, "path": str(wanted)})
    assert ("selinux-enabled" in found["options"]) == is_enabled
    assert (str(wanted) in found["files"]) == is_enabled
