# SPDX-License-Identifier: Apache-2.0
"""Puts values into the places of a Dockerfile, so that none can become anything but that value there.

No value holds a line end when it comes here: `matrix_schema` has refused it.
"""

import json
import re
import shlex
from collections.abc import Sequence

SPECIAL_IN_QUOTES = re.compile(r'([\\"$])')


def quoted(value: str) -> str:
    """Return the value as the double-quoted word of a LABEL or ENV, in which nothing is a variable."""
    return '"' + SPECIAL_IN_QUOTES.sub(r"\\\1", value) + '"'


def exec_form(words: Sequence[str]) -> str:
    """Return the words as the JSON that CMD, ENTRYPOINT and HEALTHCHECK take: no shell sees them."""
    return json.dumps(list(words))


def shell_word(value: str) -> str:
    """Return the value as one word of the shell in a RUN."""
    return shlex.quote(value)
