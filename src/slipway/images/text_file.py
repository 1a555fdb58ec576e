# SPDX-License-Identifier: Apache-2.0
"""Reads the text files of the matrix."""

import codecs
from pathlib import Path

from slipway.images.errors import ImageError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark. Raises ImageError with the line and the remedy."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{path} is missing: restore it from git.") from error
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror}): make it a readable file.") from error
    if content.startswith(UTF_16):
        raise ImageError(f"{path.name} is in UTF-16: save it in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImageError(
            f"{path.name}: line {line}: byte 0x{content[error.start]:02x} is not UTF-8: save the file in UTF-8."
        ) from error
