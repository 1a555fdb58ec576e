#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: trusted_packages
short_description: Install packages with dnf, those of one repository only if a pinned key signed them
version_added: 0.1.0
description:
  - Downloads all packages, verifies those from O(repository) with the pinned keys only, and lets dnf install them from
    its cache. If a package is not signed by a pinned key, it is reported and nothing is installed.
  - Other packages in the transaction are verified by dnf as their repositories are configured.
  - Installed packages that are given by name are not upgraded.
  - Waits up to a minute for a process that holds the lock of dnf or rpm, then fails with its PID.
options:
  packages:
    description:
      - Names, exact builds, or paths of rpm files on the host, installed in one transaction.
      - The signature of an rpm file is not verified, so verify its checksum before. Its dependencies are verified.
    type: list
    elements: str
    required: true
  exclude:
    description: Names of packages that must not be installed, such as weak dependencies.
    type: list
    elements: str
    default: []
  allow_erasing:
    description: Whether dnf may remove installed packages that conflict.
    type: bool
    default: false
  repository:
    description: The repository whose keys are pinned. If unset, only dnf verifies signatures.
    type: dict
    suboptions:
      id:
        description: The repository's ID.
        type: str
        required: true
      key_file:
        description: The key file that M(slipway.platform.docker_package_repository) wrote.
        type: path
        required: true
      gpg_fingerprint:
        description: Fingerprints of the keys that may sign packages, with or without spaces.
        type: list
        elements: str
        required: true
      packages:
        description: Names of packages that no other repository may provide.
        type: list
        elements: str
        required: true
  state:
    description:
      - With V(downloaded), packages are downloaded and verified, and dnf tests the transaction. Nothing is installed.
      - With V(absent), packages are removed, by name or exact build, with those that require them.
    type: str
    choices: [present, downloaded, absent]
    default: present
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Asks dnf whether it would change anything, which downloads metadata only.
  diff_mode:
    support: none
    details: The history of dnf lists installed and removed packages.
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_package_repository
  - module: ansible.builtin.dnf
"""

EXAMPLES = r"""
- name: Install the engine, signed by Docker
  slipway.platform.trusted_packages:
    packages: [docker-ce, docker-ce-cli, containerd.io]
    repository:
      id: docker-ce-stable
      key_file: /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce
      gpg_fingerprint: [060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35]
      packages: [docker-ce, docker-ce-cli, docker-ce-rootless-extras, containerd.io]

- name: Install an rpm file whose checksum was verified, and its dependencies
  slipway.platform.trusted_packages:
    packages: [/var/cache/agent.rpm]
"""

RETURN = r"""
packages:
  description: The packages passed to dnf, without names that were installed already, or those that were removed.
  returned: success
  type: list
  elements: str
  sample: [docker-ce-3:29.7.2-1.el9, containerd.io]
"""

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.packages import locks, repository_key
from ansible_collections.slipway.platform.plugins.module_utils.packages import transaction as packages_transaction
from ansible_collections.slipway.platform.plugins.module_utils.packages.pinned_keyring import KeyringError
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import ENGINE


def pinned(repository):
    """The repository with its key; a KeyFileError unless every key in the key file is pinned."""
    if not repository:
        return None
    return dict(
        repository, key=repository_key.read(repository["key_file"], repository["gpg_fingerprint"], None, ENGINE)
    )


def make(module):
    """The module's result."""
    params = module.params
    if params["state"] == "absent":
        removed = packages_transaction.remove(module, params["packages"])
        return {"changed": bool(removed), "packages": removed}
    transaction = packages_transaction.Transaction(
        module, params["packages"], params["exclude"], params["allow_erasing"], pinned(params["repository"])
    )
    if module.check_mode:
        changed = transaction.is_needed()
    elif params["state"] == "downloaded":
        changed = transaction.rehearse()
    else:
        changed = transaction.install()
    return {"changed": changed, "packages": transaction.packages}


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "allow_erasing": {"type": "bool", "default": False},
            "repository": {
                "type": "dict",
                "options": {
                    "id": {"type": "str", "required": True},
                    "key_file": {"type": "path", "required": True, "no_log": False},
                    "gpg_fingerprint": {"type": "list", "elements": "str", "required": True},
                    "packages": {"type": "list", "elements": "str", "required": True},
                },
            },
            "state": {"type": "str", "choices": ["present", "downloaded", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    try:
        result = make(module)
    except (packages_transaction.TransactionError, locks.LockError, repository_key.KeyFileError, KeyringError) as error:
        sentence = str(error)
        module.fail_json(msg=f"{sentence[0].upper()}{sentence[1:]}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
