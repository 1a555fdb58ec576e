# SPDX-License-Identifier: Apache-2.0
"""Where builds get what images are made of, and where finished images go when nobody says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Registry:
    """A registry as the engine reaches it, such as 127.0.0.1:5001, with a login for it."""

    address: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Supply:
    """One way to supply builds; `description` is shown with every result."""

    description: str
    bases: Mapping[str, str] = field(default_factory=dict)  # a registry's reference -> the image that stands in for it
    only_these_bases: bool = False
    packages: frozenset[str] | None = None  # the names that can be installed; None: all that the distribution has
    network: str | None = None  # of the engine, for builds; None: the engine's default
    registry: Registry | None = None  # None: Docker Hub, or what `push --registry` names


ONLINE = Supply("registries and the distribution's own mirrors")
