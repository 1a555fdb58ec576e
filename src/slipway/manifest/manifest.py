# SPDX-License-Identifier: Apache-2.0
"""One manifest, read from its file and held against the schema."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rpm_version import Evr

FORMAT = 1  # what plugins/module_utils/image_manifest.py writes
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
    """A manifest cannot be used; the text is the sentence for the user."""


@dataclass(frozen=True)
class Package:
    """One build of a package, and the ID of the key that signed it, or ""."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str  # "" of a key that rpm trusts
    key: str

    @property
    def label(self) -> str:
        """What it shares with its other builds."""
        return f"{self.name}.{self.arch}" if self.arch else self.name

    @property
    def build(self) -> str:
        """Which of the builds it is, as rpm writes it."""
        return f"{f'{self.epoch}:' if self.epoch else ''}{self.version}-{self.release}"

    @property
    def evr(self) -> Evr:
        """The same, to be compared as rpm compares it."""
        return Evr(str(self.epoch), self.version, self.release)


@dataclass(frozen=True)
class Manifest:
    """What an image is made of, and by what."""

    os: dict[str, str]
    release: dict[str, str]
    packages: list[Package]


def read(path: Path) -> Manifest:
    """Return the manifest in the file. Raises ManifestError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ManifestError(f"{path} is no JSON ({error}): name a manifest of image_provenance.") from error
    problem = _problem(content)
    if problem:
        raise ManifestError(f"{path} {problem}.")
    packages = [Package(**package) for package in content["packages"]]
    return Manifest(content["os"], content["release"], packages)


def _problem(content: Any) -> str | None:
    if not isinstance(content, dict) or "format" not in content:
        return "is no manifest: name one that image_provenance has written"
    if content["format"] != FORMAT:
        return f"has format {content['format']!r}, known is {FORMAT}: take the command of the Slipway that wrote it"
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(content))
    if error:
        return f"is a broken manifest, at {error.json_path}: {error.message}. Have image_provenance write it again"
    return None
