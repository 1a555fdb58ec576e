# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: typed
short_description: Convert a variable of a role to the type that its argument_specs declare
version_added: 0.1.0
description:
  - Ansible validates what a role's variable means as the declared type, but leaves the variable as it is. With
    C(-e name=value) and in INI inventories every value is a text, so that V(false) would be true in a condition.
  - The roles of this collection read each variable that is not a text through this filter. It converts as Ansible's
    validation does, options of dictionaries and elements of lists included.
  - A text that stands for a list is separated by commas, or is a list in YAML or JSON.
positional: name
options:
  _input:
    description: The value of the variable.
    type: raw
    required: true
  name:
    description: The name of the variable, of a role of this collection.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
purge: "{{ 'no' | slipway.platform.typed('docker_engine_purge_data') }}"
# => false
plugins: "{{ 'buildx, compose' | slipway.platform.typed('docker_engine_plugins') }}"
# => [buildx, compose]
options: "{{ 'debug=true' | slipway.platform.typed('docker_engine_daemon_options') }}"
# => {debug: "true"}
"""

RETURN = r"""
_value:
  description: The value as the declared type.
  type: raw
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand

convert = on_demand("plugin_utils.role_arguments.typed")


def typed(value, name):
    try:
        return convert(value, name)
    except TypeError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"typed": typed}
