#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

# Documentation only: plugins/action/docker_swarm_unlock_key.py runs on the controller.

DOCUMENTATION = r"""
module: docker_swarm_unlock_key
short_description: Keep the unlock key of a swarm in a file on the controller, and unlock managers with it
version_added: 0.1.0
description:
  - The key passes from the manager to the file and back, and is in no result, no variable and no log.
  - If the run has a password of ansible-vault (C(--vault-id), C(--vault-password-file)), the file is encrypted with it.
    Only its owner can read it either way.
  - Before autolock is turned on, the file must be writable. If the key cannot be written all the same, autolock is
    turned off again.
options:
  path:
    description:
      - The file on the controller. A relative one is below the current folder.
      - Or C(aws_secret:<name or ARN>), a secret of AWS Secrets Manager, which needs boto3, a region and credentials on
        the controller. It is created if it does not exist.
    type: str
    required: true
  autolock:
    description:
      - Whether managers are locked when their engine starts, until they get the key. If unset, that stays as it is.
      - A key that was rotated replaces the one in the file, which is kept as C(<path>.previous).
    type: bool
  state:
    description: >-
      With V(kept), the key of the swarm is written to the file, on a manager. With V(used), a manager that is locked is
      unlocked with the key in the file.
    type: str
    choices: [kept, used]
    default: kept
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Shows that the key changes, not the key.
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_swarm_secrets
  - module: slipway.platform.docker_swarm_node
"""

EXAMPLES = r"""
- name: Lock restarted managers, and keep the key
  slipway.platform.docker_swarm_unlock_key:
    path: /srv/secrets/swarm.key
    autolock: true

- name: Unlock a manager that was restarted
  slipway.platform.docker_swarm_unlock_key:
    path: /srv/secrets/swarm.key
    state: used
"""

RETURN = r"""
path:
  description: The file on the controller.
  returned: success
  type: str
"""
