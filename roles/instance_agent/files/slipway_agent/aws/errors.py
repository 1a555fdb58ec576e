# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Errors of requests to AWS."""


class AwsError(Exception):
    """A request failed. The message is for the user, includes the remedy and contains no secret."""


class LastingError(AwsError):
    """An error that persists until somebody fixes it. Others may pass, such as a network that is not up yet."""


def one_line(text, length=300):
    """Return a server's message on one line of limited length, without characters that would control a terminal."""
    line = " ".join(text.split())[:length]
    return "".join(character if character.isprintable() else "?" for character in line)
