# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Computes the fingerprints of an OpenPGP public key file, so that a key is judged before rpm ever sees it."""

import base64
import binascii
import hashlib
import re

ARMOR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)
CRC24_INIT = 0xB704CE
CRC24_POLY = 0x1864CFB
PUBLIC_KEY_TAG = 6
SECRET_KEY_TAGS = (5, 7)


class OpenPgpError(ValueError):
    """The data is not a well-formed OpenPGP public key file."""


def crc24(data):
    """The checksum of ASCII armor (RFC 4880, section 6.1)."""
    crc = CRC24_INIT
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= CRC24_POLY
    return crc & 0xFFFFFF


def decode_block(block):
    """The bytes of one armored block, its checksum verified when it has one."""
    lines = [line.strip() for line in block.splitlines()]
    if b"" in lines:  # armor headers end at the first blank line
        lines = lines[lines.index(b"") + 1 :]
    checksums = [line[1:] for line in lines if line.startswith(b"=")]
    try:
        data = base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")), validate=True)
        expected = [int.from_bytes(base64.b64decode(checksum, validate=True), "big") for checksum in checksums]
    except binascii.Error as error:
        raise OpenPgpError(f"its ASCII armor is damaged ({error})") from error
    if any(checksum != crc24(data) for checksum in expected):
        raise OpenPgpError("its ASCII armor is damaged (the checksum differs)")
    return data


def dearmor(data):
    """The binary form of a key file that may be armored (several blocks are joined) or binary already."""
    if data[:1] and data[0] & 0x80:
        return data
    blocks = ARMOR.findall(data)
    if not blocks:
        raise OpenPgpError("it is not an OpenPGP public key file")
    return b"".join(decode_block(block) for block in blocks)


def take(data, start, count):
    """A slice that must be complete."""
    if start + count > len(data):
        raise OpenPgpError("it ends in the middle of a packet")
    return data[start : start + count]


def old_length(data, position, kind):
    """Length and position of the body of an old-format packet."""
    if kind == 3:
        return len(data) - position, position
    size = 1 << kind
    return int.from_bytes(take(data, position, size), "big"), position + size


def new_length(data, position):
    """Length and position of the body of a new-format packet."""
    first = take(data, position, 1)[0]
    if first < 192:
        return first, position + 1
    if first < 224:
        return ((first - 192) << 8) + take(data, position + 1, 1)[0] + 192, position + 2
    if first == 255:
        return int.from_bytes(take(data, position + 1, 4), "big"), position + 5
    raise OpenPgpError("it has a packet of partial length, which a key may not have")


def packets(data):
    """Yield (tag, body) for every packet (RFC 9580, section 4.2)."""
    position = 0
    while position < len(data):
        header = data[position]
        if not header & 0x80:
            raise OpenPgpError("it holds data that is no OpenPGP packet")
        if header & 0x40:
            tag = header & 0x3F
            length, position = new_length(data, position + 1)
        else:
            tag = header >> 2 & 0x0F
            length, position = old_length(data, position + 1, header & 3)
        yield tag, take(data, position, length)
        position += length


def fingerprint(body):
    """The fingerprint of a public key packet's body, in upper-case hexadecimal."""
    version = take(body, 0, 1)[0]
    if version == 4:
        return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()
    if version == 6:
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    raise OpenPgpError(f"it holds a key of version {version}, which is not supported")


def fingerprints(data):
    """The fingerprints of all primary keys in an armored or binary key file."""
    found = []
    for tag, body in packets(dearmor(data)):
        if tag in SECRET_KEY_TAGS:
            raise OpenPgpError("it holds a secret key")
        if tag == PUBLIC_KEY_TAG:
            found.append(fingerprint(body))
    if not found:
        raise OpenPgpError("it holds no public key")
    return found


def normalise_fingerprint(text):
    """Upper-case hexadecimal without spaces, refused unless it has the length of a fingerprint."""
    value = re.sub(r"\s", "", text).upper()
    if not re.match(r"\A(?:[0-9A-F]{40}|[0-9A-F]{64})\Z", value):
        raise OpenPgpError(f"'{text}' is not a fingerprint: give all 40 hexadecimal digits")
    return value


def untrusted(data, pinned):
    """The fingerprints in the key file that are not pinned."""
    allowed = {normalise_fingerprint(item) for item in pinned}
    return [item for item in fingerprints(data) if item not in allowed]
