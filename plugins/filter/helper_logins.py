# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

DOCUMENTATION = r"""
name: helper_logins
short_description: Create a login with a credential helper for each user and registry
version_added: 0.1.0
description:
  - Creates O(slipway.platform.docker_login#module:logins) for a credential helper that obtains passwords itself.
positional: helper
options:
  _input:
    description: Registries with C(registry), by default V(docker.io), and C(users), by default root only.
    type: list
    elements: dict
    required: true
  helper:
    description: The name of the credential helper.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.docker_login
"""

EXAMPLES = r"""
logins: "{{ [{'registry': 'docker.io', 'users': ['root', 'alice']}] | slipway.platform.helper_logins('slipway') }}"
# => two logins with the helper slipway, for root and for alice
"""

RETURN = r"""
_value:
  description: The logins, each with C(registry), C(user) and C(helper).
  type: list
  elements: dict
"""


def helper_logins(registries, helper):
    return [
        {"registry": entry.get("registry", "docker.io"), "user": user, "helper": helper}
        for entry in registries
        for user in entry.get("users", ["root"])
    ]


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"helper_logins": helper_logins}
