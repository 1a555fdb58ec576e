# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils.rootless import record


def test_a_record_lasts_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = str(tmp_path / "slipway/rootless")
    assert record.load("alice", folder) == record.EMPTY
    record.save("alice", {**record.EMPTY, "linger": True, "subids": [100000, 65536], "data_root": "/d"}, folder)
    assert record.load("alice", folder) == {
        "linger": True,
        "subids": [100000, 65536],
        "pending": False,
        "data_root": "/d",
    }
    assert record.load("bob", folder) == record.EMPTY
    record.forget("alice", folder)
    assert list(tmp_path.iterdir()) == []
