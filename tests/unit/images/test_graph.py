# SPDX-License-Identifier: Apache-2.0
"""The order of builds, and the selection of images by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.images import availability, graph
from slipway.images.errors import ImageError
from slipway.images.supply import ONLINE, Supply
from tests.support.tiny_images import HELLO, matrix, tiny

FAMILY = matrix(tiny("app", "python"), tiny("python", "base"), tiny("base"), tiny("node", "base"), tiny("other"))
OFFLINE = Supply("a stand-in", {HELLO: "stand-in"}, only_these_bases=True, packages=frozenset({"tini"}))


def test_an_image_is_built_with_its_bases_and_nothing_else() -> None:
    assert list(graph.with_bases(FAMILY, ["app"])) == ["base", "python", "app"]


def test_without_names_all_are_selected() -> None:
    assert graph.select(FAMILY, []) == FAMILY


@given(st.lists(st.integers(min_value=-1), min_size=1, max_size=20), st.data())
def test_a_base_always_comes_first(parents: list[int], data: st.DataObject) -> None:
    """Each image is based on an earlier one or on an external one; the order of the matrix is random."""
    images = [
        tiny(str(number), str(parent % number) if number and parent >= 0 else None)
        for number, parent in enumerate(parents)
    ]
    order = list(graph.with_bases(matrix(*data.draw(st.permutations(images))), map(str, range(len(images)))))
    assert sorted(order) == sorted(image.name for image in images)
    for image in images:
        assert all(order.index(base) < order.index(image.name) for base in graph.bases(image))


def test_an_unknown_name_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ImageError) as refused:
        graph.select(FAMILY, ["app", "pyhton"])
    assert str(refused.value) == "Unknown image pyhton: use one of app, base, node, other, python."


def test_online_everything_can_be_built() -> None:
    assert availability.unavailable(FAMILY, ONLINE) == {}


def test_images_on_an_unavailable_base_are_unavailable() -> None:
    images = matrix(
        tiny("base"),
        tiny("python", "base", packages=("tini", "python3.11"), build_packages=("gcc",)),
        tiny("app", "python"),
        tiny("foreign", "quay.io/centos/centos:stream10", has_local_base=False),
    )
    assert availability.unavailable(images, OFFLINE) == {
        "python": "no package gcc, python3.11",
        "app": "needs python",
        "foreign": "no stand-in for quay.io/centos/centos:stream10",
    }
    with pytest.raises(ImageError, match=r"from a stand-in: python: no package gcc, python3\.11; app: needs python"):
        availability.require(graph.with_bases(images, ["app"]), OFFLINE)
    availability.require(graph.with_bases(images, ["base"]), OFFLINE)
