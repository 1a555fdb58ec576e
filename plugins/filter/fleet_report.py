# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_report
short_description: Report the capacity of a fleet in each Availability Zone
version_added: 0.1.0
description:
  - Returns a sentence for each zone, and one if the account does not encrypt EBS volumes by default.
positional: subnets, encrypted, region
options:
  _input:
    description: The group, as M(amazon.aws.autoscaling_group_info) returns it, an empty dictionary if there is none.
    type: dict
    required: true
  subnets:
    description: Its subnets, as M(amazon.aws.ec2_vpc_subnet_info) returns them.
    type: list
    elements: dict
    required: true
  encrypted:
    description: Whether the account encrypts volumes by default, V(none) if that is unknown.
    type: bool
    required: true
  region:
    description: The region of the fleet.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.autoscaling_group_info
  - module: slipway.platform.ec2_ebs_encryption_info
"""

EXAMPLES = r"""
report: "{{ group | slipway.platform.fleet_report(subnets, true, 'eu-central-1') }}"
# => ["eu-central-1a: 1 in service, 250 free addresses.", "eu-central-1b: 1 in service, 251 free addresses."]
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_report": on_demand("plugin_utils.fleet_spread.report")}
