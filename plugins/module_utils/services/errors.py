# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What can go wrong; str() of each is a message for the user, without a period."""


class ServicesError(Exception):
    """The projects cannot be deployed as asked."""


class CommandError(ServicesError):
    """A command failed; str() is its last message, output all that it said."""

    def __init__(self, message, output=""):
        super().__init__(message)
        self.output = output


class DeployError(ServicesError):
    """A version did not become healthy; str() says what runs now, with a period, details are the end of its log."""

    def __init__(self, message, details=()):
        super().__init__(message)
        self.details = list(details)
