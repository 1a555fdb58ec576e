#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_rootless
short_description: Run Docker engines of users, without root
version_added: 0.1.0
description:
  - Gives users an engine of their own, which runs with their rights, in rootless mode.
  - For each user, adds subordinate user and group numbers that nobody else has, has systemd run for the user from boot
    on, writes C(daemon.json) and the unit C(docker.service) in their home, and starts it.
  - Before anything of a running engine is changed, the installed dockerd starts with a copy of the new configuration,
    as the user and by RootlessKit. If the engine does not start all the same, its previous files come back.
  - Checks all users before it changes anything.
options:
  users:
    description:
      - The users, each as a name or as a dictionary with C(name) and some of the following keys.
      - C(state), V(present) (default) or V(absent). C(purge_data), a boolean, deletes images, containers and volumes of
        an engine that is removed.
      - C(daemon_options), a dictionary with more options of C(daemon.json), which win over O(daemon_options).
      - C(network), the network driver, V(slirp4netns), V(pasta), V(gvisor-tap-vsock) or V(auto) (default).
      - C(subid_start) and C(subid_count), the range of subordinate numbers. By default, 65536 numbers that are free.
      - C(context), a boolean, whether the user's docker command uses their engine. V(true) by default.
    type: list
    elements: raw
    required: true
  daemon_options:
    description: Options of C(daemon.json) for all users. Logs are bounded by default.
    type: dict
    default: {}
  limits:
    description:
      - Whether limits of CPU time, memory and processes must work, for which the host needs cgroup v2. With V(false), a
        host with cgroup v1 is accepted.
    type: bool
    default: true
  port_start:
    description: The lowest port that users may publish. If unset, the kernel's setting stays as it is.
    type: int
  ping:
    description: Whether the kernel lets all users send ICMP echo requests, as ping in a container does.
    type: bool
    default: false
  prove_timeout:
    description: Seconds that the trial start may take.
    type: int
    default: 60
  start_timeout:
    description: Seconds that the start of an engine may take.
    type: int
    default: 120
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Performs all checks. The trial start needs the subordinate numbers, so that new users have none.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_access
  - name: Rootless mode
    description: What engines without root can do, and what they cannot.
    link: https://docs.docker.com/engine/security/rootless/
"""

EXAMPLES = r"""
- name: Give two users engines of their own
  slipway.platform.docker_rootless:
    users:
      - alice
      - name: bob
        daemon_options: {registry-mirrors: ["https://mirror.example.com"]}

- name: Remove an engine with its images, containers and volumes
  slipway.platform.docker_rootless:
    users:
      - {name: bob, state: absent, purge_data: true}
"""

RETURN = r"""
users:
  description: The engines that are present, without those of RV(missing_packages).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the user.
      type: str
    uid:
      description: The user's number.
      type: int
    socket:
      description: Where the engine listens.
      type: str
      sample: /run/user/1001/docker.sock
    network:
      description: The network driver.
      type: str
      sample: slirp4netns
    restarted:
      description: Whether the engine ran before and was restarted, which ends its containers.
      type: bool
    may_use_system_engine:
      description: Whether the user may use the system's engine too, and so is root on the host.
      type: bool
missing_packages:
  description: The packages without which nothing was changed. Install them, and run the module again.
  returned: success
  type: list
  elements: str
log:
  description: The last lines of the log of the engine that rejected the configuration.
  returned: when the configuration was rejected
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils.host.files import WriteError
from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import AccountError
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.rootless import settings, setup


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "users": {"type": "list", "elements": "raw", "required": True},
            "daemon_options": {"type": "dict", "default": {}},
            "limits": {"type": "bool", "default": True},
            "port_start": {"type": "int"},
            "ping": {"type": "bool", "default": False},
            "prove_timeout": {"type": "int", "default": 60},
            "start_timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**setup.run(module))
    except (settings.RootlessError, AccountError) as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except WriteError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
