# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: with_collections
short_description: Fail with a clear message if a collection is not installed
version_added: 0.1.0
description:
  - Returns its input if all collections are installed on the controller, and otherwise fails with the command that
    installs them.
  - In the file name of C(import_tasks), it is evaluated when the playbook is loaded, before Ansible looks for the
    modules in that file. It does not need a task.
positional: collection
options:
  _input:
    description: Any value, such as the name of a file with tasks.
    type: raw
    required: true
  collection:
    description: Name of a collection. Further names may follow.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
- name: Import tasks that use modules of amazon.aws
  ansible.builtin.import_tasks: "{{ 'image.yml' | slipway.platform.with_collections('amazon.aws') }}"
"""

RETURN = r"""
_value:
  description: The input.
  type: raw
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"with_collections": on_demand("plugin_utils.installed_collections.with_collections")}
