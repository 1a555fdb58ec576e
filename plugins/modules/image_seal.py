#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: image_seal
short_description: Take from an image what must not ship
version_added: 0.1.0
description:
  - Removes what makes a machine this machine, and what a bake leaves behind - SSH host keys, authorized keys and shell
    histories of every user, logs, leases, seeds, caches, temporary files, credentials in their usual places, and the
    identity of the Docker engine.
  - Leaves the machine-id an empty file, and a preset that keeps the engine enabled where a first boot applies presets.
  - On a running system it stops what would write again, the engine among it. Nobody can log in by SSH afterwards. Power
    the machine off, and take the image.
  - What was removed may still be in free blocks of the disk. What must never ship must never be written;
    M(slipway.platform.image_check) of the raw image tells.
options:
  root:
    description: Root of the operating system.
    type: path
    default: /
  keep_keys_of:
    description: Users whose C(authorized_keys) stay.
    type: list
    elements: str
    default: []
  enabled_units:
    description: Units that the preset keeps enabled, beside the engine's and Slipway's own.
    type: list
    elements: str
    default: []
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Lists what would go, and changes nothing.
    support: full
  diff_mode:
    description: Lists paths, never what is in them.
    support: full
  idempotent:
    description: The second run finds nothing, unless somebody has logged in meanwhile.
    support: full
seealso:
  - module: slipway.platform.image_check
"""

EXAMPLES = r"""
- name: Seal the root file system that was unpacked at /mnt/image
  slipway.platform.image_seal:
    root: /mnt/image

- name: Seal this machine, before it is powered off and its disk becomes an image
  slipway.platform.image_seal:
    keep_keys_of: [ops]
"""

RETURN = r"""
sealed:
  description: What was removed or emptied, as the image names it.
  returned: success
  type: list
  elements: str
stopped:
  description: The units of a running system that were stopped.
  returned: success
  type: list
  elements: str
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import file_io, systemd_units
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, own, seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError, printable

# They keep files open, or write an identity again. The sockets first, or they would start their services anew.
WRITERS = [
    "docker.socket",
    "docker.service",
    "containerd.service",
    "syslog.socket",
    "rsyslog.service",
    # These write when they are stopped, at the latest when the machine is powered off: the seed, and the end in wtmp.
    "systemd-random-seed.service",
    "systemd-update-utmp.service",
    "wtmpdb-update-boot.service",
]
AUDIT = "auditd.service"  # which refuses to be stopped, and ends when it is told by a signal
AUDIT_SECONDS = 30


def running(module, names):
    """Those of the units that run."""
    output = module.run_command(systemd_units.show_command(names), check_rc=True)[1]
    return systemd_units.running(systemd_units.parse_show(output), names)


def stop(module, units):
    ordinary = [name for name in units if name != AUDIT]
    if ordinary:
        module.run_command(["systemctl", "stop", *ordinary], check_rc=True)
    if AUDIT in units:
        module.run_command(["systemctl", "kill", "--signal=TERM", AUDIT], check_rc=True)
        await_end(module)
    # From now on the journal is kept in memory. The systemd of EL 8 cannot; its open file goes unnamed instead.
    module.run_command(["journalctl", "--relinquish-var"])


def await_end(module):
    """Until then auditd may write."""
    deadline = time.monotonic() + AUDIT_SECONDS
    while running(module, [AUDIT]):
        if time.monotonic() > deadline:
            raise seal.SealError("{} has not ended within {} s: end it, and run again".format(AUDIT, AUDIT_SECONDS))
        time.sleep(0.1)


def look(params):
    """The image, and what of it must not ship; a TreeError if it cannot be sealed."""
    tree = Tree(params["root"], own.folders(__file__))
    seal.refuse_read_only(tree)
    violations = check.of_artefacts(tree, params["keep_keys_of"])
    seal.refuse_mounted(tree, violations)
    seal.refuse_longer_commands(tree, violations)
    return tree, violations


def run(module, tree, violations):
    params = module.params
    live = tree.root == "/" and systemd_units.is_booted()
    units = running(module, [*WRITERS, AUDIT]) if live else []
    if live and not module.check_mode:
        stop(module, units)
        violations = check.of_artefacts(tree, params["keep_keys_of"])  # with what they wrote at last
    sealed = [printable(tree.inside(violation.path)) for violation in violations]
    if not seal.preset_is_as_wanted(tree, params["enabled_units"]):
        sealed.append("/" + seal.PRESET)
    if not module.check_mode:
        for violation in violations:
            seal.amend(tree, violation)
        seal.write_preset(tree, params["enabled_units"])
    before = "".join(path + "\n" for path in sealed)
    return {
        "changed": bool(sealed or units),
        "sealed": sealed,
        "stopped": units,
        "diff": {"before_header": "must not ship", "after_header": "must not ship", "before": before, "after": ""},
    }


def main():
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/"},
            "keep_keys_of": {"type": "list", "elements": "str", "default": [], "no_log": False},
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
    except (TreeError, seal.SealError, file_io.WriteError) as error:
        module.fail_json(msg="{}.".format(printable(str(error))))


if __name__ == "__main__":
    main()
