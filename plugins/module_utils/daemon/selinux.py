# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""SELinux labels of a data root, equivalent to those of /var/lib/docker."""

import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

PACKAGE = "policycoreutils-python-utils"
SEMANAGE = "/usr/sbin/semanage"


class LabelError(Exception):
    """A label cannot be set; the message is the failed command and its output."""


def is_enabled(system="/"):
    return os.path.exists(os.path.join(system, "sys/fs/selinux/enforce"))


def without_selinux(options, baking, system="/"):
    """Return the options, and whether they lose selinux-enabled: SELinux is disabled, unless an image boots with it."""
    if baking or not options or options.get("selinux-enabled") is not True or is_enabled(system):
        return options, False
    return {key: value for key, value in options.items() if key != "selinux-enabled"}, True


def is_equivalent(root, system="/"):
    """Whether the local policy has the equivalence rule; read from its file, because semanage takes a second."""
    config = read_text(os.path.join(system, "etc/selinux/config")) or ""
    policy = re.search(r"^SELINUXTYPE=(\w+)", config, re.MULTILINE)
    name = policy.group(1) if policy else "targeted"
    rules = read_text(os.path.join(system, "etc/selinux", name, "contexts/files/file_contexts.subs")) or ""
    return [root, data_root.DEFAULT] in [line.split() for line in rules.splitlines()]


def is_pending(root, system="/"):
    """Whether the root has yet to be labelled."""
    return root != data_root.DEFAULT and is_enabled(system) and not is_equivalent(root, system)


def packages(root, system="/"):
    """The packages that labelling needs, to be installed along with the engine."""
    missing = is_pending(root, system) and not os.path.exists(os.path.join(system, SEMANAGE.lstrip("/")))
    return [PACKAGE] if missing else []


def commands(root):
    return [[SEMANAGE, "fcontext", "-a", "-e", data_root.DEFAULT, root], ["restorecon", "-R", root]]


def label(module, root):
    """Add a persistent equivalence rule and label the root, from which new files inherit. Raises LabelError."""
    os.makedirs(root, mode=0o710, exist_ok=True)
    for command in commands(root):
        code, output, errors = module.run_command(command)
        if code:
            raise LabelError("{}: {}".format(" ".join(command), " ".join((errors or output).split())))
