# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Who can change what is in a directory."""

import os
import stat


def is_open_to_others(status):
    """Return whether anyone but root and this process's user can create files in a directory."""
    writers = stat.S_IWOTH if status.st_gid in (0, os.getegid()) else stat.S_IWOTH | stat.S_IWGRP
    return status.st_uid not in (0, os.geteuid()) or bool(status.st_mode & writers)
