#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: machine_image_seal
short_description: Remove from a machine image what must not ship
version_added: 0.1.0
description:
  - Generalizes an image, as C(sysprep) does. Removes the machine's identity and the remains of the build - SSH host
    keys, authorized keys and shell histories of every user, logs, leases, seeds, caches, temporary files, credentials
    in their usual places, its names and accounts with storage, directory services and AWS, and the identity of the
    Docker engine.
  - Locks the passwords of users and groups, and accounts without a password.
  - Leaves an empty machine-id, and a preset that keeps the engine enabled if the first boot applies presets.
  - On a running system, it stops the services that would write again, including the engine. Nobody can log in by SSH
    afterwards. Power the machine off, then take the image.
  - Removed data may remain in free blocks of the disk. A secret that must not ship must never be written;
    M(slipway.platform.machine_image_check) finds it in the raw image.
options:
  root:
    description: The root folder of the operating system.
    type: path
    default: /
  enabled_units:
    description: Units that the preset keeps enabled, in addition to those of the engine and of Slipway.
    type: list
    elements: str
    default: []
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.attributes.machine_image
  - slipway.platform.machine_image
attributes:
  check_mode:
    support: full
    details: Lists what would be removed.
  diff_mode:
    support: full
    details: Lists paths, never the content of files.
  idempotent:
    support: full
    details: A second run finds nothing, unless somebody has logged in since.
seealso:
  - module: slipway.platform.machine_image_check
"""

EXAMPLES = r"""
- name: Seal the root file system that was unpacked at /mnt/image
  slipway.platform.machine_image_seal:
    root: /mnt/image

- name: Seal this machine, before it is powered off and its disk becomes an image
  slipway.platform.machine_image_seal:
    keep_keys_of: [ops]
"""

RETURN = r"""
sealed:
  description: Paths within the image that were removed or emptied.
  returned: success
  type: list
  elements: str
stopped:
  description: Units of a running system that were stopped.
  returned: success
  type: list
  elements: str
"""

import time

from ansible_collections.slipway.platform.plugins.module_utils.host import files, systemd
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, own
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError, printable
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal

# They keep files open, or write an identity again. The sockets first, or they would start their services again.
WRITERS = [
    "docker.socket",
    "docker.service",
    "containerd.service",
    "syslog.socket",
    "rsyslog.service",
    # These write when they are stopped, at the latest at power-off: the random seed, and the shutdown in wtmp.
    "systemd-random-seed.service",
    "systemd-update-utmp.service",
    "wtmpdb-update-boot.service",
]
AUDIT = "auditd.service"  # systemd may not stop it; it ends on a signal
AUDIT_SECONDS = 30


def running(module, names):
    """The running ones of these units."""
    output = module.run_command(systemd.show_command(names), check_rc=True)[1]
    return systemd.running(systemd.parse_show(output), names)


def stop(module, units):
    ordinary = [name for name in units if name != AUDIT]
    if ordinary:
        module.run_command(["systemctl", "stop", *ordinary], check_rc=True)
    if AUDIT in units:
        module.run_command(["systemctl", "kill", "--signal=TERM", AUDIT], check_rc=True)
        await_end(module)
    # From now on the journal is kept in memory. The systemd of EL 8 cannot do that; its open file is unlinked instead.
    module.run_command(["journalctl", "--relinquish-var"])


def await_end(module):
    """Wait until auditd, which may write until then, has ended."""
    deadline = time.monotonic() + AUDIT_SECONDS
    while running(module, [AUDIT]):
        if time.monotonic() > deadline:
            raise seal.SealError("{} has not stopped within {} s: stop it, then run again".format(AUDIT, AUDIT_SECONDS))
        time.sleep(0.1)


def look(params):
    """The image, and its violations; a TreeError if it cannot be sealed."""
    tree = Tree(params["root"], own.folders(__file__))
    seal.refuse_read_only(tree)
    violations = check.artefact_violations(tree, params["keep_keys_of"], params["keep_passwords_of"])
    seal.refuse_mounted(tree, violations)
    seal.refuse_longer_commands(tree, violations)
    return tree, violations


def run(module, tree, violations):
    params = module.params
    live = tree.root == "/" and systemd.is_booted()
    units = running(module, [*WRITERS, AUDIT]) if live else []
    if live and not module.check_mode:
        stop(module, units)
        # Including what they wrote when they stopped.
        violations = check.artefact_violations(tree, params["keep_keys_of"], params["keep_passwords_of"])
    sealed = [printable(tree.inside(violation.path)) for violation in violations]
    if not seal.preset_is_current(tree, params["enabled_units"]):
        sealed.append("/" + seal.PRESET)
    if not module.check_mode:
        for violation in violations:
            seal.fix(tree, violation, params["keep_passwords_of"])
        seal.write_preset(tree, params["enabled_units"])
    before = "".join(path + "\n" for path in sealed)
    return {
        "changed": bool(sealed or units),
        "sealed": sealed,
        "stopped": units,
        "diff": {"before_header": "must not ship", "after_header": "must not ship", "before": before, "after": ""},
    }


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "root": {"type": "path", "default": "/"},
            **shared_options.MACHINE_IMAGE,
            "enabled_units": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        tree, violations = look(module.params)
    except TreeError as error:
        module.fail_json(msg="{}. Nothing was changed.".format(printable(str(error))))
    try:
        module.exit_json(**run(module, tree, violations))
    except (TreeError, seal.SealError, files.WriteError) as error:
        module.fail_json(msg="{}.".format(printable(str(error))))


if __name__ == "__main__":
    main()
