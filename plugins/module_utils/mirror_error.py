# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A sentence for the user, from whatever part of the mirror cannot go on."""


class MirrorError(Exception):
    """The mirror cannot be made as asked; the text says what, where and the remedy, without a full stop."""
