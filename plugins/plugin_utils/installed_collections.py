# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Other collections that roles need. Runs on the controller."""

import importlib

from ansible.errors import AnsibleFilterError


def with_collections(value, *names):
    """The value; an AnsibleFilterError with the remedy unless all collections are installed."""
    missing = [name for name in names if not is_installed(name)]
    if missing:
        raise AnsibleFilterError(
            "{} {} not installed on the controller: run 'ansible-galaxy collection install {}'".format(
                " and ".join(missing), "is" if len(missing) == 1 else "are", " ".join(missing)
            )
        )
    return value


def is_installed(name):
    try:
        importlib.import_module("ansible_collections." + name)
    except ImportError:
        return False
    return True
