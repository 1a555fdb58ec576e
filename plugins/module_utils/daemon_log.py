# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds the sentence in dockerd's log that tells why it gave up."""

import json
import re

# dockerd ends with one of these on stderr, undecorated, after its structured log lines.
LAST_WORDS = re.compile(r"(failed to (?:start|load|create) .*|unable to configure the Docker daemon.*)")
STRUCTURED = re.compile(r'level="?(?:fatal|error)"? msg=("(?:[^"\\]|\\.)*"|\S+)')


def reason(lines):
    """The last complaint in the log, or None."""
    for line in reversed(lines):
        last_words = LAST_WORDS.search(line)
        if last_words:
            return unquote(last_words.group(1))
    for line in reversed(lines):
        structured = STRUCTURED.search(line)
        if structured:
            return unquote(structured.group(1))
    return None


def unquote(text):
    """The text of a quoted logfmt value; others without the closing quote that belongs to the log's line."""
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:  # Go has escapes that JSON lacks
            return text.strip('"')
    return text[:-1] if text.endswith('"') and text.count('"') % 2 else text
