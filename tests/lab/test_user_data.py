# SPDX-License-Identifier: Apache-2.0
"""User data: cloud-init takes them, and no secret is in them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import cloud_init, play
from slipway.lab.paths import PROJECT

PLAYBOOK = PROJECT / "playbooks/user_data.yml"
FIRSTBOOT = {"wait_for": ["registry.example.com:443"], "pull_checkout": 'v1 "quoted"'}


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
def test_cloud_init_takes_them_and_a_second_run_changes_nothing(tmp_path: Path, variables: dict[str, Any]) -> None:
    path = tmp_path / "user-data.yml"
    assert write(path, **variables).changed("localhost") != []
    assert cloud_init.check(path) == ""
    data = yaml.safe_load(path.read_text())
    (file,) = data["write_files"]
    assert yaml.safe_load(file["content"]) == variables.get("user_data_firstboot", {})
    assert data.get("timezone") == variables.get("user_data_cloud_config", {}).get("timezone")
    again = write(path, **variables)
    assert (again.status, again.changed("localhost")) == (0, [])


def test_a_schema_that_takes_anything_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "user-data.yml").write_text("#cloud-config\nruncmd: true\n")
    assert "runcmd" in cloud_init.check(tmp_path / "user-data.yml")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"user_data_cloud_config": {"users": [{"passwd": "kept-nowhere"}]}}, "would hold a value for passwd"),
        ({"user_data_cloud_config": {"runcmd": ["kept-nowhere"]}}, "has runcmd, which this role writes itself"),
        ({"user_data_path": ""}, "names no file"),
    ],
)
def test_what_must_not_be_in_them_is_refused(tmp_path: Path, variables: dict[str, Any], sentence: str) -> None:
    refused = write(tmp_path / "user-data.yml", **variables)
    assert sentence in refused.failure("localhost")
    assert "Nothing was changed" in refused.failure("localhost")
    assert "kept-nowhere" not in refused.failure("localhost")
    assert not (tmp_path / "user-data.yml").exists()
