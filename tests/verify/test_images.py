# SPDX-License-Identifier: Apache-2.0
"""What role docker_images promises of a host."""

from typing import Any

import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def images(host: Host) -> list[dict[str, Any]]:
    """The images that must be there; a claim about none is skipped."""
    shown = host.ansible("ansible.builtin.debug", "var=docker_images_list").get("docker_images_list")
    if not isinstance(shown, list) or not shown:
        pytest.skip("the inventory lists no image")
    return shown


def image_id(host: Host, reference: str) -> str:
    return str(host.check_output("docker image inspect --format '{{.Id}}' %s", reference))


def test_pulled_images_are_there_by_their_digest_under_all_their_tags(host: Host, images: list[dict[str, Any]]) -> None:
    for image in images:
        if "digest" in image:
            by_digest = image_id(host, f"{image['name']}@{image['digest']}")
            assert {image_id(host, f"{image['name']}:{tag}") for tag in image.get("tags", [])} <= {by_digest}


def test_all_tags_of_a_built_image_stand_for_one_image(host: Host, images: list[dict[str, Any]]) -> None:
    for image in images:
        if "build" in image:
            assert len({image_id(host, f"{image['name']}:{tag}") for tag in image.get("tags", ["latest"])}) == 1
