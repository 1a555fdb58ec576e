# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Extraction of the reason for a failed start from dockerd's log."""

import json
import re

# dockerd exits with one of these on stderr, as plain text, after its structured log lines.
FATAL = re.compile(
    r"((?:containerd: )?failed to (?:start|load|create) .*|unable to configure the Docker daemon.*|"
    r"unknown (?:shorthand )?flag.*|invalid argument .*|panic: .*|fatal error: .*)"
)
# containerd's, as plain text too.
CONTAINERD = re.compile(r"^(containerd: .*)")
# systemd's own about a socket that it cannot create.
SYSTEMD = re.compile(r"^(\S+: Failed to .*)")
SOME = re.compile(r"(.*\S.*)")
STRUCTURED_LINE = re.compile(r'^(?:time="?[^" ]+"? )?level=')
STRUCTURED = re.compile(r'level="?(?:fatal|error)"? msg=("(?:[^"\\]|\\.)*"|\S+)')


def reason(lines, of_daemon=False):
    """The last error in the log's lines, or None: plain ones first, because containerd's structured ones look alike.

    of_daemon tells that no line is systemd's, so that the last plain one is dockerd's last word.
    """
    plain = [line for line in lines if not STRUCTURED_LINE.search(line)]
    ranked = [(FATAL, plain), (CONTAINERD, plain), (STRUCTURED, lines), (SYSTEMD, plain)]
    if of_daemon:
        ranked.insert(2, (SOME, plain))
    for pattern, candidates in ranked:
        for line in reversed(candidates):
            found = pattern.search(line)
            if found:
                return unquote(found.group(1))
    return None


def unquote(text):
    """Unquote a logfmt value, or strip the log line's closing quote from plain text."""
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:  # Go has escape sequences that JSON lacks
            return text.strip('"')
    return text[:-1] if text.endswith('"') and text.count('"') % 2 else text
