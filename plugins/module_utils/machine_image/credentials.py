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

Kind = collections.namedtuple("Kind", "what pattern is_real")
# Where it begins: the line for people who read a file, the byte for a disk. Never the secret itself.
Finding = collections.namedtuple("Finding", "what line byte")

# What documentation says in place of a password, and the hosts that are reserved for it (RFC 2606). It is all of a
# value: a strong password may well hold any of these characters.
PLACEHOLDER = re.compile(
    rb"(?i)\W?(?:\$\w+|\$?\{.*\}|\$?\(.*\)|<.*>|\[.*\]|%\w|%\(\w+\)s|\*+|x+|\.+"
    rb"|pass|passwd|password|pw|pwd|secret|token|foo|bar|baz|xyz|xyzzy|guest"
    rb"|(?:.*\.)?example\.(?:com|net|org))\W?"
)
# Published, and on every machine: the logins of RFC 7617 and RFC 6749, the tokens of jwt.io and PyJWT, the keys of
# GnuTLS's own test, cloud-init's example.
PUBLIC = (
    b"QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    b"czZCaGRSa3F0MzpnWDFmQmF0M2JW",
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
# Where a word begins, also after a line break that JSON has escaped.
WORD = re.compile(rb"(?<![A-Za-z0-9])|(?<=\\[nrt])")
# What only a section of a repository, of dnf or of the subscription manager has.
REPOSITORY = re.compile(rb"(?m)^(?:baseurl|metalink|mirrorlist|proxy|proxy_hostname)[ \t]*=")
LONGEST_SECTION = 4 << 10


def is_a_login(found):
    """Whether this is the base64 of a user and a password, as Docker stores them."""
    return bool(password_of_login(found.group(1)))


def is_a_header(found):
    """Whether this is a login, and none that shows how it is done."""
    password = password_of_login(found.group(1))
    return bool(password and not PLACEHOLDER.fullmatch(password.encode())) and is_not_public(found)


def password_of_login(text):
    """The password of user:password in base64, or nothing."""
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if user and (user + password).isprintable() else ""


def is_no_placeholder(found):
    return not any(PLACEHOLDER.fullmatch(part) for part in found.groups())


def is_no_example(found):
    return not any(example in found.group().upper() for example in (b"EXAMPLE", b"XXXX"))


def is_a_token(found):
    return bool(WORD.match(found.string, found.start())) and is_no_example(found)


def is_not_public(found):
    return not any(public in found.group() for public in PUBLIC)


def is_a_packed_key(found):
    return b"PRIVATE KEY" in base64.b64decode(found.group())


def is_of_a_repository(found):
    """Whether the section of the line is one: elsewhere, password= may be anything."""
    first = found.string.rfind(b"\n[", max(found.start() - LONGEST_SECTION, 0), found.start())
    last = found.string.find(b"\n[", found.end(), found.end() + LONGEST_SECTION)
    section = found.string[max(first, found.start() - LONGEST_SECTION, 0) : last if last >= 0 else None]
    return is_no_placeholder(found) and bool(REPOSITORY.search(section))


def always(_found):
    return True


# Line breaks and what a line is indented by; JSON escapes breaks, once or more.
BREAK = rb"(?:[\r\n]|\\+[nr])"
GAP = rb"(?:\s|\\+[nr])"
IS = rb"""\\*["']?\s{0,9}[=:>]\s{0,9}\\*["']?"""
USER = rb"[A-Za-z0-9._~!$&'()*+,;=@%-]"
PASSWORD = rb"[A-Za-z0-9._~!$&'()*+,;=@%:-]"

# Tokens that begin as no others do.
TOKENS = [
    ("a token of Docker", rb"dckr_[po]at_[A-Za-z0-9_-]{20}"),
    ("an access key of AWS", rb"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("a token of GitHub", rb"gh[oprsu]_[A-Za-z0-9]{36}"),
    ("a token of GitHub", rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("a token of GitLab", rb"gl(?:agent|cbt|dt|ft|pat|ptt|rt|soat)-[A-Za-z0-9_-]{20}"),
    ("a token of Slack", rb"xox[abeoprs]-[0-9]{1,20}-[A-Za-z0-9-]{20}"),
    ("a webhook of Slack", rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,20}/[A-Z0-9]{8,20}/\w{20}"),
    ("a token of npm", rb"npm_[A-Za-z0-9]{36}"),
    ("a token of PyPI", rb"pypi-AgE[A-Za-z0-9_-]{50}"),
    ("a token of Vault", rb"hv[bs]\.[A-Za-z0-9_-]{24}"),
    ("a key of Google", rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("a key of Stripe", rb"sk_live_[A-Za-z0-9]{24}"),
    ("a key of Stripe", rb"rk_live_[A-Za-z0-9]{24}"),
    ("a key of SendGrid", rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("a token of DigitalOcean", rb"do[opr]_v1_[0-9a-f]{64}"),
    ("a private key", rb"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
]
# Each pattern begins with literal bytes, which Python finds many times faster than a set; what must stand before them
# is asked afterwards.
KINDS = [Kind(what, re.compile(pattern), is_a_token) for what, pattern in TOKENS] + [
    Kind(
        "a private key",  # PEM, OpenSSH, PGP, SSH2
        re.compile(
            rb"----[ -]BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?[ -]----"
            + GAP
            + rb"{1,99}(?:[A-Za-z-]+: [^\r\n\\]{0,255}"
            + BREAK
            + GAP
            + rb"{0,99}){0,9}[A-Za-z0-9+/=]{40,64}"
        ),
        is_not_public,
    ),
    # -----BEGIN in base64, as in a kubeconfig; and as much as tells what begins.
    Kind("a private key", re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{34}"), is_a_packed_key),
    Kind("a private key", re.compile(rb"Private-Lines: [0-9]+\s{1,2}[A-Za-z0-9+/=]{40}"), always),  # PuTTY
    *(
        Kind("a private key", re.compile(pattern), always)  # GnuPG
        for pattern in (
            rb"\(11:private-key\([0-9]:[a-z]+\([0-9]+:[a-z]+[0-9]+:",
            rb"\(21:protected-private-key\([0-9]:[a-z]+\([0-9]+:[a-z]+[0-9]+:",
            rb"Key: \((?:protected-)?private-key \([a-z]+ ?\(",
        )
    ),
    Kind("a login at a registry", re.compile(rb'"auth"\s*:\s*"([A-Za-z0-9+/]{4,4096}={0,2})"'), is_a_login),
    Kind("a registry's token", re.compile(rb'"identitytoken"\s*:\s*"[^"\s]{16,4096}"'), always),
    *(
        Kind(
            "a secret key of AWS",
            re.compile(
                name + rb"_?(?:[Aa]ccess_?|ACCESS_)?(?:[Kk]ey|KEY)" + IS + rb"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
            ),
            is_no_example,
        )
        for name in (b"ecret", b"SECRET")
    ),
    *(
        Kind("a session token of AWS", re.compile(name + IS + rb"[A-Za-z0-9/+=]{100}"), is_no_example)
        for name in (rb"ession(?:_t|T)oken", rb"SESSION_TOKEN")
    ),
    Kind(
        "a bearer token",
        re.compile(rb"uthorization\W{1,4}[Bb]earer (?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20}"),
        always,
    ),
    Kind("a login over HTTP", re.compile(rb"uthorization\W{1,4}[Bb]asic ([A-Za-z0-9+/]{4,4096}={0,2})"), is_a_header),
    Kind(
        "a JSON web token",
        re.compile(rb"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10}"),
        is_not_public,
    ),
    Kind(
        "a password for machines",
        re.compile(rb"machine(?<!\Smachine)\s+(\S{1,255})\s+login\s+(?!anonymous\s)\S{1,255}\s+password\s+(\S{1,255})"),
        is_no_placeholder,
    ),
    Kind(
        "a password for machines",
        re.compile(rb"(?m)default(?<=^default)[ \t]+login\s+(?!anonymous\s)\S{1,255}\s+password\s+(\S{1,255})"),
        is_no_placeholder,
    ),
    Kind(
        "a password of a repository or a proxy",
        re.compile(rb"(?m)password(?:(?<=^password)|(?<=^proxy_password))[ \t]*=[ \t]*(\S{1,255})"),
        is_of_a_repository,
    ),
    Kind(
        "a password in a URL",
        re.compile(
            rb"://(?<=[A-Za-z0-9]://)" + USER + rb"{0,128}:(" + PASSWORD + rb"{3,128})@([A-Za-z0-9][A-Za-z0-9.-]*)"
        ),
        is_no_placeholder,
    ),
]


def canary(text):
    """A kind of one's own: this text, which was never to be written."""
    return Kind("the canary", re.compile(re.escape(text.encode())), always)


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
