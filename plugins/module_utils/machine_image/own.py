# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what a module itself runs from, on a host that is looked at while it runs. Ansible removes it afterwards."""

import os
import traceback


def folders(module_file):
    """The folders of the module's archive, and of the program that unpacked it unless that came through a pipe."""
    archive, inside, _ = module_file.partition(".zip/")
    # Of the command line, a chroot without /proc tells nothing; the program that called the module is on its stack.
    files = {frame.f_code.co_filename for frame, _ in traceback.walk_stack(None)}
    programs = sorted(path for path in files if os.path.basename(path).startswith("AnsiballZ_"))
    return [os.path.dirname(path) for path in programs + [archive] * bool(inside)]
