# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_backup_choice
short_description: Choose the backup of an AMI to restore
version_added: 0.1.0
description:
  - Returns the snapshot that is asked for, or the newest complete backup of each disk of an AMI.
positional: request
options:
  _input:
    description: The snapshots, as M(amazon.aws.ec2_snapshot_info) returns them.
    type: list
    elements: dict
    required: true
  request:
    description: With C(snapshot), an ID, and C(image), a name; either may be empty. Without both, the newest counts.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_snapshot_info
"""

EXAMPLES = r"""
chosen: "{{ snapshots | slipway.platform.ami_backup_choice({'snapshot': '', 'image': 'docker-el9-20260801'}) }}"
# => one snapshot for each disk of docker-el9-20260801
"""

RETURN = r"""
_value:
  description: The snapshots.
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"ami_backup_choice": on_demand("plugin_utils.ami_restore.choice")}
