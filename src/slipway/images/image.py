# SPDX-License-Identifier: Apache-2.0
"""One image, with inheritance and versions resolved. `schema.json` documents the fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Prefix of local tags. No registry can exist below .invalid (RFC 6761): an engine that lacks an image fails instead of
# pulling one that somebody else has published under the same name.
NAMESPACE = "slipway.invalid"


@dataclass(frozen=True)
class User:
    """The user that the image runs as: its own, or root with a reason."""

    name: str = "root"
    uid: int = 0
    root_because: str | None = None


@dataclass(frozen=True)
class Healthcheck:
    """The health check of the service, or the reason why there is none."""

    command: tuple[str, ...] = ()
    interval: str = "30s"
    timeout: str = "5s"
    start_period: str = "10s"
    retries: int = 3
    none_because: str | None = None


@dataclass(frozen=True)
class Context:
    """The files and folders, relative to path, that a build may copy. Nothing else is sent to the engine."""

    path: str
    include: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """One image. The name is unique in the matrix, and that of the folder below rendered/."""

    name: str
    repository: str
    version: str
    family: str
    base: str  # the name of another image of the matrix, or a registry reference without digest
    digest: str | None  # of the base, if it is pinned
    has_local_base: bool  # the base is another image of the matrix
    description: str
    user: User
    healthcheck: Healthcheck
    tags: tuple[str, ...]  # immutable: each always names the same content
    moving_tags: tuple[str, ...]  # follow the latest build
    platforms: tuple[str, ...]
    size_budget: int  # bytes that the image may add to its base
    publish: bool
    lab: bool = False  # an image of the lab only
    base_tag: str = ""  # the local tag of a local base
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
        """The tags of the built image. Images based on it use the last one."""
        return self.tags_below(NAMESPACE)

    def tags_below(self, prefix: str) -> tuple[str, ...]:
        """Return the image's full names below a prefix, in the order of its tags."""
        return tuple(f"{prefix}/{self.repository}:{tag}" for tag in (*self.tags, *self.moving_tags))

    @property
    def base_reference(self) -> str:
        """The base to build from: a local tag, or a registry reference, with its digest if pinned."""
        if self.has_local_base:
            return self.base_tag
        return f"{self.base}@{self.digest}" if self.digest else self.base
