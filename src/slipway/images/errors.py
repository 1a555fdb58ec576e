# SPDX-License-Identifier: Apache-2.0
"""The one exception that a person who makes images sees."""


class ImageError(Exception):
    """What is wrong, with which image, and the remedy, in sentences for the person at the keyboard."""
