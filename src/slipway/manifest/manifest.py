# SPDX-License-Identifier: Apache-2.0
"""Reads a manifest and validates it against the schema."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rpm_version import Evr

FORMAT = 1  # written by plugins/module_utils/packages/manifest.py
TEXT = {"type": "string"}
SCHEMA = {
    "required": ["os", "packages", "release"],
    "properties": {
        "os": {"type": "object", "additionalProperties": TEXT},
        "release": {"type": "object", "additionalProperties": TEXT},
        "packages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "epoch", "version", "release", "arch", "key"],
                "properties": {"epoch": {"type": "integer"}},
                "additionalProperties": TEXT,
            },
        },
    },
}


class ManifestError(Exception):
    """A manifest is unusable; the message is a sentence for the user."""


@dataclass(frozen=True)
class Package:
    """One build of a package; key is the ID of the key that signed it, or ""."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str  # "" for a key that rpm trusts
    key: str

    @property
    def label(self) -> str:
        """Name and architecture, which all builds share."""
        return f"{self.name}.{self.arch}" if self.arch else self.name

    @property
    def build(self) -> str:
        """Epoch, version and release, in rpm's notation."""
        return f"{f'{self.epoch}:' if self.epoch else ''}{self.version}-{self.release}"

    @property
    def evr(self) -> Evr:
        """The same, comparable as by rpm."""
        return Evr(str(self.epoch), self.version, self.release)


@dataclass(frozen=True)
class Manifest:
    """The content of an image: its operating system, the release that baked it, its packages."""

    os: dict[str, str]
    release: dict[str, str]
    packages: list[Package]


def read(path: Path) -> Manifest:
    """Return the manifest in the file. Raises ManifestError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path} is not valid JSON ({error}): use a manifest written by machine_image_provenance."
        ) from error
    problem = _problem(content)
    if problem:
        raise ManifestError(f"{path} {problem}.")
    packages = [Package(**package) for package in content["packages"]]
    return Manifest(content["os"], content["release"], packages)


def _problem(content: Any) -> str | None:
    if not isinstance(content, dict) or "format" not in content:
        return "is not a manifest: use one written by machine_image_provenance"
    if content["format"] != FORMAT:
        return f"has format {content['format']!r}, but {FORMAT} is expected: use the Slipway release that wrote it"
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(content))
    if error:
        return (
            f"is invalid at {error.json_path}: {error.message}. Run the role machine_image_provenance to write it again"
        )
    return None
