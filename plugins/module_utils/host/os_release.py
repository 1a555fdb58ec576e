# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads os-release(5), which names a host's distribution."""

import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=([\"']?)(.*)\2\Z")


def read(root="/"):
    """Return the assignments of a root's os-release as a dict, empty where there is no such file."""
    paths = (os.path.join(root, path) for path in ("etc/os-release", "usr/lib/os-release"))
    return parse(next(filter(None, map(read_text, paths)), ""))


def parse(text):
    """Return the assignments of a file in the form of os-release as a dict."""
    found = [ASSIGNMENT.match(line) for line in text.splitlines()]
    return {match.group(1): re.sub(r"\\(.)", r"\1", match.group(3)) for match in found if match}
