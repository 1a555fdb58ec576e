# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Labels a data root as the policy labels /var/lib/docker, where SELinux is on."""

import os
import re

from ansible_collections.slipway.platform.plugins.module_utils import data_root
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

PACKAGE = "policycoreutils-python-utils"
SEMANAGE = "/usr/sbin/semanage"


class LabelError(Exception):
    """A label cannot be set; the text is the reason."""


def is_on(system="/"):
    return os.path.exists(os.path.join(system, "sys/fs/selinux/enforce"))


def is_equivalent(root, system="/"):
    """Whether the local policy treats the root as /var/lib/docker; semanage takes a second to say so."""
    config = read_text(os.path.join(system, "etc/selinux/config")) or ""
    policy = re.search(r"^SELINUXTYPE=(\w+)", config, re.MULTILINE)
    name = policy.group(1) if policy else "targeted"
    rules = read_text(os.path.join(system, "etc/selinux", name, "contexts/files/file_contexts.subs")) or ""
    return [root, data_root.DEFAULT] in [line.split() for line in rules.splitlines()]


def is_wanted(root, system="/"):
    """Whether the root is still to be labelled."""
    return root != data_root.DEFAULT and is_on(system) and not is_equivalent(root, system)


def packages(root, system="/"):
    """What has to be installed for the labelling, in the transaction that installs the engine."""
    missing = is_wanted(root, system) and not os.path.exists(os.path.join(system, SEMANAGE.lstrip("/")))
    return [PACKAGE] if missing else []


def commands(root):
    return [[SEMANAGE, "fcontext", "-a", "-e", data_root.DEFAULT, root], ["restorecon", "-R", root]]


def label(module, root):
    """Make the rule that outlives a relabelling, and label what is there: the new root's files inherit from it."""
    os.makedirs(root, mode=0o710, exist_ok=True)
    for command in commands(root):
        code, output, errors = module.run_command(command)
        if code:
            raise LabelError("{}: {}".format(" ".join(command), " ".join((errors or output).split())))
