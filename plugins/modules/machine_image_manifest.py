#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: machine_image_manifest
short_description: Describe the software of a host or a machine image, and what built it
version_added: 0.1.0
description:
  - Lists all packages in the rpm database, with the key that signed them, and the release of the operating system.
  - Works in a chroot without C(/proc).
options:
  release_file:
    description: The file with the RV(release) of an earlier run; its time is kept if nothing else has changed.
    type: path
    default: /etc/slipway-release
  collection_version:
    description: Version of this collection.
    type: str
    required: true
  commit:
    description: Commit of this collection, empty if unknown.
    type: str
    default: ""
  ansible_core_version:
    description: Version of ansible-core on the controller.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes.info
seealso:
  - plugin: slipway.platform.collection_origin
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Describe this host
  slipway.platform.machine_image_manifest:
    collection_version: "{{ lookup('slipway.platform.collection_origin').version }}"
    ansible_core_version: "{{ ansible_version.full }}"
"""

RETURN = r"""
manifest:
  description: The C(format) of this dictionary, the C(os), the values of RV(release), and the sorted C(packages).
  returned: success
  type: dict
release:
  description: The text for O(release_file), in the format of os-release.
  returned: success
  type: str
"""

import time

from ansible_collections.slipway.platform.plugins.module_utils.host import os_release
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.packages import manifest as packages_manifest


def answer_of_rpm(module):
    command = [module.get_bin_path("rpm", required=True), "--query", "--all", "--queryformat"]
    code, answer, errors = module.run_command(
        [*command, packages_manifest.QUERY_FORMAT], environ_update={"LC_ALL": "C"}
    )
    if code or not answer:
        said = " ".join(errors.split()) or "it lists no package"
        remedy = "repair its database with rpm --rebuilddb, then run again"
        module.fail_json(msg=f"rpm cannot list the packages ({said}): {remedy}. Nothing was changed.")
    return answer


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "release_file": {"type": "path", "default": "/etc/slipway-release"},
            "collection_version": {"type": "str", "required": True},
            "commit": {"type": "str", "default": ""},
            "ansible_core_version": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    packages = packages_manifest.packages(answer_of_rpm(module))
    made_by = {
        "SLIPWAY_VERSION": params["collection_version"],
        "SLIPWAY_COMMIT": params["commit"],
        "SLIPWAY_ANSIBLE_CORE_VERSION": params["ansible_core_version"],
    }
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    release = packages_manifest.release(made_by, packages, read_text(params["release_file"]) or "", now)
    manifest = {
        "format": packages_manifest.FORMAT,
        "os": packages_manifest.operating_system(os_release.read()),
        "packages": packages,
        "release": release,
    }
    module.exit_json(changed=False, manifest=manifest, release=packages_manifest.text_of(release))


if __name__ == "__main__":
    main()
