# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Prints the payload size of each module named on the command line, in bytes, as JSON.

A separate program, since Ansible's collection loader conflicts with plain imports of collections in one process.
"""

import json
import sys

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar


def size(name: str) -> int:
    """Return the size in bytes of the payload of a module, given by its fully qualified name."""
    built = modify_module(
        module_name=name,
        module_path=module_loader.find_plugin(name),
        module_args={},
        templar=Templar(DataLoader()),
        module_compression="ZIP_DEFLATED",
        task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
    )
    return len(built.b_module_data)


if __name__ == "__main__":
    init_plugin_loader()
    json.dump({name: size(name) for name in sys.argv[1:]}, sys.stdout)
