# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The error that all parts of the mirror raise."""


class MirrorError(Exception):
    """The mirror cannot be created or updated; str() is the message for the user, without a full stop."""
