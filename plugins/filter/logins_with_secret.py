# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

DOCUMENTATION = r"""
name: logins_with_secret
short_description: Name the logins that would have a secret stored
version_added: 0.1.0
description:
  - Names each login that comes with a password or a token, by its user and its registry. The secret is not returned.
options:
  _input:
    description: Logins as M(slipway.platform.docker_credential) takes them.
    type: list
    elements: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
names: "{{ [{'username': 'acme', 'token': hub_token}] | slipway.platform.logins_with_secret }}"
# => ['user root at docker.io']
"""

RETURN = r"""
_value:
  description: A phrase for each such login.
  type: list
  elements: str
"""


def logins_with_secret(logins):
    return [
        "user {} at {}".format(login.get("user", "root"), login.get("registry", "docker.io"))
        for login in logins
        if login.get("state", "present") == "present" and (login.get("password") or login.get("token"))
    ]


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"logins_with_secret": logins_with_secret}
