# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: pull_problems
short_description: Say what is wrong with a playbook that instances are to fetch and run by themselves
version_added: 0.1.0
description:
  - Refuses an address that holds credentials or is read by SSH, one without TLS where no commit is verified, and a
    verification without the public keys of those who sign.
  - The sentences do not hold the address, because that may hold a secret.
options:
  _input:
    description: Settings with C(url), C(playbook), C(checkout), C(verify_commit) and C(trusted_keys).
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: >-
  {{ {'url': 'https://git.example.com/site.git', 'playbook': 'local.yml', 'checkout': '', 'verify_commit': true,
      'trusted_keys': []} | slipway.platform.pull_problems }}
# => docker_firstboot_pull_trusted_keys names no key, so that no commit could be verified: ...
"""

RETURN = r"""
_value:
  description: The sentences, none where nothing is wrong.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import pulled_playbook


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"pull_problems": pulled_playbook.problems}
