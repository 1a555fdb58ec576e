# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The one error that is the user's to read."""


class AwsError(Exception):
    """Something cannot be had; the text is the sentence for the user, with the remedy, and holds no secret."""


class LastingError(AwsError):
    """One that stays until somebody mends it, while others may pass, such as a network that comes late at a boot."""


def one_line(text, length=300):
    """What a server says, fit for a sentence."""
    return " ".join(text.split())[:length]
