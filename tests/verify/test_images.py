# SPDX-License-Identifier: Apache-2.0
"""Claims about container images (role docker_images)."""

from typing import Any

import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def images(host: Host) -> list[dict[str, Any]]:
    """The configured images; without any, the claim is skipped."""
    shown = host.ansible("ansible.builtin.debug", "var=docker_images_list").get("docker_images_list")
    if not isinstance(shown, list) or not shown:
        pytest.skip("the inventory lists no images")
    return shown


def image_id(host: Host, reference: str) -> str:
    return str(host.check_output("docker image inspect --format '{{.Id}}' %s", reference))


def test_pulled_images_have_their_digest_and_all_their_tags(host: Host, images: list[dict[str, Any]]) -> None:
    for image in images:
        if "digest" in image:
            by_digest = image_id(host, f"{image['name']}@{image['digest']}")
            assert {image_id(host, f"{image['name']}:{tag}") for tag in image.get("tags", [])} <= {by_digest}


def test_all_tags_of_a_built_image_name_the_same_image(host: Host, images: list[dict[str, Any]]) -> None:
    for image in images:
        if "build" in image:
            assert len({image_id(host, f"{image['name']}:{tag}") for tag in image.get("tags", ["latest"])}) == 1
