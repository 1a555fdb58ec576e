# SPDX-License-Identifier: Apache-2.0
"""Makes text of an image, a registry or an engine safe to print: it cannot control the terminal."""


def printable(text: str) -> str:
    """Return a text, of one or more lines, with everything that is not printable escaped."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1] for character in text
    )
