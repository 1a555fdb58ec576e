# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find credentials in the bytes of any file or disk, in constant memory.

An operating system has gigabytes, and each pass of a regular expression over them costs as much as reading them. So all
kinds share a few passes: each looks for one anchor, a byte or a text that all its kinds contain, together with what can
be told at once of its surroundings. The kinds themselves are matched only near an anchor.
"""

import collections
import errno
import os
import re

from . import kinds, tokens

CHUNK = 4 << 20
LONGEST = kinds.LONGEST  # the overlap of two windows
BLOCK = 4 << 10  # the unit in which file systems store files
PROBE = 32  # characters at the beginning of a block that tell whether it is UTF-16

CANARY = "the canary"

# Never the secret itself.
Finding = collections.namedtuple("Finding", "what byte")
# pattern: bytes, or a regular expression that begins with one literal byte, for which Python needs no state machine.
# groups: for each group of the pattern, the kinds to match near it and how many bytes after the anchor they need.
# widths: of the prefixes of tokens that end at the anchor.
Anchor = collections.namedtuple("Anchor", "pattern groups widths")


def token_kinds():
    """Map each prefix of a token to its kinds."""
    found = collections.defaultdict(list)  # type: dict[bytes, list[kinds.Kind]]
    for what, prefixes, body in tokens.TOKENS:
        for prefix in prefixes.encode().split():
            pattern = re.compile(re.escape(prefix) + body.encode())
            found[prefix].append(kinds.Kind(what, pattern, kinds.is_token, len(prefix) - 1))
    return dict(found)


TOKEN_KINDS = token_kinds()
# Every token goes on for at least so long; this alone rules out most of what has such a byte.
TOKEN_BODY = rb"(?=[A-Za-z0-9_+/=-]{16})"


def anchor(byte, *groups):
    """Return an anchor at a byte; each group is a pattern of its surroundings, and then what Anchor.groups has.

    Alternatives that begin with a literal byte are fast. None may consume another anchor.
    """
    alternatives = [near + b"()" for near, _, _ in groups]
    prefixes = [prefix for prefix in TOKEN_KINDS if prefix.endswith(byte)]
    widths = sorted({len(prefix) for prefix in prefixes})
    if prefixes:
        of_width = [
            rb"(?<=(?:" + b"|".join(re.escape(prefix) for prefix in prefixes if len(prefix) == width) + b"))"
            for width in widths  # a lookbehind has a fixed width
        ]
        alternatives.append(TOKEN_BODY + b"(?:" + b"|".join(of_width) + b")")
    pattern = re.compile(re.escape(byte) + b"(?:" + b"|".join(alternatives) + b")")
    return Anchor(pattern, [group[1:] for group in groups], widths)


OTHER_VALUES = [prefix.encode() for _, prefixes, _ in tokens.OTHER_VALUES for prefix in prefixes.split()]
# What follows a name in kinds.VALUES.
LONG_VALUE = (
    rb"""(?<=[\s"'\\NYnyDdTtSs].)(?=\s{0,9}\\*["']?(?:[A-Za-z0-9/+=]{28}|"""
    + b"|".join(map(re.escape, OTHER_VALUES))
    + rb"))"
)
# After the names in kinds.JSON_VALUES, and up to three blanks.
JSON_NAME = (
    rb"(?<=[\"\s]:)(?:"
    + b"|".join(rb'(?<="auth"%s:)|(?<=(?:ytoken|g-opts|Config)"%s:)' % ((rb"\s" * blanks,) * 2) for blanks in range(4))
    + b")"
)
ANCHORS = [
    anchor(
        b"_",
        (rb"(?:auth|password)", kinds.NPM_LOGINS, 1100),
        (rb"mmk", kinds.MAXMIND_KEYS, 8),
        (rb"(?:PROXY|proxy)=", kinds.PROXY_VARIABLES, 1024),
    ),
    anchor(
        b"-",
        (rb"(?:[ -]BEGIN |Lines: |key ?\()", kinds.PRIVATE_KEYS, LONGEST),
        (rb"proxy\"", kinds.PROXIES, 1024),
        (rb"(?:us[0-9]|NRMA)", kinds.ENDINGS, 8),
    ),
    anchor(
        b".",
        (rb"e(?:yJ|wo)", kinds.WEB_TOKENS, LONGEST),
        (rb"password", kinds.ISCSI_PASSWORDS, 512),
        (rb"com/[stw]", kinds.SLACK_WEBHOOKS, 128),
        (rb"dockerc[of]", kinds.LOGIN_FILES, LONGEST),
        (
            rb"(?:acc[_-]|atlasv1\.|webhook\.office|com/api/webhooks|st\.(?<=dp\.st\.)|tines\.com/webhook|zapier\.com/hooks)",
            kinds.OTHER_DOTTED,
            256,
        ),
        (
            rb"(?=[A-Za-z0-9_-]{16})(?<=[\w-]{6}\.)(?:(?=[a-z0-9]{16}\b)|(?=[0-9a-f]{64}\b)|(?<=\.[\w-]{6}\.))",
            kinds.KUBEADM_TOKENS,
            72,
        ),
    ),
    anchor(
        b":",
        (rb"//(?=[^\s/]{1,900}@)", kinds.URLS, 2048),
        (rb"AA", kinds.TELEGRAM_TOKENS, 64),
        (rb"APA91", kinds.MESSAGING_KEYS, 160),
        (rb":(?<=[0-9a-f]{8}::)", kinds.CLUSTER_TOKENS, 128),
        (JSON_NAME, kinds.JSON_VALUES, LONGEST),
        (rb"(?<=h:)(?<=auth:)", kinds.YAML_LOGINS, LONGEST),
        (LONG_VALUE, kinds.VALUES, 512),
    ),
    anchor(
        b"=",
        (LONG_VALUE, kinds.VALUES, 512),
        (rb"(?<=[?&;]sig=)", kinds.SIGNATURES, 128),
        (rb"(?:(?<=username=)|(?<=username[ \t]=))", kinds.REPOSITORY_TOKENS, 512),
    ),
    anchor(b">", (LONG_VALUE, kinds.VALUES, 512)),
    anchor(b"I", (rb"(?:A[A-Z2-7]{16}|za[A-Za-z0-9_-]{35}|(?<=LTAI))", kinds.PLAIN_TOKENS, 64)),
    anchor(b"~", (rb"(?:(?<=[0-9]Q~)|(?<=sha256~))", kinds.TILDE_TOKENS, 64)),
    Anchor(b"LS0t", [(kinds.BASE64_KEYS, 64)], []),  # in each of kinds.BASE64_BEGIN
    Anchor(b"uthorization", [(kinds.HEADERS, LONGEST)], []),
    Anchor(b"password", [(kinds.PASSWORDS + kinds.LOGIN_PAIRS, 1400)], []),
]


def canary(text):
    """Return an anchor for a text that must never have been written."""
    text = text.encode()
    kind = kinds.Kind(CANARY, re.compile(re.escape(text)), kinds.always, 0)
    return Anchor(text, [([kind], len(text))], [])


def search(stream, anchors=ANCHORS):
    """Yield the findings in an open file, in the order of their places within each window of a few megabytes."""
    for offset, window, fresh in windows(stream):
        for what, start in sorted(
            matches(window, anchors) + matches_in_utf_16(window, anchors), key=lambda each: each[1]
        ):
            if start < fresh:  # one that begins later is found in the next window
                yield Finding(what, offset + start)


def matches_in_utf_16(window, anchors):
    """Return the same for blocks of UTF-16 text, whose ASCII characters have a NUL byte before or after each."""
    found = []
    for high in (0, 1):
        begin = None
        for start in range(0, len(window) + BLOCK, BLOCK):
            # The cheapest test first: of the third character, since the first may be a byte order mark.
            if window[start + 4 + high : start + 5 + high] == b"\0" and is_utf_16(
                window[start : start + 2 * PROBE], high
            ):
                begin = start if begin is None else begin
            elif begin is not None:
                text = window[begin + 1 - high : start + LONGEST : 2]
                found += [(what, begin + 2 * place) for what, place in matches(text, anchors)]
                begin = None
    return found


def is_utf_16(text, high):
    """Return whether most of every second byte is NUL, and most of the others are not."""
    others = text[1 - high :: 2]
    return text[high::2].count(0) * 5 >= len(others) * 4 and others.count(0) * 5 <= len(others)


def matches(window, anchors=ANCHORS):
    """Return what the bytes hold and where it begins, sorted by place."""
    found = set()  # type: set[tuple[int, str]]
    for pattern, groups, widths in anchors:  # most files have no anchor at all, and are small: no calls for these
        if isinstance(pattern, bytes):
            if pattern in window:
                for place in places(window, pattern):
                    found.update(matches_near(window, place, *groups[0]))
            continue
        for anchored in pattern.finditer(window):
            place = anchored.start()
            if anchored.lastindex:
                found.update(matches_near(window, place, *groups[anchored.lastindex - 1]))
            for width in widths:
                start = place + 1 - width
                for kind in TOKEN_KINDS.get(window[start : place + 1], ()) if start >= 0 else ():
                    match = kind.pattern.match(window, start, place + LONGEST)
                    if match and kind.is_real(match):
                        found.add((start, kind.what))
    return [(what, start) for start, what in sorted(found)]


def matches_near(window, place, candidates, after):
    """Yield (start, what) of the candidates in the surroundings of an anchor."""
    for kind in candidates:
        for match in kind.pattern.finditer(window, max(place - kind.before, 0), place + after):
            if kind.is_real(match):
                yield match.start(), kind.what


def places(window, text):
    """Yield each occurrence of a text."""
    place = window.find(text)
    while place >= 0:
        yield place
        place = window.find(text, place + 1)


class Lines:
    """The lines of an open file, to be asked for in ascending order."""

    def __init__(self, stream):
        self.stream, self.line, self.offset = stream, 1, 0

    def number(self, byte):
        """Return the number of the line that has this byte."""
        self.stream.seek(self.offset)
        while self.offset < byte:
            chunk = self.stream.read(min(byte - self.offset, CHUNK))
            if not chunk:
                break
            self.line += chunk.count(b"\n")
            self.offset += len(chunk)
        return self.line


def windows(stream):
    """Yield (offset, bytes, number of bytes not repeated in the next window) of a file, skipping holes."""
    offset, window = 0, b""
    while True:
        if not window:
            offset = next_data(stream, offset)
            if offset is None:
                return
        stream.seek(offset + len(window))
        chunk = stream.read(CHUNK)
        window += chunk
        if not chunk:
            yield offset, window, len(window)
            return
        fresh = max(len(window) - LONGEST, 0)
        if not window[fresh:].strip(b"\0"):
            yield offset, window, len(window)
            offset, window = offset + len(window), b""
        elif fresh:
            yield offset, window, fresh
            offset, window = offset + fresh, window[fresh:]


def next_data(stream, offset):
    """Return the next offset with data, or None at the end of the file."""
    try:
        return os.lseek(stream.fileno(), offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        if error.errno == errno.EINVAL:  # the file system does not support holes
            return offset
        raise
