# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.firewall import engine_options
from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"userland-proxy": False}, None),
        ({"userland-proxy": False, "iptables": True}, None),
        ({}, "userland-proxy: false"),
        ({"userland-proxy": True}, "userland-proxy: false"),
        ({"userland-proxy": False, "iptables": False}, "set docker_firewall_state: absent"),
        ({"iptables": False}, "remove iptables"),
    ],
)
def test_options_that_lead_packets_past_the_rules_are_named(options: dict[str, Any], words: str | None) -> None:
    """Fault: the engine has iptables: false, or its userland proxy. Outcome: refused with the remedy."""
    found = engine_options.problems(options)
    assert [words in sentence for sentence in found] == ([True] if words else [])


def test_the_playbook_counts_more_than_daemon_json_and_that_more_than_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, file = tmp_path / "docker.service", tmp_path / "daemon.json"
    monkeypatch.setattr(unit_files, "DIRECTORIES", (str(tmp_path),))
    monkeypatch.setattr(daemon_json, "PATH", str(file))
    assert engine_options.effective({}) == {}

    unit.write_text("[Service]\nExecStart=/usr/bin/dockerd --userland-proxy=false --iptables=false\n")
    assert engine_options.effective({}) == {"userland-proxy": False, "iptables": False}
    file.write_text('{"iptables": true}')
    assert engine_options.effective({}) == {"userland-proxy": False, "iptables": True}
    assert engine_options.effective({"userland-proxy": True})["userland-proxy"] is True

    for spelling in ("0", "f", "F", "FALSE", "False"):
        unit.write_text(f"[Service]\nExecStart=/usr/bin/dockerd --userland-proxy={spelling}\n")
        assert engine_options.effective({})["userland-proxy"] is False
    unit.write_text("[Service]\nExecStart=/usr/bin/dockerd --userland-proxy\n")
    assert engine_options.effective({})["userland-proxy"] is True


def test_what_the_playbook_removes_does_not_count_although_daemon_json_still_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a dry run of userland-proxy: null, which must fail as the run will."""
    monkeypatch.setattr(unit_files, "DIRECTORIES", (str(tmp_path),))
    monkeypatch.setattr(daemon_json, "PATH", str(tmp_path / "daemon.json"))
    (tmp_path / "daemon.json").write_text('{"userland-proxy": false, "debug": true}')
    assert engine_options.problems(engine_options.effective({})) == []
    (problem,) = engine_options.problems(engine_options.effective({"userland-proxy": None}))
    assert "userland proxy is on" in problem


@pytest.mark.parametrize(
    ("text", "is_strict"),
    [
        ("StrictForwardPorts=yes\n", True),
        ("DefaultZone=public\n StrictForwardPorts = Yes \n", True),
        ("StrictForwardPorts=no\n", False),
        ("# StrictForwardPorts=yes\n", False),
        (None, False),
    ],
)
def test_strict_forward_ports_of_firewalld_are_warned_of(tmp_path: Path, text: str | None, is_strict: bool) -> None:
    path = tmp_path / "firewalld.conf"
    if text:
        path.write_text(text)
    assert bool(engine_options.warnings(str(path))) is is_strict
