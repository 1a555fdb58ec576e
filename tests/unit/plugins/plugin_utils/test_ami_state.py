# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

from ansible_collections.slipway.platform.plugins.plugin_utils.ami_state import problems

KEY = {"key_state": "Enabled", "key_manager": "CUSTOMER", "aliases": []}
INSTANCE = {"state": {"name": "stopped", "code": 80}}


def request(**settings: Any) -> dict[str, Any]:
    usual = {"region": "a", "regions": ["b"], "backup_region": "c", "source": "i-1", "name": "web", "accounts": ["1"]}
    return {**usual, **settings}


def made(image: str, origin: str, state: str = "available") -> list[dict[str, Any]]:
    return [{"image_id": image, "description": f"Docker [from {origin}]", "state": state}]


def check(settings: dict[str, Any], source: Any, images: Any, keys: Any = (), unencrypted: Any = ()) -> list[str]:
    sentences: list[str] = problems(settings, ["a", "b", "c"], source, images, keys, unencrypted)
    return sentences


def test_an_interrupted_publish_resumes_even_without_its_source() -> None:
    assert check(request(), None, {"a": made("ami-h", "i-1", "pending"), "b": made("ami-c", "ami-h")}) == []


def test_a_copy_of_an_earlier_image_is_not_reused() -> None:
    (sentence,) = check(request(), INSTANCE, {"a": made("ami-new", "i-1"), "b": made("ami-c", "ami-h")})
    assert "ami-c in b is already named web, but was not made from ami-new" in sentence
    assert check(request(), INSTANCE, {"a": [], "b": made("ami-c", "ami-h")})


def test_a_failed_image_is_named_with_the_remedy() -> None:
    (sentence,) = check(request(), INSTANCE, {"a": made("ami-h", "i-1", "failed")})
    assert sentence == "image ami-h in a is in state failed: deregister it and run the play again"


def test_an_aws_managed_key_is_rejected_for_shared_images_only() -> None:
    aws_managed = {**KEY, "key_manager": "AWS"}
    shared = {"item": ["b", "key"], "kms_keys": [aws_managed]}
    backup = {"item": ["c", "key"], "kms_keys": [aws_managed]}
    assert "cannot be shared" in check(request(), INSTANCE, {}, [shared])[0]
    assert check(request(accounts=[]), INSTANCE, {}, [shared]) == check(request(), INSTANCE, {}, [backup]) == []


def test_unencrypted_volumes_are_rejected_for_shared_images_only() -> None:
    (sentence,) = check(request(), INSTANCE, {}, unencrypted=["vol-1"])
    assert sentence.startswith("vol-1 in a is not encrypted, and ami_publish_accounts would get an unencrypted image")
    assert check(request(accounts=[]), INSTANCE, {}, unencrypted=["vol-1"]) == []


def test_a_pending_snapshot_and_an_image_with_another_name_are_rejected() -> None:
    assert "is pending" in check(request(source="snap-1"), {"state": "pending"}, {})[0]
    other = {"image_id": "ami-1", "name": "else", "state": "available"}
    assert "set ami_publish_name to that" in check(request(source="ami-1"), other, {"a": [other]})[0]
