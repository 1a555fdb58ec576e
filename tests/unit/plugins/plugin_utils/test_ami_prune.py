# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.slipway.platform.plugins.plugin_utils import ami_prune

NOW = datetime(2026, 8, 1, tzinfo=UTC)
POLICY = {"family": "docker", "keep": 1, "days": 30, "backup_keep": 1}


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def image(name: str, days: int, snapshot: str = "", **other: Any) -> dict[str, Any]:
    disks = [{"device_name": "/dev/xvda", "ebs": {"snapshot_id": snapshot or f"snap-{name}"}}, {"virtual_name": "e0"}]
    made = {"image_id": f"ami-{name}", "name": name, "state": "available", "creation_date": ago(days)}
    return {**made, "tags": {"slipway:family": "docker"}, "block_device_mappings": disks, **other}


def snapshot(name: str, days: int, state: str = "completed", **tags: str) -> dict[str, Any]:
    given = {"slipway:family": "docker", **{f"slipway:{key.replace('_', '-')}": value for key, value in tags.items()}}
    return {"snapshot_id": name, "state": state, "start_time": ago(days), "tags": given}


def plan(images: list[Any], snapshots: list[Any], **policy: int) -> dict[str, list[str]]:
    made = ami_prune.plan_of_region({"images": images, "snapshots": snapshots}, {}, POLICY | policy, NOW)
    return {kind: [item["id"] for item in items] for kind, items in made.items()}


def test_an_image_of_another_family_or_of_none_is_never_deleted() -> None:
    others = [image("other", 99, tags={"slipway:family": "web"}), image("nobody", 99, tags={})]
    assert plan(others, []) == {"images": [], "kept": [], "snapshots": []}


def test_an_image_is_deleted_when_it_is_old_and_complete_and_not_the_newest() -> None:
    images = [image("older", 40), image("old", 50), image("pending", 60, state="pending"), image("young", 29)]
    assert plan(images, []) == {
        "images": ["ami-older", "ami-old"],
        "kept": ["ami-young", "ami-pending"],
        "snapshots": ["snap-older", "snap-old"],
    }


def test_an_image_in_use_is_kept_with_the_name_of_its_user() -> None:
    own = {"images": [image("new", 1), image("old", 50)], "snapshots": []}
    found = ami_prune.plan_of_region(own, {"ami-old": "the instance i-1"}, POLICY, NOW)
    assert (found["images"], found["snapshots"]) == ([], [])
    assert found["kept"][1]["reason"] == "in use by the instance i-1"


def test_only_an_image_that_can_be_launched_counts_as_one_of_the_newest() -> None:
    images = [image("failed", 40, state="failed"), image("good", 50), image("old", 60)]
    assert plan(images, [])["images"] == ["ami-old"]


def test_a_snapshot_that_another_image_uses_is_kept() -> None:
    images = [image("young", 1), image("old", 50, "shared"), image("web", 99, "shared", tags={})]
    assert plan(images, [snapshot("shared", 50)])["snapshots"] == []


def test_a_snapshot_left_by_an_interrupted_run_is_deleted_when_it_is_old() -> None:
    assert plan([image("young", 1)], [snapshot("left", 50), snapshot("fresh", 5)])["snapshots"] == ["left"]


def test_backups_of_all_snapshots_of_the_newest_images_are_kept() -> None:
    backups = [
        snapshot("a", 40, image="two", backup_of="1"),
        snapshot("b", 41, image="two", backup_of="2"),
        snapshot("c", 90, image="one", backup_of="3"),
    ]
    assert plan([], backups)["snapshots"] == ["c"]


def test_backups_are_deleted_even_if_all_images_are_kept() -> None:
    backups = [snapshot("a", 40, image="two", backup_of="1"), snapshot("b", 90, image="one", backup_of="2")]
    found = plan([image("older", 40), image("old", 50)], [*backups, snapshot("left", 50)], keep=0)
    assert found == {"images": [], "kept": [], "snapshots": ["b"]}


def test_a_backup_from_which_an_image_was_registered_is_kept() -> None:
    backups = [snapshot("a", 40, image="two", backup_of="1"), snapshot("b", 90, image="one", backup_of="2")]
    assert plan([image("restored", 1, "b", tags={})], backups)["snapshots"] == []


def test_a_failed_backup_is_deleted_and_does_not_count() -> None:
    backups = [
        snapshot("a", 40, image="two", backup_of="1", state="error"),
        snapshot("b", 41, image="two", backup_of="1"),
        snapshot("c", 42, image="two", backup_of="1", state="pending"),
    ]
    assert plan([], backups)["snapshots"] == ["a"]


def test_every_version_of_a_launch_template_and_every_parameter_counts_as_a_user() -> None:
    versions = [
        {"version_number": number, "launch_template_data": data}
        for number, data in enumerate([{"image_id": "ami-a"}, {}], 1)
    ]
    used = ami_prune.users(
        [{"image_id": "ami-i", "instance_id": "i-1"}],
        [{"launch_template_name": "web", "versions": versions}],
        [{"image_id": "ami-c", "launch_configuration_name": "old"}],
        {"/site/image": "ami-p"},
    )
    assert {"ami-a", "ami-c", "ami-i", "ami-p"} <= set(used)
    assert used["ami-a"] == "launch template web version 1"
