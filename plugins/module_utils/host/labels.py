# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""SELinux labels of files that are created or replaced; without SELinux, there are none.

The kernel gives a new file the label of its directory. The policy may have another one for its path, and a file that is
replaced may have one that somebody set.
"""

import contextlib
import os

try:
    from ansible.module_utils.compat import selinux
except ImportError:  # the host has no libselinux
    selinux = None


def wanted(path, kind):
    """Return the label of the file at a path, or the policy's for a new one of that kind (stat.S_IFREG); else None."""
    if selinux is None or selinux.is_selinux_enabled() != 1:
        return None
    try:
        return selinux.lgetfilecon_raw(path)[1] if os.path.lexists(path) else selinux.matchpathcon(path, kind)[1]
    except OSError:  # the file system has no labels, or the policy none for the path
        return None


def put(path, label):
    """Set a label that is not None; where the policy refuses that, the kernel's stays."""
    if label is not None:
        with contextlib.suppress(OSError):
            selinux.lsetfilecon(path, label)
