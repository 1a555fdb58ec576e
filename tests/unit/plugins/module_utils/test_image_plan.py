# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import image_plan
from ansible_collections.slipway.platform.plugins.module_utils.engine_images import CONTENT_LABEL, BuildLog

DIGEST = "sha256:" + "1" * 64


def asked(name: str = "library/app", **options: Any) -> dict[str, Any]:
    return {"name": name, "digest": None, "build": None, "tags": None, **options}


def listed(identity: str, created: int = 1, tags: Any = None, digests: Any = None, key: str = "") -> dict[str, Any]:
    labels = {CONTENT_LABEL: key} if key else None
    return {"Id": identity, "Created": created, "RepoTags": tags, "RepoDigests": digests, "Labels": labels}


def plan(image: dict[str, Any], *inventory: dict[str, Any], keys: dict[str, str] | None = None) -> Any:
    return image_plan.make(image_plan.resolve([image]), keys or {}, image_plan.stock(list(inventory)))[0]


def test_an_image_is_there_by_its_digest_with_its_tags() -> None:
    wanted = asked(digest=DIGEST, tags=["1"])
    there = listed("a", tags=["app:1"], digests=[f"app@{DIGEST}"])
    assert image_plan.is_done(plan(wanted, there))
    assert not image_plan.is_done(plan(wanted))


def test_a_tag_of_another_image_is_missing() -> None:
    wanted = asked(digest=DIGEST, tags=["1", "2"])
    found = plan(wanted, listed("a", tags=["app:2"], digests=[f"app@{DIGEST}"]), listed("b", tags=["app:1"]))
    assert found.image_id == "a"
    assert found.missing_tags == ["1"]


def test_a_built_image_is_known_by_its_key_and_not_mistaken_for_what_others_made_of_it() -> None:
    wanted, keys = asked(build="/opt/app"), {"/opt/app": "k"}
    derived, ours = listed("derived", 2, tags=["app:latest"], key="k"), listed("ours", 1, key="k")
    found = plan(wanted, derived, ours, keys=keys)
    assert found.image_id == "ours"
    assert found.missing_tags == ["latest"]
    assert plan(wanted, derived, ours, keys={"/opt/app": "other"}).image_id is None


def test_one_tag_for_two_images_is_refused_however_they_are_spelled() -> None:
    images = [asked(digest=DIGEST, tags=["latest"]), asked("docker.io/library/app", build="/opt/app")]
    with pytest.raises(image_plan.RequestError, match="app:latest is listed twice"):
        image_plan.resolve(images)


def test_a_built_image_that_nobody_would_find_is_refused() -> None:
    with pytest.raises(image_plan.RequestError, match="has no tag"):
        image_plan.resolve([asked(build="/opt/app", tags=[])])


def test_a_folder_that_depends_on_where_one_stands_is_refused() -> None:
    with pytest.raises(image_plan.RequestError, match="tools of library/app is not an absolute path"):
        image_plan.resolve([asked(build="tools")])


def test_the_difference_shows_what_changes_and_nothing_else() -> None:
    items = image_plan.resolve([asked(digest=DIGEST, tags=["1"]), asked("done", digest=DIGEST)])
    available = image_plan.stock([listed("b", tags=["app:1"], digests=[f"done@{DIGEST}"])])
    shown = image_plan.difference(image_plan.make(items, {}, available), available)
    assert shown == {"before": "app:1 b\n", "after": f"app@{DIGEST} pulled\napp:1 pulled\n"}


def test_a_failed_build_shows_its_instruction_and_its_last_twenty_lines() -> None:
    log = BuildLog()
    log.add("Step 1/2 : FROM scratch\n")
    log.add("Step 2/2 : RUN make \\\n  all\n")
    for number in range(30):
        log.add(f"\x1b[91mline {number}")
        log.add("\n\x1b[0m")
    log.add(" ---> Removed intermediate container 6f63a7f043e5\nRemoving intermediate container 6f63a7f043e5\n")
    error = log.error("app", "/opt/app", "code: 3")
    assert "fails at 'RUN make" in str(error)
    assert error.details.splitlines() == [f"line {number}" for number in range(10, 30)]
