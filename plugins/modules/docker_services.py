#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_services
short_description: Deploy Compose projects and stacks that stay up
version_added: 0.1.0
description:
  - Brings the services of Compose projects to what their compose files say, by C(docker compose) on a single host and
    by C(docker stack) on a swarm, where only the leader deploys.
  - Checks all projects before it changes any. Then it pulls the images of one project, brings its services up, and
    waits until they are healthy. If they are not, the last version that was healthy comes back, and the module fails
    with the service and the last lines of its log.
  - A service is healthy when its health check says so. Without a health check, it has to run for three seconds without
    a restart. A job that ended with status 0, and is not to be restarted, is done.
  - Versions, secrets and digests are kept in C(/var/lib/slipway/services), which only root can read.
options:
  services:
    description: The projects.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the project, of lower-case letters, digits, C(-) and C(_).
        type: str
        required: true
      state:
        description: With V(absent), containers and networks are removed. Volumes stay by default.
        type: str
        choices: [present, absent]
        default: present
      compose:
        description:
          - The compose file, as its text or as a mapping.
          - Only this file gets to the host, so that paths relative to it, C(build), C(include) and C(extends) with a
            file are refused.
        type: raw
      environment:
        description:
          - Values for C(${NAME}) in the compose file. A variable without a value is refused.
          - They are shown in differences, except for those whose names or addresses tell that they are secret.
        type: dict
        default: {}
      secrets:
        description: >-
          Secrets, each of them a file at C(/run/secrets/NAME) in the containers of services that list it, and the value
          for C(${NAME}) in the compose file. As a variable of a container, a secret is shown by C(docker inspect).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name.
            type: str
            required: true
          value:
            description: The secret.
            type: str
            required: true
          uid:
            description: The user in the container who may read the file. Stacks mount it for all.
            type: int
            default: 0
      mode:
        description: With V(auto), a stack on a node of a swarm, and a Compose project otherwise.
        type: str
        choices: [auto, compose, stack]
        default: auto
      remove_volumes:
        description: Whether a project that is removed loses its volumes, and their data.
        type: bool
        default: false
      timeout:
        description: Seconds that the services may take to become healthy, pulling excluded.
        type: int
        default: 300
  require_digest:
    description:
      - Whether each image must be named with its digest.
      - With V(false), the digest of a tag is found by the first pull and recorded, so that the tag means the same
        content from then on.
    type: bool
    default: true
  renew_pins:
    description: Whether the digests of tags are found again.
    type: bool
    default: false
  user:
    description: The user of this host whose logins to registries are used.
    type: str
    default: root
  baking:
    description:
      - Whether a machine image is being built. Nothing is deployed then, and no secret is written.
      - If unset, it is true in a chroot.
    type: bool
  proxy:
    description: The proxy for credential helpers.
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.proxies
attributes:
  check_mode:
    support: full
    details: Without an engine, as on a new host, only the settings are checked.
  diff_mode:
    support: full
    details: Shows what happens to each service and why, and the compose files without secrets.
  idempotent:
    support: full
    details: A second run does not contact any registry.
seealso:
  - module: community.docker.docker_compose_v2
  - module: slipway.platform.docker_images
"""

EXAMPLES = r"""
- name: Deploy a site with its database
  slipway.platform.docker_services:
    services:
      - name: shop
        compose: "{{ lookup('ansible.builtin.file', 'shop.yml') }}"
        environment: {PORT: "8080"}
        secrets:
          - {name: db_password, value: "{{ vault_db_password }}", uid: 999}
  no_log: true

- name: Remove it, and keep its data
  slipway.platform.docker_services:
    services:
      - {name: shop, state: absent}
"""

RETURN = r"""
services:
  description: The result for each project, in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The project.
      type: str
    mode:
      description: V(compose) or V(stack).
      type: str
    changes:
      description: What was done to each service, and why.
      type: list
      elements: str
      sample: ["web: recreate (image)"]
    images:
      description: The images by service, with their digests.
      type: dict
    elsewhere:
      description: Whether this host leaves the project to the leader of its swarm.
      type: bool
"""

import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.host.files import WriteError
from ansible_collections.slipway.platform.plugins.module_utils.images.engine_images import ImageError
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options, texts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.registry.keychain import CredentialsError
from ansible_collections.slipway.platform.plugins.module_utils.services import run, settings
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import DeployError, ServicesError


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "services": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                    "compose": {"type": "raw"},
                    "environment": {"type": "dict", "default": {}},
                    "secrets": {
                        "type": "list",
                        "elements": "dict",
                        "default": [],
                        "no_log": False,
                        "options": {
                            "name": {"type": "str", "required": True},
                            "value": {"type": "str", "required": True, "no_log": True},
                            "uid": {"type": "int", "default": 0},
                        },
                    },
                    "mode": {"type": "str", "choices": list(settings.MODES), "default": "auto"},
                    "remove_volumes": {"type": "bool", "default": False},
                    "timeout": {"type": "int", "default": 300},
                },
            },
            "require_digest": {"type": "bool", "default": True},
            "renew_pins": {"type": "bool", "default": False},
            "user": {"type": "str", "default": "root"},
            "baking": {"type": "bool"},
            **shared_options.PROXIES,
        },
        supports_check_mode=True,
        strict_texts=texts.problem,
    )
    module.no_log_values.update(settings.shown_forms(module.no_log_values))
    steps = run.Run(module, is_baking(module.params["baking"]))
    try:
        # In memory, since it gets logins; for root alone.
        with tempfile.TemporaryDirectory(prefix="slipway-services-", dir="/run") as folder:
            result = steps.run(folder)
    except DeployError as error:
        module.fail_json(
            msg=f"{error}" + (" Its last lines:\n{}".format("\n".join(error.details)) if error.details else ""),
            changed=steps.has_changed,
            services=steps.results(),
        )
    except (ServicesError, ImageError, CredentialsError, WriteError) as error:
        module.fail_json(msg=f"{error}. {steps.told()}", changed=steps.has_changed)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
