# SPDX-License-Identifier: Apache-2.0
"""The exception that the lab reports to the user."""


class LabError(Exception):
    """Says what is wrong, where, and the remedy, in sentences for the user."""
