# SPDX-License-Identifier: Apache-2.0
"""OpenPGP key files that hide a second key: a validator may overlook it, but rpm, dnf or gpg import it."""

import base64
import zlib

from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp


def packet(body: bytes, tag: int = openpgp.PUBLIC_KEY_TAG) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def armor(data: bytes, newline: str = "\n") -> bytes:
    encoded = base64.b64encode(data).decode()
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    checksum = "=" + base64.b64encode(openpgp.crc24(data).to_bytes(3, "big")).decode()
    begin, end = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return newline.join(["", begin, "Version: 1", "", *lines, checksum, end, ""]).encode()


def hidden(pinned: bytes, foreign: bytes) -> dict[str, bytes]:
    """Return key files with a pinned and a foreign key (both binary) that hide the foreign one."""
    block, foreign_block = armor(pinned), armor(foreign)
    foreign_lines = foreign_block.split(b"\n\n", 1)[1].split(b"\n=")[0]
    deflate = zlib.compressobj(wbits=-15)
    compressed = b"\x01" + deflate.compress(foreign) + deflate.flush()
    as_private = foreign_block.replace(b"PUBLIC", b"PRIVATE")
    return {
        "begin line with two carriage returns": block + foreign_block.replace(b"BLOCK-----\n", b"BLOCK-----\r\r\n", 1),
        "unknown packet before the key": packet(foreign_block, 60) + pinned,
        "base64 among the armor headers": block.replace(b"Version: 1\n", b"Version: 1\n" + foreign_lines + b"\n"),
        "private key block": block + as_private,
        "secret key block": block + as_private.replace(b"PRIVATE", b"SECRET"),
        "compressed packet": armor(pinned + packet(compressed, 8)),
        "literal packet": armor(pinned + packet(b"b\x00\x00\x00\x00\x00" + foreign, 11)),
        "marker packet": armor(packet(foreign_block, 10) + pinned),
        "padding packet": armor(pinned + packet(foreign, 21)),
        "packet without a length": armor(pinned + b"\x8b" + foreign),
        "text before the key": b"a preface\n" + block,
        "text after the key": block + foreign_lines,
        "second block without an end": block + foreign_block.replace(b"-----END", b"-----FIN"),
        "begin line inside the key": block.replace(b"\n=", b"\n" + foreign_block + b"\n=", 1),
        "NUL before a second block": block + b"\0" + foreign_block,
        "signature before the key": armor(packet(b"", 2) + pinned),
        "the key twice": armor(pinned + pinned),
        "plainly appended": armor(pinned + foreign),
        "another block": block + foreign_block,
    }
