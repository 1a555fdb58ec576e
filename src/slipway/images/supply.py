# SPDX-License-Identifier: Apache-2.0
"""The sources that builds use: bases, packages, network, and a registry to push to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Registry:
    """A registry and a login for it; the address is the one that the engine uses, such as 127.0.0.1:5001."""

    address: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Supply:
    """One set of sources; `description` is shown with every result."""

    description: str
    bases: Mapping[str, str] = field(default_factory=dict)  # external reference -> its stand-in
    only_these_bases: bool = False
    packages: frozenset[str] | None = None  # installable names; None: no restriction
    network: str | None = None  # the engine's network for builds; None: its default
    registry: Registry | None = None  # to push to, with a login


ONLINE = Supply("registries and the distribution's own mirrors")
