# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils import owned_groups


def test_a_group_that_is_there_is_somebody_else_s(tmp_path: Path) -> None:
    record = str(tmp_path / "groups")
    owned_groups.claim("root", record)
    assert owned_groups.recorded(record) == []


def test_a_group_that_is_missing_is_going_to_be_ours(tmp_path: Path) -> None:
    record = str(tmp_path / "slipway/groups")
    for name in ("nosuchgroup2", "nosuchgroup1", "nosuchgroup2"):
        owned_groups.claim(name, record)
    assert owned_groups.recorded(record) == ["nosuchgroup1", "nosuchgroup2"]
    assert owned_groups.present(record) == []


def test_a_record_can_be_forgotten_twice(tmp_path: Path) -> None:
    record = str(tmp_path / "groups")
    owned_groups.claim("nosuchgroup", record)
    owned_groups.forget(record)
    owned_groups.forget(record)
    assert owned_groups.recorded(record) == []
