# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""When certificates end: those of the engine's listener, and those for registries in certs.d."""

import calendar
import glob
import ssl
import time

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

PATTERNS = ("/etc/docker/tls/*.pem", "/etc/docker/certs.d/*/*.crt", "/etc/docker/certs.d/*/*.cert")
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0
DAY = 86400


def ends(deadline, options):
    """Return path and days left of every certificate, None for one that cannot be read; the first to end in a file."""
    found = []
    for path in sorted(path for pattern in PATTERNS for path in glob.glob(pattern)):
        text = read_text(path) or ""
        if BEGIN in text:
            found.append({"path": path, "days": days_left(text)})
    return found


def days_left(text, now=None):
    """Return the whole days until the first certificate in a PEM text ends, None if one cannot be read."""
    now = time.time() if now is None else now
    try:
        moments = [end_of(ssl.PEM_cert_to_DER_cert(BEGIN + part.partition(END)[0] + END)) for part in parts(text)]
    except (ValueError, IndexError, OverflowError):
        return None
    return int((min(moments) - now) // DAY)


def parts(text):
    return text.split(BEGIN)[1:]


def end_of(der):
    """Return notAfter of a certificate in seconds since 1970 (RFC 5280). Raises ValueError and IndexError."""
    _, content, _ = element(element(der, 0, SEQUENCE)[1], 0, SEQUENCE)  # tbsCertificate
    place = 0
    if content[0] == VERSION:
        place = element(content, place)[2]
    for _ in ("serialNumber", "signature", "issuer"):
        place = element(content, place)[2]
    validity = element(content, place, SEQUENCE)[1]
    kind, value, _ = element(validity, element(validity, 0)[2])
    return moment(kind, value.decode("ascii"))


def element(data, place, expected=None):
    """Return tag, content and end of the DER element at a place of the data."""
    tag, length, start = data[place], data[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + length > len(data) or expected not in (None, tag):
        raise ValueError("not a certificate")
    return tag, data[start : start + length], start + length


def moment(kind, text):
    if kind == UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif kind != GENERALIZED_TIME:
        raise ValueError("not a time")
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))
