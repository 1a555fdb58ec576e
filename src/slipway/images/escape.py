# SPDX-License-Identifier: Apache-2.0
"""Escapes values for Dockerfiles, so that none can inject an instruction, a variable or a command.

Values contain no line breaks here: `matrix_schema` rejects them.
"""

import json
import re
import shlex
from collections.abc import Sequence

SPECIAL_IN_QUOTES = re.compile(r'([\\"$])')


def quoted(value: str) -> str:
    """Return the value double-quoted for LABEL or ENV, without variable expansion."""
    return '"' + SPECIAL_IN_QUOTES.sub(r"\\\1", value) + '"'


def exec_form(words: Sequence[str]) -> str:
    """Return the words in the JSON exec form of CMD, ENTRYPOINT and HEALTHCHECK, which runs no shell."""
    return json.dumps(list(words))


def shell_word(value: str) -> str:
    """Return the value as one shell word for RUN."""
    return shlex.quote(value)
