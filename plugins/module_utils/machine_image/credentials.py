# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds credentials in bytes, of whatever file or disk, in constant memory.

Patterns are narrow, since an operating system is full of examples: a key must have a body, a login must be one.
"""

import base64
import binascii
import collections
import errno
import os
import re

CHUNK = 4 << 20
LONGEST = 8 << 10  # of a credential; so far do two windows overlap

# What occurs in each match (by which most windows are done with), the match, and whether it is a secret.
Kind = collections.namedtuple("Kind", "what needle pattern is_real")
# Where it begins: the line for people who read a file, the byte for a disk. Never the secret itself.
Finding = collections.namedtuple("Finding", "what line byte")

# What documentation says where a password would be, and the hosts that are reserved for it (RFC 2606).
PLACEHOLDER = re.compile(
    rb"(?i)[${<\[*]|x{3}|^\W?(?:pass|passwd|password|pw|pwd|secret|token|foo|bar|baz|xyz|xyzzy)\W?$"
    rb"|^(?:.*\.)?example\.(?:com|net|org)$"
)
# Published, and on every machine: the tokens of jwt.io and PyJWT, the keys of GnuTLS's own test, cloud-init's example.
PUBLIC = (
    b".eyJzdWIiOiIxMjM0NTY3ODkwIi",
    b".eyJzb21lIjoicGF5bG9hZCJ9.",
    b"MGoCAQAwIQYIKoUDBwEBAQIwFQYJKoUDBwECAQIBBggqhQMHAQECAwRCBECjFpvp",
    b"MEgCAQAwHwYIKoUDBwEBAQEwEwYHKoUDAgIjAQYIKoUDBwEBAgIEIgQgKOF96tom",
    b"MEUCAQAwHAYGKoUDAgITMBIGByqFAwICIwEGByqFAwICHgEEIgQgdNfuHGmmTdPm",
    b"MHcCAQEEIPAKWV7+pZe9c5EubMNfAEKWRQtP/MvlO9HehwHmJssNoAoGCCqGSM49",
    b"MIIDTQIBAAKCAQEAh60B6yPMRIT7udq2kKuwnQDohvT1U0w+RJcSr23C05cM/Ovn",
    b"MIIEogIBAAKCAQEA6yCv+BLrRP/dMPBXJWK21c0aqxIX6JkODL4K+zlyEURt8/Wp",
    b"MIIBxwIBAAJhAKD0YSHy73nUgysO13XsJmd4fHiFyQ+00R7VVu2iV9Qco",
)


def is_a_login(found):
    """Whether this is the base64 of a user and a password, as Docker stores them."""
    try:
        user, colon, password = base64.b64decode(found.group(1), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(user and colon and password and (user + password).isprintable())


def is_no_placeholder(found):
    return not any(PLACEHOLDER.search(part) for part in found.groups())


def is_no_example(found):
    return b"EXAMPLE" not in found.group() and b"XXXX" not in found.group()


def is_not_public(found):
    return not any(public in found.group() for public in PUBLIC)


def always(_found):
    return True


# Each pattern begins with literal bytes, which Python finds many times faster than a set; what must stand before them
# is asked afterwards.
KINDS = [
    Kind(
        "a private key",
        b"PRIVATE KEY",
        re.compile(
            rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
            rb"(?:\s|\\n)+(?:[A-Za-z-]+: [^\n]*\n+)*[A-Za-z0-9+/=]{40,64}"
        ),
        is_not_public,
    ),
    Kind("a login at a registry", b'"auth"', re.compile(rb'"auth"\s*:\s*"([A-Za-z0-9+/]{4,4096}={0,2})"'), is_a_login),
    Kind(
        "a registry's token",
        b'"identitytoken"',
        re.compile(rb'"identitytoken"\s*:\s*"[^"\s]{16,4096}"'),
        always,
    ),
    Kind("a token of Docker", b"dckr_", re.compile(rb"dckr_[po]at_[A-Za-z0-9_-]{20}"), always),
    *(
        Kind(
            "an access key of AWS",
            prefix,
            re.compile(prefix + rb"(?<![A-Z0-9]" + prefix + rb")[A-Z2-7]{16}(?![A-Z0-9])"),
            is_no_example,
        )
        for prefix in (b"AKIA", b"ASIA")
    ),
    *(
        Kind(
            "a secret key of AWS",
            name,
            re.compile(
                name + rb"_?(?:[Aa]ccess_?|ACCESS_)?(?:[Kk]ey|KEY)"
                rb"""["']?\s{0,9}[=:]\s{0,9}["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"""
            ),
            is_no_example,
        )
        for name in (b"secret", b"Secret", b"SECRET")
    ),
    *(
        Kind("a token of GitHub", prefix, re.compile(prefix + rb"[A-Za-z0-9]{36}"), always)
        for prefix in (b"gho_", b"ghp_", b"ghr_", b"ghs_", b"ghu_")
    ),
    Kind("a token of GitHub", b"github_pat_", re.compile(rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"), always),
    Kind("a token of GitLab", b"glpat-", re.compile(rb"glpat-[A-Za-z0-9_-]{20}"), always),
    Kind(
        "a bearer token",
        b"earer ",
        re.compile(rb"uthorization\W{1,4}[Bb]earer (?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20}"),
        always,
    ),
    Kind(
        "a JSON web token",
        b".eyJ",
        re.compile(rb"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10}"),
        is_not_public,
    ),
    Kind(
        "a password for machines",
        b"machine",
        re.compile(rb"machine(?<!\Smachine)\s+(\S{1,255})\s+login\s+\S{1,255}\s+password\s+(\S{1,255})"),
        is_no_placeholder,
    ),
    Kind(
        "a password in a URL",
        b"://",
        re.compile(
            rb"://(?:(?<=http://)|(?<=https://)|(?<=ftp://)|(?<=socks5://)|(?<=socks5h://))[A-Za-z0-9._%+-]{1,128}"
            rb":((?:[A-Za-z0-9._~!+;=&-]|%[0-9A-Fa-f]{2}){3,128})@([A-Za-z0-9][A-Za-z0-9.-]*)"
        ),
        is_no_placeholder,
    ),
]


def canary(text):
    """A kind of one's own: this text, which was never to be written."""
    needle = text.encode()
    return Kind("the canary", needle, re.compile(re.escape(needle)), always)


def search(path, kinds):
    """Yield the findings in a file, in their order within each few megabytes."""
    with open(path, "rb", buffering=0) as stream:
        line = 1
        for offset, window, fresh in windows(stream):
            for what, start in matches(window, kinds):
                if start < fresh:  # one that begins later is the next window's
                    yield Finding(what, line + window.count(b"\n", 0, start), offset + start)
            line += window.count(b"\n", 0, fresh)


def matches(window, kinds):
    for kind in kinds:
        if kind.needle in window:
            for found in kind.pattern.finditer(window):
                if kind.is_real(found):
                    yield kind.what, found.start()


def windows(stream):
    """Yield (offset, bytes, how many of them the next window does not repeat) of a file, without its holes."""
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
    """Where there is data from the offset on, or None at the end of the file."""
    try:
        return os.lseek(stream.fileno(), offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        if error.errno == errno.EINVAL:  # a file system that knows no holes
            return offset
        raise
