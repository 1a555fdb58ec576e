# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: problems
short_description: List what is wrong with the settings of a role, before anything is changed
version_added: 0.1.0
description:
  - A role checks its input by one task, which lists all problems that this filter finds.
  - What only the host can know, the role's modules find there.
  - It is made for the roles of this collection, whose variables are its input.
positional: check
options:
  _input:
    description: The settings to check. With V(host_metrics), the list of alarms.
    type: raw
    required: true
  check:
    description: The role whose settings these are, and what they are compared with.
    type: str
    required: true
    choices:
      ami_fleet: Settings of the role ami_fleet.
      ami_fleet_hooks: Lifecycle hooks of ami_fleet, and what is known of docker_firstboot's time limits.
      ami_fleet_metrics: Metrics that nobody publishes, with O(context) region.
      ami_fleet_state: Settings of ami_fleet against O(context) state, the answers of AWS.
      ami_publish: Settings of the role ami_publish.
      ami_publish_state: The same against O(context) regions, source, images, keys and unencrypted, the answers of AWS.
      ami_restore: Settings of the role ami_restore.
      ami_restore_state: The same against O(context) chosen, account and images, the answers of AWS.
      docker_access: Settings of docker_access while an image is baked.
      docker_engine: Settings of docker_engine.
      docker_firstboot: Values of docker_firstboot; O(context) place is how a sentence names one.
      docker_firstboot_credentials: The credentials of docker_firstboot, against their providers.
      docker_firstboot_fleet: Settings of docker_firstboot for instances of a fleet.
      docker_firstboot_pull: The playbook that docker_firstboot pulls.
      docker_firstboot_types: The texts of docker_firstboot and its credentials.
      docker_firewall: Settings of docker_firewall.
      docker_registry_auth: Settings of docker_registry_auth while an image is baked.
      docker_rootless: Settings of the role docker_rootless.
      docker_services: Settings of docker_services.
      docker_swarm: The same of docker_swarm, with O(context) answers, managers, workers, host and check_mode.
      fleet_drill: Settings of the role fleet_drill.
      fleet_drill_state: The same against O(context) group and refreshes, the answers of AWS.
      host_metrics: >-
        Alarms, with O(context) provider, mounts, agent_rpm, region, identity, endpoint, namespace and ignored.
      instance_sleep: Settings of the role instance_sleep.
      instance_sleep_state: The same against O(context) instances, the answer of AWS.
      user_data: The text of user data, with O(context) hostname and ready_seconds.
  context:
    description: More keyword arguments, as the check needs them.
    type: raw
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ {'tls': {'key': '...'}, 'keep_key': false} | slipway.platform.problems('docker_access') }}"
# => ["An image that holds a secret leaks it, so none is stored while baking: docker_access_tls has a key. ..."]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand

CHECKS = {
    "ami_fleet": on_demand("plugin_utils.fleet_request.problems"),
    "ami_fleet_hooks": on_demand("plugin_utils.fleet_hooks.problems"),
    "ami_fleet_metrics": on_demand("plugin_utils.fleet_scaling.missing_problems"),
    "ami_fleet_state": on_demand("plugin_utils.fleet_state.problems"),
    "ami_publish": on_demand("plugin_utils.ami_request.problems"),
    "ami_publish_state": on_demand("plugin_utils.ami_state.problems"),
    "ami_restore": on_demand("plugin_utils.ami_restore.problems"),
    "ami_restore_state": on_demand("plugin_utils.ami_restore.state_problems"),
    "docker_access": on_demand("module_utils.daemon.access_policy.problems_while_baking"),
    "docker_engine": on_demand("plugin_utils.engine_settings.problems"),
    "docker_firstboot": on_demand("plugin_utils.firstboot_values.problems"),
    "docker_firstboot_credentials": on_demand("plugin_utils.firstboot_credentials.problems"),
    "docker_firstboot_fleet": on_demand("plugin_utils.firstboot_fleet.problems"),
    "docker_firstboot_pull": on_demand("plugin_utils.pulled_playbook.problems"),
    "docker_firstboot_types": on_demand("plugin_utils.firstboot_types.problems"),
    "docker_firewall": on_demand("module_utils.firewall.rules.problems"),
    "docker_registry_auth": on_demand("module_utils.registry.logins.problems_while_baking"),
    "docker_rootless": on_demand("module_utils.rootless.settings.problems"),
    "docker_services": on_demand("module_utils.services.settings.problems"),
    "docker_swarm": on_demand("plugin_utils.swarm_plan.problems"),
    "fleet_drill": on_demand("plugin_utils.fleet_drill.problems"),
    "fleet_drill_state": on_demand("plugin_utils.fleet_drill.state_problems"),
    "host_metrics": on_demand("plugin_utils.metric_alarms.problems"),
    "instance_sleep": on_demand("plugin_utils.instance_sleep.problems"),
    "instance_sleep_state": on_demand("plugin_utils.instance_sleep.state_problems"),
    "user_data": on_demand("plugin_utils.user_data.problems"),
}


def problems(settings, check, **context):
    return list(CHECKS[check](settings, **context))


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"problems": problems}
