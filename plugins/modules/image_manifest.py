#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: image_manifest
short_description: Tell what a host or an image is made of, and by what
version_added: 0.1.0
description:
  - Lists every package that rpm knows, with the key that signed it, beside the release of the operating system.
  - Reads only. Works in a chroot without C(/proc).
options:
  release_file:
    description: The file in which an earlier run has left RV(release); its time stays where nothing else has changed.
    type: path
    default: /etc/slipway-release
  collection_version:
    description: Version of this collection.
    type: str
    required: true
  commit:
    description: Commit of this collection, empty where it is not known.
    type: str
    default: ""
  ansible_core_version:
    description: Version of ansible-core on the controller.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: Has no diff.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
seealso:
  - plugin: slipway.platform.collection_origin
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: See what this host is made of
  slipway.platform.image_manifest:
    collection_version: "{{ lookup('slipway.platform.collection_origin').version }}"
    ansible_core_version: "{{ ansible_version.full }}"
"""

RETURN = r"""
manifest:
  description: The C(format) of this, the C(os), the values of RV(release), and the C(packages), sorted.
  returned: success
  type: dict
release:
  description: The text for O(release_file), in the form of os-release.
  returned: success
  type: str
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import image_manifest
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text


def answer_of_rpm(module):
    command = [module.get_bin_path("rpm", required=True), "--query", "--all", "--queryformat"]
    code, answer, errors = module.run_command([*command, image_manifest.QUERY_FORMAT], environ_update={"LC_ALL": "C"})
    if code or not answer:
        said = " ".join(errors.split()) or "it lists none"
        module.fail_json(
            msg=f"rpm cannot list the packages: {said}. Mend its database, and run again. Nothing was changed."
        )
    return answer


def main():
    module = AnsibleModule(
        argument_spec={
            "release_file": {"type": "path", "default": "/etc/slipway-release"},
            "collection_version": {"type": "str", "required": True},
            "commit": {"type": "str", "default": ""},
            "ansible_core_version": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    packages = image_manifest.packages(answer_of_rpm(module))
    made_by = {
        "SLIPWAY_VERSION": params["collection_version"],
        "SLIPWAY_COMMIT": params["commit"],
        "SLIPWAY_ANSIBLE_CORE_VERSION": params["ansible_core_version"],
    }
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    release = image_manifest.release(made_by, packages, read_text(params["release_file"]) or "", now)
    manifest = {
        "format": image_manifest.FORMAT,
        "os": image_manifest.operating_system(read_text("/etc/os-release") or ""),
        "packages": packages,
        "release": release,
    }
    module.exit_json(changed=False, manifest=manifest, release=image_manifest.text_of(release))


if __name__ == "__main__":
    main()
