# SPDX-License-Identifier: Apache-2.0
"""Images on a base without a digest are neither published nor started."""

from collections.abc import Callable
from typing import Any

import pytest

from slipway.images import pins, push, verify
from slipway.images.build_environment import BuildEnvironment
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


class EngineUsedError(Exception):
    """A command has asked the engine for something."""


class NoEngine:
    """Stands in for an engine and its client, which must not be used."""

    address = "unix:///nowhere"

    @property
    def client(self) -> "NoEngine":
        return self

    def __getattr__(self, name: str) -> Any:
        raise EngineUsedError(name)


def push_app(environment: BuildEnvironment, **options: Any) -> None:
    push.push(environment, "registry.example.com/team", ["app"], **options)


def claims_of_app(environment: BuildEnvironment, **options: Any) -> None:
    verify.verify(environment, ["app"], **options)


@pytest.mark.parametrize("run", [push_app, claims_of_app])
def test_an_unpinned_image_is_refused_before_the_engine_is_used(run: Callable[..., None]) -> None:
    """Fault: `slipway-images push` or `test` with an image on a base without a digest. Outcome: refused with the
    command that pins it, before anything is sent or started."""
    engine: Any = NoEngine()
    environment = BuildEnvironment(IMAGES, engine, ONLINE, lambda _: "FROM scratch\n", lambda _: None)
    with pytest.raises(ImageError, match=r"Not pinned by a digest: .* or accept .* with --allow-unpinned"):
        run(environment)
    with pytest.raises(EngineUsedError):
        run(environment, allow_unpinned=True)
