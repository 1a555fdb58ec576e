# SPDX-License-Identifier: Apache-2.0
"""The key that identifies an image by its inputs: an unchanged key means an unchanged image."""

import hashlib
import json
from collections.abc import Mapping

LABEL = "io.slipway.content-key"


def content_key(archive: bytes, inputs: Mapping[str, str | None]) -> str:
    """Return the sha256, in hex, of the build archive, which holds the Dockerfile, and of the other inputs by name.

    Builder, time and revision are excluded, so that the same content is built once.
    """
    parts = {"archive": hashlib.sha256(archive).hexdigest(), "made with": dict(inputs)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
