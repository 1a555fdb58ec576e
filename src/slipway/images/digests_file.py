# SPDX-License-Identifier: Apache-2.0
"""Reads dockerfiles/digests.json: the digest of each pinned base by its reference."""

import json
import re
from pathlib import Path
from typing import Any

from slipway.images.errors import ImageError
from slipway.images.text_file import read_text

DIGESTS = "digests.json"  # in the folder of the matrix; may be missing
# It becomes part of an instruction, which a line break would end.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REMEDY = "restore it from git, or delete it and run `slipway-images refresh-digests`"


def read(path: Path) -> dict[str, str]:
    """Return the digests by reference; {} without a file. Raises ImageError with the place and the remedy."""
    if not path.exists():
        return {}
    try:
        digests = json.loads(read_text(path), object_pairs_hook=lambda pairs: _object(path.name, pairs))
    except json.JSONDecodeError as error:
        raise ImageError(f"{path.name} is not valid JSON: line {error.lineno}: {error.msg}; {REMEDY}.") from error
    except (RecursionError, ValueError) as error:  # too deeply nested, or an integer of thousands of digits
        raise ImageError(f"{path.name} is not valid JSON: a value is too large; {REMEDY}.") from error
    if not isinstance(digests, dict):
        raise ImageError(f"{path.name} is not a JSON object with a digest by reference: {REMEDY}.")
    for reference, digest in digests.items():
        if not is_digest(digest):
            raise ImageError(
                f"{path.name}: {reference!a} has {_short(digest)} instead of sha256: and 64 hexadecimal digits: "
                f"{REMEDY}."
            )
    return digests


def is_digest(value: Any) -> bool:
    """Return whether a value is a digest that may follow a reference."""
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _object(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of the file. Raises ImageError for a key that is there twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ImageError(f"{name}: {key!a} is there twice, and only one would count: remove one.")
        found[key] = value
    return found


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
