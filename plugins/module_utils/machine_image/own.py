# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what a module itself runs from, on a host that is looked at while it runs. Ansible removes it afterwards."""

import os


def folders(module_file):
    """The folders of the module's archive, and of the program that unpacked it unless that came through a pipe."""
    with open("/proc/self/cmdline") as stream:
        arguments = stream.read().split("\0")
    archive, inside, _ = module_file.partition(".zip/")
    programs = [path for path in arguments if os.path.basename(path).startswith("AnsiballZ_")]
    return [os.path.dirname(path) for path in programs + [archive] * bool(inside)]
