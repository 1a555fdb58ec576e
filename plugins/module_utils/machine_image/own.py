# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the files that the running module consists of, to skip them on the host that it checks; Ansible removes them."""

import os
import traceback


def folders(module_file):
    """Return the directories of the module's zip, and of the wrapper that unpacked it unless that was piped in."""
    archive, inside, _ = module_file.partition(".zip/")
    # A chroot without /proc does not reveal the command line; but the wrapper that called the module is on the stack.
    files = {frame.f_code.co_filename for frame, _ in traceback.walk_stack(None)}
    programs = sorted(path for path in files if os.path.basename(path).startswith("AnsiballZ_"))
    return [os.path.dirname(path) for path in programs + [archive] * bool(inside)]
