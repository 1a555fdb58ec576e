# SPDX-License-Identifier: Apache-2.0
"""What one image is, when inheritance and versions are resolved. `schema.json` tells what each field means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NAMESPACE = "slipway"


@dataclass(frozen=True)
class User:
    """Whom the image runs as: a user of its own, or root for a reason."""

    name: str = "root"
    uid: int = 0
    root_because: str | None = None


@dataclass(frozen=True)
class Healthcheck:
    """How the engine asks whether the service is well, or the reason why there is nothing to ask."""

    command: tuple[str, ...] = ()
    interval: str = "30s"
    timeout: str = "5s"
    start_period: str = "10s"
    retries: int = 3
    none_because: str | None = None


@dataclass(frozen=True)
class Context:
    """What a build may copy: files and folders of a folder in the project. Nothing else is sent to the engine."""

    path: str
    include: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """One image. Its name is unique in the matrix, and the name of its folder below rendered/."""

    name: str
    repository: str
    version: str
    family: str
    base: str  # the name of another image of the matrix, or what a registry has, without the digest
    digest: str | None  # that of the base, where it is pinned
    stands_on_ours: bool
    description: str
    user: User
    healthcheck: Healthcheck
    tags: tuple[str, ...]  # each names one content for ever
    moving_tags: tuple[str, ...]  # name the newest
    platforms: tuple[str, ...]
    size_budget: int  # bytes that the image may add to its base
    publish: bool
    lab: bool = False  # made by the lab, for itself
    base_tag: str = ""  # the local tag of the base, for an image that stands on ours
    context: Context | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    epel_packages: tuple[str, ...] = ()
    build_packages: tuple[str, ...] = ()
    setuid: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    masked_units: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def local_tags(self) -> tuple[str, ...]:
        """The names under which the image is built; images that stand on it know it by the last."""
        return tuple(f"{NAMESPACE}/{self.repository}:{tag}" for tag in (*self.tags, *self.moving_tags))

    @property
    def base_reference(self) -> str:
        """What the image is made from: the tag of ours, or what a registry has, pinned where a digest is given."""
        if self.stands_on_ours:
            return self.base_tag
        return f"{self.base}@{self.digest}" if self.digest else self.base
