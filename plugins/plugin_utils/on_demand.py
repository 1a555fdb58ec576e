# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Functions whose modules are imported when they are first called.

Ansible loads all filters of a collection in each process that needs one of them, a process being a task on a host, and
compiles what they import anew: a task with one small filter would cost more than the connection to its host.
"""

import importlib

PLUGINS = __name__.rpartition(".plugin_utils.")[0]


def on_demand(name):
    """Return a function of this collection's plugins by its name, such as "plugin_utils.fleet_scaling.size"."""
    module, _, function = name.rpartition(".")

    def call(*args, **kwargs):
        return getattr(importlib.import_module(f"{PLUGINS}.{module}"), function)(*args, **kwargs)

    return call
