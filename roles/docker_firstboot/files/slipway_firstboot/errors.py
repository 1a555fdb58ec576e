# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The one error that is the user's to read."""


class StepError(Exception):
    """A step of the boot fails; the text is the sentence for the user, with the remedy, and holds no secret."""
