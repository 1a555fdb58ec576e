# SPDX-License-Identifier: Apache-2.0
"""Section 4 of the CIS Docker Benchmark, as far as Dockerfiles show it; tests/images checks the built images."""

import re

import pytest

from slipway.images import matrix, render
from slipway.images.image import Image

dockerfile = pytest.importorskip("dockerfile", reason="no wheel of it for this machine")
IMAGES = matrix.without_lab(matrix.load())
SECRET = re.compile(r"passw|secret|token|api_?key|credential", re.IGNORECASE)


def values(image: Image, instruction: str) -> list[tuple[str, ...]]:
    return [command.value for command in dockerfile.parse_string(render.render(image)) if command.cmd == instruction]


@pytest.fixture(params=IMAGES.values(), ids=lambda image: image.name)
def image(request: pytest.FixtureRequest) -> Image:
    image: Image = request.param
    return image


def test_4_1_it_runs_as_its_own_user_or_as_root_with_a_reason(image: Image) -> None:
    user = values(image, "USER")[-1][0]
    assert user != "0:0" or f"It runs as root: {image.user.root_because}" in render.render(image)
    assert user == f"{image.user.uid}:{image.user.uid}"


def test_4_2_its_base_is_local_or_has_a_tag_other_than_latest(image: Image) -> None:
    assert image.has_local_base or not image.base.endswith(":latest")


def test_4_6_it_sets_a_health_check_or_disables_it(image: Image) -> None:
    assert len(values(image, "HEALTHCHECK")) == 1


def test_4_8_setuid_bits_are_removed_after_the_last_installation(image: Image) -> None:
    installs = [index for index, run in enumerate(runs(image)) if re.search(r"\bdnf .* install ", run)]
    strips = [index for index, run in enumerate(runs(image)) if run.startswith("find / -xdev -type f -perm /6000")]
    assert not installs or max(strips) > max(installs)


def test_4_9_it_uses_copy_and_not_add(image: Image) -> None:
    assert values(image, "ADD") == []


def test_4_10_no_secret_is_a_build_argument_or_a_variable(image: Image) -> None:
    assert values(image, "ARG") == [(f"BASE={image.base_reference}",)]
    assert not [name for name, *_ in values(image, "ENV") if SECRET.search(name)]


def runs(image: Image) -> list[str]:
    return [words[0] for words in values(image, "RUN")]
