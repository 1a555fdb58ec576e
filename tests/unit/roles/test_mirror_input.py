# SPDX-License-Identifier: Apache-2.0
"""What docker_mirror says of invalid settings and unsuitable hosts; no task reaches a host."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import play

SUITABLE = {"pkg_mgr": "dnf", "service_mgr": "systemd"}


def check(folder: Path, facts: dict[str, str] = SUITABLE, **settings: Any) -> play.Run:
    (folder / "hosts").write_text("mirror\n")
    role = {"name": "slipway.platform.docker_mirror", "tasks_from": "platform"}
    (folder / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "mirror", "gather_facts": False, "tasks": [{"import_role": role}]}])
    )
    variables = {"ansible_facts": facts, **{f"docker_mirror_{name}": value for name, value in settings.items()}}
    return play.run(folder / "play.yml", folder / "hosts", variables)


def test_three_mistakes_are_named_in_one_message_and_valid_settings_are_not(tmp_path: Path) -> None:
    message = check(tmp_path, port=80000, directory="srv mirror", releases={"centos": []}).failure("mirror")
    for sentence in (
        "docker_mirror_port 80000 is invalid: set a port from 1 to 65535.",
        "docker_mirror_directory 'srv mirror' is invalid",
        "docker_mirror_releases {'centos': []} is invalid",
    ):
        assert sentence in message
    assert message.count("is invalid") == 3
    assert message.endswith("Nothing was changed.")


@pytest.mark.parametrize(
    ("facts", "words"),
    [({}, "no facts (gather_facts: true is needed)"), ({"pkg_mgr": "apt", "service_mgr": "systemd"}, "has apt")],
)
def test_an_unsuitable_host_is_rejected(tmp_path: Path, facts: dict[str, str], words: str) -> None:
    message = check(tmp_path, facts).failure("mirror")
    assert words in message
    assert "a mirror needs dnf and systemd" in message


def test_the_defaults_are_valid(tmp_path: Path) -> None:
    run = check(tmp_path)
    assert run.status == 0, run.output
