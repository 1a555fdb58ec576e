# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import ami_restore
from hypothesis import given, settings
from hypothesis import strategies as st

ACCOUNT, STRANGER = "111122223333", "444455556666"
SOURCE = "ami-0123456789abcdef0"
REQUEST: dict[str, Any] = {
    "region": "eu-west-1",
    "family": "docker-el9",
    "image": "",
    "snapshot": "",
    "map_file": "",
    "map": None,
    "manifest": "",
    "manifest_digest": None,
    "root_device": "/dev/xvda",
    "parameter": "/slipway/ami/restored/docker-el9",
    "size": 2,
    "max_size": 4,
    "timeout": 30,
    "fleet_variables": [],
}


def backup(name: str, image: str = "docker-el9-2", day: int = 1, disk: str = "snap-1", **others: Any) -> dict[str, Any]:
    tags = {
        "slipway:family": "docker-el9",
        "slipway:image": image,
        "slipway:source": SOURCE,
        "slipway:backup-of": disk,
    }
    return {
        "snapshot_id": name,
        "owner_id": ACCOUNT,
        "state": "completed",
        "encrypted": True,
        "start_time": f"2026-11-0{day}T00:00:00+00:00",
        "tags": tags,
        **others,
    }


def test_valid_settings_have_no_problem() -> None:
    assert ami_restore.problems(REQUEST) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"region": ""}, "ami_restore_region is empty"),
        ({"family": "docker el9"}, "ami_restore_family 'docker el9' is invalid"),
        ({"snapshot": "ami-01234567"}, "ami_restore_snapshot 'ami-01234567' is malformed"),
        ({"parameter": "restored"}, "ami_restore_parameter 'restored' is not an SSM parameter path"),
        ({"timeout": 0}, "ami_restore_timeout 0 is invalid"),
        ({"size": 0}, "ami_restore_size 0 and ami_restore_max_size 4 are invalid"),
        ({"size": 5}, "ami_restore_size 5 and ami_restore_max_size 4 are invalid"),
        ({"map_file": "none.json"}, "ami_restore_map_file none.json does not exist"),
        ({"map_file": "a.json", "map": "[]"}, "ami_restore_map_file a.json is not a map of images by region"),
        ({"map_file": "a.json", "map": "{"}, "ami_restore_map_file a.json is not a map of images by region"),
        ({"manifest": "none.json"}, "ami_restore_manifest none.json does not exist"),
        ({"fleet_variables": ["ami_fleet_region"]}, "ami_fleet_region is set, but the restored fleet gets it from"),
    ],
)
def test_each_invalid_setting_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = ami_restore.problems(REQUEST | wrong)
    assert sentence in problem


def chosen(snapshots: list[Any], **request: str) -> list[str]:
    return [item["snapshot_id"] for item in ami_restore.choice(snapshots, REQUEST | request)]


def test_the_newest_complete_backup_is_chosen_unless_another_one_is_named() -> None:
    snapshots = [
        backup("old", image="docker-el9-1", day=1),
        backup("new", day=3),
        backup("same-disk-before", day=2),
        backup("unfinished", image="docker-el9-3", day=4, state="pending"),
        backup("without-tags", day=5, tags=None),
    ]
    assert chosen(snapshots) == ["new"]
    assert chosen(snapshots, image="docker-el9-1") == ["old"]
    assert chosen(snapshots, snapshot="unfinished") == ["unfinished"]
    assert chosen(snapshots, image="none") == []


def problem(snapshots: list[Any], images: tuple[Any, ...] = (), **wrong: Any) -> str:
    (found,) = ami_restore.state_problems(REQUEST | wrong, snapshots, ACCOUNT, images)
    return str(found)


@pytest.mark.parametrize(
    ("differing", "sentence"),
    [
        ({"owner_id": STRANGER}, f"snapshot snap-0 belongs to account {STRANGER}, which decides what is in it"),
        ({"tags": None}, "snapshot snap-0 lacks the tag slipway:family"),
        ({"tags": backup("x")["tags"] | {"slipway:family": "other"}}, "is of the family other, not of docker-el9"),
        ({"state": "error"}, "snapshot snap-0 is error"),
        ({"encrypted": False}, "snapshot snap-0 is not encrypted"),
    ],
)
def test_a_snapshot_that_is_no_backup_of_this_account_is_one_sentence(differing: dict[str, Any], sentence: str) -> None:
    assert sentence in problem([backup("snap-0", **differing)])


def test_no_backup_and_several_disks_are_one_sentence() -> None:
    assert "no complete backup of docker-el9 exists in eu-west-1" in problem([])
    assert "no complete backup of docker-el9-1 exists" in problem([], image="docker-el9-1")
    assert "snapshot snap-01234567 does not exist in eu-west-1" in problem([], snapshot="snap-01234567")
    disks = [backup("snap-b", disk="snap-2"), backup("snap-a")]
    assert "has 2 disks: set ami_restore_snapshot to the backup of its root, one of snap-a, snap-b" in problem(disks)


def test_the_backup_is_compared_with_what_was_recorded() -> None:
    digest = "0" * 64
    tagged = backup("snap-0")
    tagged["tags"] |= {ami_restore.DIGEST: digest}
    recorded: dict[str, Any] = {"map_file": "map.json", "map": json.dumps({"eu-central-1": SOURCE})}
    recorded |= {"manifest": "manifest.json", "manifest_digest": digest}
    assert ami_restore.state_problems(REQUEST | recorded, [tagged], ACCOUNT, []) == []
    other = recorded | {"map": json.dumps({"eu-central-1": "ami-1"})}
    assert f"was made from {SOURCE}, which map.json does not name" in problem([tagged], **other)
    other = recorded | {"manifest_digest": "1" * 64}
    assert "it is the manifest of another image" in problem([tagged], **other)
    assert "has no tag manifest-sha256 to compare with manifest.json" in problem([backup("snap-0")], **recorded)


def test_an_image_that_could_not_be_restored_is_to_be_deregistered() -> None:
    assert "image ami-1 in eu-west-1 is in state failed: deregister it" in problem(
        [backup("snap-0")], ({"image_id": "ami-1", "state": "failed"}, {"image_id": "ami-2", "state": "available"})
    )


ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(REQUEST) - {"map", "manifest_digest", "fleet_variables"})), ANYTHING))
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    for sentence in ami_restore.problems(REQUEST | differing):
        assert sentence
