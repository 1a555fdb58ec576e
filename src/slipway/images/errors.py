# SPDX-License-Identifier: Apache-2.0
"""The exception that slipway-images reports to the user."""


class ImageError(Exception):
    """Says what is wrong, with which image, and the remedy, in sentences for the user."""
