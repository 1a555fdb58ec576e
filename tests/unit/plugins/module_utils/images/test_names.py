# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY


@pytest.mark.parametrize(
    ("name", "listed", "key"),
    [
        ("alpine", "alpine", HUB_KEY),
        ("library/alpine", "alpine", HUB_KEY),
        ("docker.io/library/alpine", "alpine", HUB_KEY),
        ("index.docker.io/team/app", "team/app", HUB_KEY),
        ("library/deep/er", "library/deep/er", HUB_KEY),
        ("registry.example.com/library/app", "registry.example.com/library/app", "registry.example.com"),
        ("localhost:5000/app", "localhost:5000/app", "localhost:5000"),
        ("localhost/app", "localhost/app", "localhost"),
    ],
)
def test_a_name_has_a_familiar_form_and_a_registry(name: str, listed: str, key: str) -> None:
    image_names.require_name(name)
    assert image_names.familiar(name) == listed
    assert image_names.registry_key(name) == key


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "not the name of a repository"),
        ("app:1", "contains a tag"),
        ("registry.example.com:5000/app:1", "contains a tag"),
        ("app@sha256:" + "0" * 64, "contains a digest"),
        ("Team/app", "not the name of a repository"),
        ("team//app", "not the name of a repository"),
        ("team/app\n", "not the name of a repository"),
        ("../app", "not a host name"),
        ("registry.example.com:99999/app", "not a host name"),
        ("a" * 256, "not the name of a repository"),
    ],
)
def test_an_invalid_name_is_rejected(name: str, reason: str) -> None:
    with pytest.raises(image_names.ImageNameError, match=reason):
        image_names.require_name(name)


@pytest.mark.parametrize("tag", ["1.0", "latest", "_x", "a" * 128])
def test_a_valid_tag_is_accepted(tag: str) -> None:
    image_names.require_tag(tag, "app")


@pytest.mark.parametrize("tag", ["", "a b", "app:1", ".1", "a" * 129, "1\n"])
def test_an_invalid_tag_is_rejected(tag: str) -> None:
    with pytest.raises(image_names.ImageNameError, match="of app is not valid"):
        image_names.require_tag(tag, "app")


@pytest.mark.parametrize("digest", ["", "latest", "sha256:12", "sha256:" + "G" * 64, "sha256:" + "0" * 64 + "\n"])
def test_an_invalid_digest_is_rejected(digest: str) -> None:
    with pytest.raises(image_names.ImageNameError, match="of app is not valid"):
        image_names.require_digest(digest, "app")
