# SPDX-License-Identifier: Apache-2.0
"""The key by which an image is known to be unchanged: a digest of all that it is made from."""

import hashlib
import json
from collections.abc import Mapping

LABEL = "io.slipway.content-key"


def content_key(archive: bytes, made_with: Mapping[str, str | None]) -> str:
    """Return the sha256 of the archive that is sent, the Dockerfile in it, and of what it is made with, by name.

    Who built it, when and from which revision is no part of it: the same content is built once.
    """
    parts = {"archive": hashlib.sha256(archive).hexdigest(), "made with": dict(made_with)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
