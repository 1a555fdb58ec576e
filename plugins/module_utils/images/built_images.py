# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Record of the images that were built on this host, in a file that only root can write.

A label would prove nothing: images built FROM an image inherit its labels, and pulled images have any.
"""

import json
import os

from ansible_collections.slipway.platform.plugins.module_utils.host import files

RECORD = "/var/lib/slipway/built-images.json"
MODE = 0o644


def read(path=RECORD):
    """Return a dict of content keys to image ids, empty if the record is absent or damaged."""
    try:
        return {str(key): str(image_id) for key, image_id in json.loads(files.read_text(path) or "{}").items()}
    except (ValueError, AttributeError, RecursionError):
        return {}


def add(key, image_id, path=RECORD):
    """Add an image to the record. Raises files.WriteError."""
    text = json.dumps(dict(read(path), **{key: image_id}), indent=2, sort_keys=True) + "\n"
    files.write_atomically(path, text, MODE)


def is_writable(path=RECORD):
    return os.access(files.nearest_existing_parent(os.path.dirname(path)), os.W_OK | os.X_OK)
