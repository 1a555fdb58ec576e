# SPDX-License-Identifier: Apache-2.0
"""User data: cloud-init takes them, and no secret is in them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import cloud_init, play
from slipway.lab.lab import Lab
from slipway.lab.paths import PROJECT

PLAYBOOK = PROJECT / "playbooks/user_data.yml"
FIRSTBOOT = {"wait_for": ["registry.example.com:443"], "pull_checkout": "release/v1.4"}


def write(path: Path, **variables: Any) -> play.Run:
    inventory = path.with_name("hosts")
    inventory.write_text("localhost\n")
    return play.run(PLAYBOOK, inventory, {"user_data_path": str(path), **variables})


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {
            "user_data_hostname": "web-1",
            "user_data_firstboot": FIRSTBOOT,
            "user_data_cloud_config": {"timezone": "Europe/Berlin", "ntp": {"servers": ["10.0.0.1"]}},
        },
    ],
    ids=["the defaults", "everything"],
)
def test_cloud_init_takes_them_and_a_second_run_changes_nothing(
    lab: Lab, tmp_path: Path, variables: dict[str, Any]
) -> None:
    path = tmp_path / "user-data.yml"
    assert write(path, **variables).changed("localhost") != []
    assert cloud_init.check(lab.client, path) == ""
    data = yaml.safe_load(path.read_text())
    (file,) = data["write_files"]
    assert yaml.safe_load(file["content"]) == variables.get("user_data_firstboot", {})
    assert data.get("timezone") == variables.get("user_data_cloud_config", {}).get("timezone")
    again = write(path, **variables)
    assert (again.status, again.changed("localhost")) == (0, [])


def test_a_schema_that_takes_anything_proves_nothing(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "user-data.yml").write_text("#cloud-config\nruncmd: true\n")
    assert "runcmd" in cloud_init.check(lab.client, tmp_path / "user-data.yml")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"user_data_cloud_config": {"users": [{"passwd": "kept-nowhere"}]}}, "would contain a value for passwd"),
        ({"user_data_cloud_config": {"runcmd": ["kept-nowhere"]}}, "has runcmd, which this role writes itself"),
        ({"user_data_path": ""}, "user_data_path is empty"),
        (
            {"user_data_firstboot": {"pull_checkout": 'v1" kept-nowhere'}},
            "pull_checkout in user_data_firstboot is not a branch",
        ),
    ],
)
def test_what_must_not_be_in_them_is_refused(tmp_path: Path, variables: dict[str, Any], sentence: str) -> None:
    """Fault: user data with a secret, or with values that could be more than a name. Outcome: refused; no change."""
    refused = write(tmp_path / "user-data.yml", **variables)
    assert sentence in refused.failure("localhost")
    assert "Nothing was changed" in refused.failure("localhost")
    assert "kept-nowhere" not in refused.failure("localhost")
    assert not (tmp_path / "user-data.yml").exists()


def test_all_mistakes_are_named_in_one_message(tmp_path: Path) -> None:
    config = {"users": [{"passwd": "kept-nowhere"}], "runcmd": ["kept-nowhere"]}
    refused = write(
        tmp_path / "user-data.yml",
        user_data_path="",
        user_data_cloud_config=config,
        user_data_firstboot={"pull_checkout": "a b", "pull_playbook": "/site.yml"},
    )
    message = refused.failure("localhost")
    for sentence in (
        "user_data_path is empty",
        "user_data_cloud_config has runcmd",
        "pull_checkout in user_data_firstboot is not",
        "pull_playbook in user_data_firstboot is not",
        "would contain a value for passwd",
    ):
        assert sentence in message
