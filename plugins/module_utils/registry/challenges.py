# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Parser for WWW-Authenticate headers."""

import re
from collections import namedtuple

Challenge = namedtuple("Challenge", ["scheme", "parameters"])

SEPARATORS = ", \t\r\n"
PARAMETER = re.compile(r"""([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)""", re.ASCII)
SCHEME = re.compile(r"[\w!#$%&'*+.^`|~-]+(?=[\s,]|\Z)", re.ASCII)


def parse(headers):
    """Return all challenges in the headers, in order, with schemes and parameter names in lower case."""
    return [challenge for header in headers for challenge in challenges_in(header)]


def challenges_in(header):
    rest = header.lstrip(SEPARATORS)
    challenge = None
    while rest:
        parameter = PARAMETER.match(rest) if challenge else None
        scheme = None if parameter else SCHEME.match(rest)
        if challenge and parameter:
            challenge.parameters.setdefault(parameter.group(1).lower(), unquote(parameter.group(2)))
        elif scheme:
            if challenge:
                yield challenge
            challenge = Challenge(scheme.group(0).lower(), {})
        found = parameter or scheme
        rest = rest[found.end() if found else 1 :].lstrip(SEPARATORS)
    if challenge:
        yield challenge


def unquote(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
