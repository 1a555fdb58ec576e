# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from datetime import UTC, datetime

from ansible_collections.slipway.platform.plugins.plugin_utils.ami_bases import stale

NOW = datetime(2026, 8, 1, tzinfo=UTC)
OLD = {"image_id": "ami-old", "creation_date": "2026-06-01T00:00:00.000Z"}
NEW = {"image_id": "ami-new", "creation_date": "2026-07-20T00:00:00.000Z"}


def on(base: str) -> list[dict[str, object]]:
    return [{"image_id": "ami-1", "name": "docker", "tags": {"slipway:base": base} if base else {}}]


def test_a_base_is_stale_when_it_is_old_gone_superseded_or_unknown() -> None:
    assert stale(on("ami-old"), [OLD], 30, now=NOW) == ["docker (ami-1) is based on ami-old, which is 61 days old"]
    assert stale(on("ami-gone"), [OLD], 30, now=NOW) == [
        "docker (ami-1) is based on ami-gone, which is gone or deprecated by its owner"
    ]
    assert stale(on("ami-old"), [OLD], 90, NEW, NOW) == [
        "docker (ami-1) is based on ami-old, which is superseded by ami-new"
    ]
    assert "has no recorded base" in stale(on(""), [], 30, now=NOW)[0]


def test_a_recent_and_newest_base_is_not_stale() -> None:
    assert stale(on("ami-new"), [NEW], 30, OLD, NOW) == []
