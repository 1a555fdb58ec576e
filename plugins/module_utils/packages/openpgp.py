# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Parse OpenPGP public key files strictly, and write the pinned keys in one canonical form.

rpm, dnf and gpg parse key files differently: what one skips, another accepts as a key. So received bytes are never
passed on: a file is rejected unless every byte of it is understood, and other programs read only what is written here.
"""

import base64
import binascii
import collections
import hashlib
import re

BEGIN = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
END = b"-----END PGP PUBLIC KEY BLOCK-----"
ARMOR_HEADER = re.compile(rb"\A(?:Charset|Comment|Hash|MessageID|Version):(?: [ -~]*)?\Z")
BASE64 = re.compile(rb"\A[A-Za-z0-9+/]+={0,2}\Z")
CHECKSUM = re.compile(rb"\A=[A-Za-z0-9+/]{4}\Z")
LINE_LENGTH = 64
MOST_KEYS = 100  # in a file; a server could send a million, and every one is compared and named
CRC24_INIT = 0xB704CE
CRC24_POLY = 0x1864CFB
SIGNATURE_TAG = 2
PUBLIC_KEY_TAG = 6
USER_ID_TAG = 13
PUBLIC_SUBKEY_TAG = 14
USER_ATTRIBUTE_TAG = 17
SECRET_KEY_TAGS = (5, 7)
KNOWN_TAGS = (SIGNATURE_TAG, PUBLIC_KEY_TAG, USER_ID_TAG, PUBLIC_SUBKEY_TAG, USER_ATTRIBUTE_TAG)

# The packets, as (tag, body), of the primary key, and a list of them for each subkey; the key's own packet is first.
Certificate = collections.namedtuple("Certificate", "packets subkeys")


class OpenPgpError(ValueError):
    """The data is not a well-formed OpenPGP public key file; str() is a clause about "it"."""


def crc24(data):
    """Return the checksum of ASCII armor (RFC 4880, section 6.1)."""
    crc = CRC24_INIT
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= CRC24_POLY
    return crc & 0xFFFFFF


def dearmor(data):
    """Return the binary form of a key file, whether armored (several blocks are joined) or binary."""
    if data[:1] and data[0] & 0x80:
        return data
    lines = [line[:-1] if line.endswith(b"\r") else line for line in data.split(b"\n")]
    lines = [line.rstrip(b" \t") for line in lines]
    if BEGIN not in lines:
        raise OpenPgpError("it is not an OpenPGP public key file")
    decoded, position = b"", 0
    while position < len(lines):
        if not lines[position]:
            position += 1
            continue
        if lines[position] != BEGIN:
            raise OpenPgpError(f"line {position + 1} is outside its ASCII armor: remove everything but the key")
        try:
            end = lines.index(END, position)
        except ValueError:
            raise OpenPgpError("its ASCII armor has no end") from None
        decoded += decode_block(lines[position + 1 : end])
        position = end + 1
    return decoded


def decode_block(lines):
    """Return the bytes of one armored block, given the lines between its first and last."""
    if b"" not in lines:
        raise OpenPgpError("its ASCII armor is damaged (no blank line before the key)")
    blank = lines.index(b"")
    headers, encoded = lines[:blank], lines[blank + 1 :]
    checksum = encoded.pop() if encoded and CHECKSUM.match(encoded[-1]) else None
    if not all(ARMOR_HEADER.match(line) for line in headers):
        raise OpenPgpError("its ASCII armor is damaged (an unknown header)")
    if not all(BASE64.match(line) for line in encoded):
        raise OpenPgpError("its ASCII armor is damaged (a line that is not base64)")
    try:
        data = base64.b64decode(b"".join(encoded), validate=True)
        expected = base64.b64decode(checksum[1:], validate=True) if checksum else None
    except binascii.Error as error:
        raise OpenPgpError(f"its ASCII armor is damaged ({error})") from error
    if expected is not None and int.from_bytes(expected, "big") != crc24(data):
        raise OpenPgpError("its ASCII armor is damaged (the checksum differs)")
    return data


def armor(data):
    """Return one certificate in ASCII armor, without headers, which rpm, dnf and gpg all read the same way."""
    encoded = base64.b64encode(data)
    lines = [encoded[start : start + LINE_LENGTH] for start in range(0, len(encoded), LINE_LENGTH)]
    checksum = b"=" + base64.b64encode(crc24(data).to_bytes(3, "big"))
    return b"\n".join([BEGIN, b"", *lines, checksum, END, b""])


def take(data, start, count):
    """Return a slice of the data; raise OpenPgpError if the data is too short."""
    if start + count > len(data):
        raise OpenPgpError("it ends in the middle of a packet")
    return data[start : start + count]


def old_length(data, position, kind):
    """Return length and position of the body of an old-format packet."""
    if kind == 3:
        raise OpenPgpError("it contains a packet of indeterminate length, which is not allowed in a key")
    size = 1 << kind
    return int.from_bytes(take(data, position, size), "big"), position + size


def new_length(data, position):
    """Return length and position of the body of a new-format packet."""
    first = take(data, position, 1)[0]
    if first < 192:
        return first, position + 1
    if first < 224:
        return ((first - 192) << 8) + take(data, position + 1, 1)[0] + 192, position + 2
    if first == 255:
        return int.from_bytes(take(data, position + 1, 4), "big"), position + 5
    raise OpenPgpError("it contains a packet of partial length, which is not allowed in a key")


def packets(data):
    """Yield (tag, body) for every packet (RFC 9580, section 4.2)."""
    position = 0
    while position < len(data):
        header = data[position]
        if not header & 0x80:
            raise OpenPgpError("it contains data that is not an OpenPGP packet")
        if header & 0x40:
            tag = header & 0x3F
            length, position = new_length(data, position + 1)
        else:
            tag = header >> 2 & 0x0F
            length, position = old_length(data, position + 1, header & 3)
        yield tag, take(data, position, length)
        position += length


def encode(tag, body):
    """Encode one packet, with its header as gpg writes it."""
    if tag > 15:
        return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body
    kind = 0 if len(body) < 1 << 8 else 1 if len(body) < 1 << 16 else 2
    return bytes([0x80 | tag << 2 | kind]) + len(body).to_bytes(1 << kind, "big") + body


def fingerprint(body):
    """Return the fingerprint of a public key packet's body, in upper-case hexadecimal."""
    version = take(body, 0, 1)[0]
    if version == 4:
        if len(body) >= 1 << 16:
            raise OpenPgpError("it contains a key that is too long")
        return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()
    if version == 6:
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    raise OpenPgpError(f"it contains a key of version {version}, which is not supported")


def certificates(data):
    """Parse an armored or binary key file; raise OpenPgpError unless every packet is known and in order."""
    found = []  # type: list[Certificate]
    for tag, body in packets(dearmor(data)):
        if tag in SECRET_KEY_TAGS:
            raise OpenPgpError("it contains a secret key")
        if tag not in KNOWN_TAGS:
            raise OpenPgpError(f"it contains a packet of type {tag}, which does not belong in a public key")
        if tag == PUBLIC_KEY_TAG:
            if len(found) == MOST_KEYS:
                raise OpenPgpError(f"it contains more than {MOST_KEYS} keys")
            found.append(Certificate([(tag, body)], []))
            continue
        if not found:
            raise OpenPgpError("it does not begin with a public key")
        add(found[-1], tag, body)
    if not found:
        raise OpenPgpError("it contains no public key")
    refuse_duplicates(found)
    return found


def add(certificate, tag, body):
    """Add a packet to the key it belongs to, the last one."""
    if tag == PUBLIC_SUBKEY_TAG:
        certificate.subkeys.append([(tag, body)])
    elif not certificate.subkeys:
        certificate.packets.append((tag, body))
    elif tag == SIGNATURE_TAG:
        certificate.subkeys[-1].append((tag, body))
    else:
        raise OpenPgpError("it contains a user ID after a subkey")


def refuse_duplicates(found):
    """Raise OpenPgpError if two certificates have the same key: programs may differ in which they use."""
    keys = [primary(certificate) for certificate in found]
    for key in keys:
        if keys.count(key) > 1:
            raise OpenPgpError(f"it contains the key {key} twice")


def primary(certificate):
    return fingerprint(certificate.packets[0][1])


def fingerprints(data):
    """Return the fingerprints of all primary keys in an armored or binary key file."""
    return [primary(certificate) for certificate in certificates(data)]


def all_fingerprints(data):
    """Return the fingerprints of all keys in a key file that may sign, including subkeys."""
    return [
        fingerprint(group[0][1])
        for certificate in certificates(data)
        for group in [certificate.packets, *certificate.subkeys]
    ]


def normalise_fingerprint(text):
    """Return a fingerprint in upper-case hexadecimal without spaces; raise OpenPgpError if it is not a full one."""
    value = re.sub(r"\s", "", text).upper()
    if not re.match(r"\A(?:[0-9A-F]{40}|[0-9A-F]{64})\Z", value):
        raise OpenPgpError(f"'{text}' is not a fingerprint: write all 40 hexadecimal digits")
    return value


def untrusted(data, pinned):
    """Return the fingerprints of the primary keys in the key file that are not pinned."""
    allowed = {normalise_fingerprint(item) for item in pinned}
    return [item for item in fingerprints(data) if item not in allowed]


def canonical(data, pinned):
    """Return the key file's pinned keys in canonical form, one armored block per certificate.

    A subkey is kept only if it is pinned itself: a primary key's fingerprint does not cover its subkeys, and old
    versions of rpm do not require a binding signature.
    """
    allowed = {normalise_fingerprint(item) for item in pinned}
    written = b""
    for certificate in certificates(data):
        if primary(certificate) in allowed:
            groups = [group for group in certificate.subkeys if fingerprint(group[0][1]) in allowed]
            kept = [packet for group in [certificate.packets, *groups] for packet in group]
            written += armor(b"".join(encode(tag, body) for tag, body in kept))
    return written
