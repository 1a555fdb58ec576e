# SPDX-License-Identifier: Apache-2.0
"""Images on a base without a digest are neither published nor started."""

import pytest

from slipway.images import pins
from slipway.images.errors import ImageError
from slipway.images.supply import ONLINE, Supply
from tests.support.tiny_images import matrix, tiny

CENTOS = "quay.io/centos/centos:stream9"
DIGEST = f"sha256:{'a' * 64}"
IMAGES = matrix(
    tiny("base", CENTOS, has_local_base=False),
    tiny("app", "base"),
    tiny("pinned", CENTOS, has_local_base=False, digest=DIGEST),
)


def test_an_image_is_rejected_for_an_indirect_unpinned_base() -> None:
    for name in ("base", "app"):
        with pytest.raises(
            ImageError, match=rf"Not pinned by a digest: {CENTOS}\. Run `slipway-images refresh-digests`"
        ):
            pins.require_digests(IMAGES, [name], ONLINE)
    pins.require_digests(IMAGES, ["pinned"], ONLINE)


def test_a_stand_in_needs_no_digest() -> None:
    pins.require_digests(IMAGES, IMAGES, Supply("a stand-in", {CENTOS: "stand-in"}))
