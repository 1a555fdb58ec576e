#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_credential
short_description: Verify the credentials of Docker Hub and other registries, and store them for users
version_added: 0.1.0
description:
  - Asks each registry whether it accepts the credentials, without an engine, and then writes them to
    C(~/.docker/config.json) of each user, or hands them to the credential helper that this file names.
  - When one login fails, nothing of any login is changed.
  - Every spelling of Docker Hub ends at the one key that serves pulls. Other registries and unknown keys in the file
    stay, and a file that is not valid JSON is refused, never replaced.
  - All files and helpers of a user are touched with his rights only.
options:
  logins:
    description: The credentials, one per user and registry.
    type: list
    elements: dict
    required: true
    suboptions:
      registry:
        description:
          - The registry's host and port. A scheme, C(/v1) and C(/v2) are ignored.
          - V(*) with O(logins[].helper) and no password sets the helper of every registry, C(credsStore).
        type: str
        default: docker.io
      username:
        description:
          - The name at the registry. Required with a password.
          - With the token of an organisation, the name of the organisation.
        type: str
      password:
        description:
          - A password, or better a personal token or one of an organisation.
          - Required when O(logins[].state=present), except with O(logins[].helper).
        type: str
        aliases: [token]
      user:
        description: The user of this host who is going to pull.
        type: str
        default: root
      state:
        description: V(absent) removes the registry from the user's file and from his helper.
        type: str
        choices: [present, absent]
        default: present
      helper:
        description:
          - The C(pass) of C(docker-credential-pass). It has to be installed, and is made the registry's helper.
          - Without it, a helper that the user's file already names is used.
          - Without a password, the helper is only named in the user's file.
        type: str
  verify:
    description:
      - Whether the registries are asked. Stored credentials are asked about as well, so that a revoked token is found.
      - Credentials are sent over https only, or over http to this host itself.
    type: bool
    default: true
  timeout:
    description: How many seconds a request may take. One that finds nobody is tried three times.
    type: int
    default: 10
  proxy:
    description: The proxy for the requests. Without it, that of the environment.
    type: dict
    default: {}
    suboptions:
      http:
        description: The address of the proxy for registries without TLS, with credentials if needed.
        type: str
      https:
        description: The address of the proxy for all other registries, with credentials if needed.
        type: str
      no_proxy:
        description: Hosts and domains that are reached directly.
        type: list
        elements: str
  rate_limit:
    description: Whether Docker Hub is asked how many pulls remain. It costs none.
    type: bool
    default: false
  daemon_config:
    description:
      - The engine's configuration, which is only read.
      - With a Docker Hub login, a registry mirror that is plain http is refused, because the engine would send it the
        credentials. One that is https is a warning.
    type: path
    default: /etc/docker/daemon.json
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Verifies as usual, reads helpers, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files without secrets; one that differs from the stored one is marked as new.
    support: full
  idempotent:
    description: The second run changes nothing, and asks the registries again.
    support: full
"""

EXAMPLES = r"""
- name: Let two users pull from Docker Hub
  slipway.platform.docker_credential:
    logins:
      - username: acme
        token: "{{ hub_token }}"
      - username: acme
        token: "{{ hub_token }}"
        user: deploy
    rate_limit: true
  no_log: true

- name: Name a helper that knows the credentials of a registry itself
  slipway.platform.docker_credential:
    logins:
      - registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com
        helper: ecr-login
        user: deploy

- name: Log out
  slipway.platform.docker_credential:
    logins:
      - registry: registry.example.com:5000
        state: absent
"""

RETURN = r"""
logins:
  description: What has become of each login, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    user:
      description: The user of this host.
      type: str
    registry:
      description: The key in the user's file.
      type: str
      sample: https://index.docker.io/v1/
    verified:
      description: Whether the registry has confirmed the credentials in this run.
      type: bool
    changed:
      description: Whether the stored credentials or the helper are others than before.
      type: bool
rate_limit:
  description: What remains at Docker Hub, by user. All values are null for accounts without a limit.
  returned: O(rate_limit=true)
  type: dict
  sample: {root: {limit: 200, remaining: 198, window_seconds: 21600, source: 203.0.113.7}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    docker_config_redaction,
    mirror_exposure,
    registry_http,
    registry_logins,
    url_secrets,
)
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY

UNCHANGED = "Nothing was changed."


def secrets_of(params):
    """Every secret of the parameters, in every form."""
    found = url_secrets.secrets_of(params["proxy"])
    for login in params["logins"]:
        found |= docker_config_redaction.forms_of(login["username"], login["password"])
    return found


def warn_about_mirrors(module, logins):
    if any(login.key == HUB_KEY and login.state == "present" for login in logins):
        sentence = mirror_exposure.warning(module.params["daemon_config"])
        if sentence:
            module.warn(sentence)


def run(module, secrets):
    """The module's result; nothing is written before every login is known to be right."""
    params = module.params
    logins = registry_logins.resolve(params["logins"])
    warn_about_mirrors(module, logins)
    plans = registry_logins.plan(logins)
    client = registry_http.Client(params["proxy"], params["timeout"])
    verified = registry_logins.verify(logins, client, module.warn) if params["verify"] else set()
    result = registry_logins.summary(logins, plans, verified, secrets)
    if params["rate_limit"]:
        result["rate_limit"] = registry_logins.rate_limits(logins, client, module.warn)
    for sentence in result.pop("warnings"):
        module.warn(sentence)
    if not module.check_mode:
        registry_logins.apply(plans)
    return result


def main():
    module = AnsibleModule(
        argument_spec={
            "logins": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "registry": {"type": "str", "default": "docker.io"},
                    "username": {"type": "str"},
                    "password": {"type": "str", "no_log": True, "aliases": ["token"]},
                    "user": {"type": "str", "default": "root"},
                    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                    "helper": {"type": "str"},
                },
            },
            "verify": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 10},
            "proxy": {
                "type": "dict",
                "default": {},
                "options": {
                    "http": {"type": "str", "no_log": True},
                    "https": {"type": "str", "no_log": True},
                    "no_proxy": {"type": "list", "elements": "str"},
                },
            },
            "rate_limit": {"type": "bool", "default": False},
            "daemon_config": {"type": "path", "default": "/etc/docker/daemon.json"},
        },
        supports_check_mode=True,
    )
    secrets = secrets_of(module.params)
    module.no_log_values.update(secrets)
    try:
        module.exit_json(**run(module, secrets))
    except (registry_logins.LoginError, mirror_exposure.MirrorError) as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    except registry_logins.PutBackError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
