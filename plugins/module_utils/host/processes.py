# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What runs on this host."""

import os


def is_replaced(pid):
    """Whether the program that a process runs was deleted or replaced."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    except OSError:
        return False
