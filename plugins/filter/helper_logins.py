# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

DOCUMENTATION = r"""
name: helper_logins
short_description: Make a login without a password for every user of every registry
version_added: 0.1.0
description:
  - What M(slipway.platform.docker_credential) takes to name a credential helper that knows the passwords itself.
positional: helper
options:
  _input:
    description: Each with C(registry), otherwise V(docker.io), and C(users), otherwise root alone.
    type: list
    elements: dict
    required: true
  helper:
    description: The name of the credential helper.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
logins: "{{ [{'registry': 'docker.io', 'users': ['root', 'alice']}] | slipway.platform.helper_logins('slipway') }}"
# => two logins with the helper slipway: that of root, that of alice
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
    """Makes the pure function a filter."""

    def filters(self):
        return {"helper_logins": helper_logins}
