# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

from ansible_collections.slipway.platform.plugins.module_utils.ami_state import problems

KEY = {"key_state": "Enabled", "key_manager": "CUSTOMER", "aliases": []}
INSTANCE = {"state": {"name": "stopped", "code": 80}}


def asked(**wanted: Any) -> dict[str, Any]:
    request = {"region": "a", "regions": ["b"], "backup_region": "c", "source": "i-1", "name": "web", "accounts": ["1"]}
    return {**request, **wanted}


def made(image: str, origin: str, state: str = "available") -> list[dict[str, Any]]:
    return [{"image_id": image, "description": f"Docker [from {origin}]", "state": state}]


def judge(request: dict[str, Any], source: Any, images: Any, keys: Any = ()) -> list[str]:
    sentences: list[str] = problems(request, ["a", "b", "c"], source, images, keys)
    return sentences


def test_what_an_interrupted_run_has_left_is_gone_on_with_even_without_its_source() -> None:
    assert judge(asked(), None, {"a": made("ami-h", "i-1", "pending"), "b": made("ami-c", "ami-h")}) == []


def test_a_copy_of_an_image_that_was_made_again_is_another_image() -> None:
    (sentence,) = judge(asked(), INSTANCE, {"a": made("ami-new", "i-1"), "b": made("ami-c", "ami-h")})
    assert "ami-c in b is called web already, and was not made from ami-new" in sentence
    assert judge(asked(), INSTANCE, {"a": [], "b": made("ami-c", "ami-h")})


def test_an_image_that_failed_is_named_with_the_remedy() -> None:
    (sentence,) = judge(asked(), INSTANCE, {"a": made("ami-h", "i-1", "failed")})
    assert sentence == "image ami-h in a is failed: deregister it, and run the play again"


def test_the_key_of_aws_is_refused_for_what_is_shared_and_for_nothing_else() -> None:
    of_aws = {**KEY, "key_manager": "AWS"}
    shared = {"item": ["b", "key"], "kms_keys": [of_aws]}
    backup = {"item": ["c", "key"], "kms_keys": [of_aws]}
    assert "cannot be shared" in judge(asked(), INSTANCE, {}, [shared])[0]
    assert judge(asked(accounts=[]), INSTANCE, {}, [shared]) == judge(asked(), INSTANCE, {}, [backup]) == []


def test_a_snapshot_in_the_making_and_an_image_of_another_name_are_refused() -> None:
    assert "is pending" in judge(asked(source="snap-1"), {"state": "pending"}, {})[0]
    other = {"image_id": "ami-1", "name": "else", "state": "available"}
    assert "set ami_publish_name to that" in judge(asked(source="ami-1"), other, {"a": [other]})[0]
