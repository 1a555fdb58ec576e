# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Quote arguments for ExecStart= in unit files."""

import re

PLAIN = re.compile(r"\A[\w/.,:=!@+-]+\Z", re.ASCII)


def word(text):
    """Return the word, quoted if necessary and with % and $ doubled, which systemd would expand."""
    if PLAIN.match(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return '"' + text + '"'
