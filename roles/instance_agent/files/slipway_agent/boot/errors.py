# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The error of a step."""


class StepError(Exception):
    """A step failed. The message is for the user, includes the remedy and contains no secret."""


class StoppedError(StepError):
    """The boot was stopped, by somebody or because the machine shuts down. It says nothing about the instance."""
