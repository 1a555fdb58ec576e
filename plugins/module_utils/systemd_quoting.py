# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Writes a word so that systemd's ExecStart passes it on as it is."""

import re

PLAIN = re.compile(r"\A[\w/.,:=!@+-]+\Z", re.ASCII)


def word(text):
    """The word with % and $ doubled, which systemd expands, and in quotes where it has to be."""
    if PLAIN.match(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return '"' + text + '"'
