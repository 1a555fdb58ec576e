#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_login
short_description: Verify credentials for Docker Hub and other registries, and store them for users
version_added: 0.1.0
description:
  - Asks each registry whether it accepts the credentials, without an engine, and then writes them to each user's
    C(~/.docker/config.json), or passes them to the credential helper that this file names.
  - If one login fails, no login is changed.
  - Every spelling of Docker Hub maps to the one key that is used for pulls. Other registries and unknown keys in the
    file are kept. A file that is not valid JSON is rejected, never replaced.
  - A user's files and helpers are only accessed with the rights of that user.
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
          - V(*) with O(logins[].helper) and no password sets the helper for all registries, C(credsStore).
        type: str
        default: docker.io
      username:
        description:
          - The user name at the registry. Required with a password.
          - With an organization's access token, the name of the organization.
        type: str
      password:
        description:
          - A password, or preferably a personal or an organization's access token.
          - Required when O(logins[].state=present), except with O(logins[].helper).
          - A key that is a JSON document, as Google hands it out for C(_json_key), may have several lines.
          - Digits must be quoted; YAML reads them as a number, which is rejected.
        type: raw
        aliases: [token]
      user:
        description: The user of this host who pulls.
        type: str
        default: root
      state:
        description: V(absent) removes the registry from the user's file and from their helper.
        type: str
        choices: [present, absent]
        default: present
      helper:
        description:
          - The name of a credential helper, such as C(pass) for C(docker-credential-pass). It must be installed, and
            becomes the registry's helper.
          - If unset, a helper that the user's file already names is used.
          - Without a password, the helper is only entered in the user's file.
          - A helper runs with the environment of the task and with O(proxy).
          - With O(logins[].state=absent), a helper that is not installed any more is dropped with a warning.
        type: str
      verify:
        description: Whether to verify these credentials. If unset, O(verify) decides.
        type: bool
        version_added: 0.1.0
  verify:
    description:
      - Whether to verify credentials with the registries. Stored credentials are verified too, so that a revoked token
        is detected.
      - Credentials are sent over HTTPS only, or over HTTP to this host itself.
      - Trusts the CAs of the system and those in C(/etc/docker/certs.d/HOST), and uses the client certificate there, as
        the engine does.
    type: bool
    default: true
  timeout:
    description:
      - Time limit of a request in seconds, from 1 to 600. A request that gets no connection is tried three times.
    type: int
    default: 10
  proxy:
    description:
      - The proxy for the requests and for credential helpers. If unset, that of the environment, otherwise
        the engine's own one, C(proxies) in O(daemon_config).
  rate_limit:
    description: Whether to query how many pulls remain at Docker Hub. The query does not count as a pull.
    type: bool
    default: false
  baking:
    description:
      - Whether an image is being built. A login with a secret, which would stay in it, is then an error.
      - If unset, it is true in a chroot.
    type: bool
  daemon_config:
    description:
      - The engine's configuration, which is only read.
      - With a Docker Hub login, a registry mirror that uses plain HTTP is rejected, because the engine would send it
        the credentials. One that uses HTTPS is a warning.
      - Its C(insecure-registries) change no decision, only the remedy in a message.
      - Its C(proxies) are used where neither O(proxy) nor the environment names one.
    type: path
    default: /etc/docker/daemon.json
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.proxies
attributes:
  check_mode:
    support: full
    details: Verifies credentials and reads from helpers.
  diff_mode:
    support: full
    details: Shows the files without secrets; a secret that differs from the stored one is marked as new.
  idempotent:
    support: full
    details: A second run verifies the credentials again.
seealso:
  - module: slipway.platform.docker_images
  - plugin: slipway.platform.registry_key
    plugin_type: filter
  - module: community.docker.docker_login
    description: Logs in through the engine, which then stores the credentials for one user.
"""

EXAMPLES = r"""
- name: Log two users in to Docker Hub
  slipway.platform.docker_login:
    logins:
      - username: acme
        token: "{{ hub_token }}"
      - username: acme
        token: "{{ hub_token }}"
        user: deploy
    rate_limit: true
  no_log: true

- name: Set a helper that obtains the credentials of a registry itself
  slipway.platform.docker_login:
    logins:
      - registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com
        helper: ecr-login
        user: deploy

- name: Log out
  slipway.platform.docker_login:
    logins:
      - registry: registry.example.com:5000
        state: absent
"""

RETURN = r"""
logins:
  description: The result for each login, in the same order.
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
      description: Whether the registry confirmed the credentials in this run.
      type: bool
    changed:
      description: Whether the stored credentials or the helper changed.
      type: bool
    ends:
      description: >-
        When the given token ends, in seconds since 1970. V(null) if the token does not tell, as only JSON Web Tokens
        and passwords of Amazon ECR do.
      type: int
rate_limit:
  description: Remaining pulls at Docker Hub, by user. All values are null for accounts without a limit.
  returned: O(rate_limit=true)
  type: dict
  sample: {root: {limit: 200, remaining: 198, window_seconds: 21600, source: 203.0.113.7}}
"""

import json
from urllib.request import getproxies_environment

from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options, texts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies, url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.registry import (
    engine_registries,
    mirror_exposure,
    redaction,
)
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry import logins as registry_logins
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY

UNCHANGED = "Nothing was changed."
# By default it is docker_engine_proxy, which the role docker_engine has validated before.
PROXY = "docker_registry_auth_proxy"
LONGEST_TIMEOUT = 600


def secrets_of(params):
    """All secrets in the parameters, in every form."""
    found = url_secrets.secrets_of(params["proxy"])
    for login in params["logins"] or ():
        password = login["password"]
        text = json.dumps(password) if isinstance(password, dict) else str(password or "")
        # A key that is a JSON document is sent without the line break at its end.
        for sent in {text, text.rstrip("\r\n")}:
            found |= redaction.forms_of(login["username"], sent)
    return found


def warn_about_mirrors(module, logins):
    if any(login.key == HUB_KEY and login.state == "present" for login in logins):
        sentence = mirror_exposure.warning(module.params["daemon_config"])
        if sentence:
            module.warn(sentence)


def proxy_of(module, options):
    """The proxy settings, and what sets them, for messages."""
    given = module.params["proxy"]
    if given.get("http") or given.get("https") or getproxies_environment():
        return given, registry_http.PROXY_VARIABLE
    found = engine_registries.proxies(options)
    module.no_log_values.update(url_secrets.secrets_of(found))
    return found, "proxies in docker_engine_daemon_options"


def run(module, secrets):
    """The module's result; nothing is written before all logins are verified."""
    params = module.params
    for problem in registry_logins.problems_while_baking(params) if is_baking(params["baking"]) else ():
        raise registry_logins.LoginError(problem.rstrip("."))
    problem = proxies.problem(params["proxy"], PROXY)
    if problem:
        raise registry_logins.LoginError(problem.rstrip("."))
    if not 1 <= params["timeout"] <= LONGEST_TIMEOUT:
        raise registry_logins.LoginError(f"timeout must be from 1 to {LONGEST_TIMEOUT} seconds")
    logins = registry_logins.resolve(params["logins"])
    warn_about_mirrors(module, logins)
    options = engine_registries.read(params["daemon_config"])
    proxy, variable = proxy_of(module, options)
    plans = registry_logins.plan(logins, proxy)
    client = registry_http.Client(
        proxy,
        params["timeout"],
        is_insecure=lambda key: engine_registries.is_insecure(options, key),
        variable=variable,
    )
    verified = registry_logins.verify(logins, client, module.warn, params["verify"])
    result = registry_logins.summary(logins, plans, verified, secrets)
    if params["rate_limit"]:
        result["rate_limit"] = registry_logins.rate_limits(logins, client, module.warn)
    for sentence in result.pop("warnings"):
        module.warn(sentence)
    if not module.check_mode:
        registry_logins.apply(plans)
    return result


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "logins": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "registry": {"type": "str", "default": "docker.io"},
                    "username": {"type": "str"},
                    "password": {"type": "raw", "no_log": True, "aliases": ["token"]},
                    "user": {"type": "str", "default": "root"},
                    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                    "helper": {"type": "str"},
                    "verify": {"type": "bool"},
                },
            },
            "verify": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 10},
            **shared_options.PROXIES,
            "rate_limit": {"type": "bool", "default": False},
            "baking": {"type": "bool"},
            "daemon_config": {"type": "path", "default": "/etc/docker/daemon.json"},
        },
        supports_check_mode=True,
        strict_texts=texts.problem,
    )
    secrets = secrets_of(module.params)
    module.no_log_values.update(secrets)
    try:
        module.exit_json(**run(module, secrets))
    except (registry_logins.LoginError, mirror_exposure.ExposedError) as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    except registry_logins.RollbackError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
