# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Writes small files atomically."""

import json
import os
import tempfile

MODE = 0o644


def write_json(path, content):
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        os.fchmod(file.fileno(), MODE)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
