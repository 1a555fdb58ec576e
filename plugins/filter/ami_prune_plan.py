# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_prune_plan
short_description: Select the AMIs and snapshots to remove
version_added: 0.1.0
description:
  - An AMI is removed if it is neither among the newest nor recent, and no instance, launch template, launch
    configuration or parameter refers to it. Its snapshots are removed with it, and so are backups that failed or
    belong to older AMIs, unless another AMI uses them.
positional: snapshots, instances, templates, configurations, parameters, policy
options:
  _input:
    description: Results of a loop over regions of M(amazon.aws.ec2_ami_info).
    type: list
    elements: dict
    required: true
  snapshots:
    description: Results of a loop over regions of M(amazon.aws.ec2_snapshot_info).
    type: list
    elements: dict
    required: true
  instances:
    description: Results of a loop over regions of M(amazon.aws.ec2_instance_info).
    type: list
    elements: dict
    required: true
  templates:
    description: Results of a loop over regions of M(amazon.aws.ec2_launch_template_info).
    type: list
    elements: dict
    required: true
  configurations:
    description: Results of a loop over regions of M(community.aws.autoscaling_launch_config_info).
    type: list
    elements: dict
    required: true
  parameters:
    description: Results of a loop over regions, with the AMIs that parameters refer to as C(msg).
    type: list
    elements: dict
    required: true
  policy:
    description: With C(family), C(keep), C(days) and C(backup_keep). With C(keep) 0 no AMI is removed, with
      C(backup_keep) 0 no backup.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_ami
  - module: amazon.aws.ec2_snapshot
"""

EXAMPLES = r"""
plan: >-
  {{ images | slipway.platform.ami_prune_plan(snapshots, instances, templates, configurations, parameters, policy) }}
"""

RETURN = r"""
_value:
  description: Lists of C(images), C(snapshots) and C(kept), each with C(region) and C(id).
  type: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"ami_prune_plan": on_demand("plugin_utils.ami_prune.plan")}
