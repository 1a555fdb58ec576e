# SPDX-License-Identifier: Apache-2.0
"""The one exception that the lab's user sees."""


class LabError(Exception):
    """What is wrong, where, and the remedy, in sentences for the person at the keyboard."""
