# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils.host import owned_groups


def test_an_existing_group_is_not_claimed(tmp_path: Path) -> None:
    record = str(tmp_path / "groups")
    owned_groups.claim("root", record)
    assert owned_groups.recorded(record) == []


def test_a_missing_group_is_claimed_once(tmp_path: Path) -> None:
    record = str(tmp_path / "slipway/groups")
    for name in ("nosuchgroup2", "nosuchgroup1", "nosuchgroup2"):
        owned_groups.claim(name, record)
    assert owned_groups.recorded(record) == ["nosuchgroup1", "nosuchgroup2"]
    assert owned_groups.present(record) == []


def test_forgetting_the_record_twice_is_fine(tmp_path: Path) -> None:
    record = str(tmp_path / "groups")
    owned_groups.claim("nosuchgroup", record)
    owned_groups.forget(record)
    owned_groups.forget(record)
    assert owned_groups.recorded(record) == []
