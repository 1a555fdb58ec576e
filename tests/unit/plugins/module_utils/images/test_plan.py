# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.images import built_images
from ansible_collections.slipway.platform.plugins.module_utils.images import plan as image_plan
from ansible_collections.slipway.platform.plugins.module_utils.images.engine_images import CONTENT_LABEL, BuildLog

DIGEST = "sha256:" + "1" * 64


def requested(name: str = "library/app", **options: Any) -> dict[str, Any]:
    return {"name": name, "digest": None, "build": None, "tags": None, **options}


def listed(identity: str, created: int = 1, tags: Any = None, digests: Any = None, key: str = "") -> dict[str, Any]:
    labels = {CONTENT_LABEL: key} if key else None
    return {"Id": identity, "Created": created, "RepoTags": tags, "RepoDigests": digests, "Labels": labels}


def plan(image: dict[str, Any], *inventory: dict[str, Any], keys: dict[str, str] | None = None, **built: str) -> Any:
    return image_plan.make(image_plan.resolve([image]), keys or {}, image_plan.stock(list(inventory), built))[0]


def test_an_image_with_its_digest_and_tags_is_done() -> None:
    wanted = requested(digest=DIGEST, tags=["1"])
    present = listed("a", tags=["app:1"], digests=[f"app@{DIGEST}"])
    assert image_plan.is_done(plan(wanted, present))
    assert not image_plan.is_done(plan(wanted))


def test_a_tag_of_another_image_counts_as_missing() -> None:
    wanted = requested(digest=DIGEST, tags=["1", "2"])
    found = plan(wanted, listed("a", tags=["app:2"], digests=[f"app@{DIGEST}"]), listed("b", tags=["app:1"]))
    assert found.image_id == "a"
    assert found.missing_tags == ["1"]


def test_a_built_image_is_identified_by_the_record_and_not_by_its_label() -> None:
    """Fault: a pulled image carries the label of a built one. Outcome: it is not taken for the built one, which is
    built.

    A pulled image, or one built FROM another, may have any label and date.
    """
    wanted, keys = requested(build="/opt/app"), {"/opt/app": "k"}
    pulled, ours = listed("pulled", 0, tags=["app:latest"], key="k"), listed("ours", 1, key="k")
    assert plan(wanted, pulled, keys=keys).image_id is None
    assert plan(wanted, pulled, keys=keys, k="ours").image_id is None, "the built image was removed"
    found = plan(wanted, pulled, ours, keys=keys, k="ours")
    assert found.image_id == "ours"
    assert found.missing_tags == ["latest"]
    assert plan(wanted, pulled, ours, keys={"/opt/app": "other"}, k="ours").image_id is None


def test_the_record_persists_and_a_damaged_one_is_empty(tmp_path: Path) -> None:
    record = tmp_path / "slipway/built.json"
    assert built_images.read(str(record)) == {}
    built_images.add("k", "one", str(record))
    built_images.add("other", "two", str(record))
    built_images.add("k", "three", str(record))
    assert built_images.read(str(record)) == {"k": "three", "other": "two"}
    assert record.stat().st_mode & 0o777 == 0o644
    for damaged in ("", "{", "[]", "null", "[" * 100_000):
        record.write_text(damaged)
        assert built_images.read(str(record)) == {}


def test_a_tag_listed_for_two_images_is_rejected_in_any_spelling() -> None:
    images = [requested(digest=DIGEST, tags=["latest"]), requested("docker.io/library/app", build="/opt/app")]
    with pytest.raises(image_plan.RequestError, match="app:latest is listed twice"):
        image_plan.resolve(images)


def test_a_built_image_without_a_tag_is_rejected() -> None:
    with pytest.raises(image_plan.RequestError, match="has an empty list of tags"):
        image_plan.resolve([requested(build="/opt/app", tags=[])])


def test_a_relative_folder_is_rejected() -> None:
    with pytest.raises(image_plan.RequestError, match="tools of library/app is not an absolute path"):
        image_plan.resolve([requested(build="tools")])


def test_the_diff_shows_only_what_changes() -> None:
    items = image_plan.resolve([requested(digest=DIGEST, tags=["1"]), requested("done", digest=DIGEST)])
    available = image_plan.stock([listed("b", tags=["app:1"], digests=[f"done@{DIGEST}"])], {})
    shown = image_plan.difference(image_plan.make(items, {}, available), available)
    assert shown == {"before": "app:1 b\n", "after": f"app@{DIGEST} pulled\napp:1 pulled\n"}


def test_a_failed_build_is_reported_with_its_instruction_and_last_twenty_lines() -> None:
    log = BuildLog()
    log.add("Step 1/2 : FROM scratch\n")
    log.add("Step 2/2 : RUN make \\\n  all\n")
    for number in range(30):
        log.add(f"\x1b[91mline {number}")
        log.add("\n\x1b[0m")
    log.add(" ---> Removed intermediate container 6f63a7f043e5\nRemoving intermediate container 6f63a7f043e5\n")
    error = log.error("app", "/opt/app", "code: 3")
    assert "failed at 'RUN make" in str(error)
    assert error.details.splitlines() == [f"line {number}" for number in range(10, 30)]
