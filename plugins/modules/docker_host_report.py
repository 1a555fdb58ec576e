#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_host_report
short_description: Collect what a report shows of a container host, within a time limit
version_added: 0.1.0
description:
  - Asks the host's package database, systemd, the engine's API and its files side by side, and changes nothing.
  - What does not answer within O(seconds) becomes an error of that fact, not of the module. Package repositories are
    not contacted - the newest version is that of the metadata which dnf has cached.
  - Results hold no secrets. Of C(daemon.json), only the names of options that differ from O(options) are returned.
  - It is made for the role P(slipway.platform.slipway_report#role), which judges the facts on the controller.
options:
  seconds:
    description: Time limit of all facts together, in seconds.
    type: int
    default: 15
  options:
    description: >-
      The wanted options of C(daemon.json), as for M(slipway.platform.docker_daemon). If unset, drift is unknown.
    type: dict
  proxy:
    description: The wanted proxy of the engine, as for M(slipway.platform.docker_daemon).
  prune:
    description: The wanted settings of the prune timer, as for M(slipway.platform.docker_daemon).
    type: dict
    default: {}
  audit_rules:
    description: Whether audit is to watch the engine's files, as for M(slipway.platform.docker_daemon).
    type: bool
    default: false
  strict_modes:
    description: Whether the modes of the engine's files are to be strict, as for M(slipway.platform.docker_daemon).
    type: bool
    default: false
  group:
    description: The group of the engine's socket.
    type: str
    default: docker
  path:
    description: Path of C(daemon.json).
    type: path
    default: /etc/docker/daemon.json
  dropin:
    description: Path of the drop-in of C(docker.service) that this collection writes.
    type: path
    default: /etc/systemd/system/docker.service.d/slipway.conf
  containerd_dropin:
    description: Path of the drop-in of C(containerd.service) that this collection writes.
    type: path
    default: /etc/systemd/system/containerd.service.d/slipway.conf
  proxy_env:
    description: Path of the environment file with the proxy.
    type: path
    default: /etc/docker/proxy.env
  dockerd:
    description: Path of dockerd.
    type: path
    default: /usr/bin/dockerd
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes.info
  - slipway.platform.proxies
seealso:
  - module: slipway.platform.docker_daemon
"""

EXAMPLES = r"""
- name: Collect the facts of a host in at most 5 seconds
  slipway.platform.docker_host_report:
    seconds: 5
    options: {live-restore: true}
  register: report
"""

RETURN = r"""
report:
  description: A dictionary for each fact. V(facts) is V(null) where there is an V(error).
  returned: success
  type: dict
  contains:
    facts:
      description: The answer; its form depends on the fact.
      type: raw
    error:
      description: Why there is no answer, empty if there is one.
      type: str
    seconds:
      description: How long the answer took.
      type: float
  sample:
    packages: {facts: {docker-ce: 29.7.2}, error: '', seconds: 0.04}
    newest: {facts: null, error: dnf did not answer within 5 seconds, seconds: 5.0}
seconds:
  description: How long all answers took.
  returned: success
  type: float
collected_at:
  description: The time on the host's clock, in seconds since 1970.
  returned: success
  type: int
"""

import time

from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.report import bounded, facts


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "seconds": {"type": "int", "default": 15},
            "options": {"type": "dict"},
            **shared_options.PROXIES,
            "prune": {"type": "dict", "default": {}},
            "audit_rules": {"type": "bool", "default": False},
            "strict_modes": {"type": "bool", "default": False},
            "group": {"type": "str", "default": "docker"},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "dropin": {"type": "path", "default": "/etc/systemd/system/docker.service.d/slipway.conf"},
            "containerd_dropin": {"type": "path", "default": "/etc/systemd/system/containerd.service.d/slipway.conf"},
            "proxy_env": {"type": "path", "default": "/etc/docker/proxy.env"},
            "dockerd": {"type": "path", "default": "/usr/bin/dockerd"},
        },
        supports_check_mode=True,
    )
    if module.params["seconds"] < 1:
        module.fail_json(msg="seconds must be 1 or more: raise slipway_report_seconds. Nothing was collected.")
    begin = time.monotonic()
    report = bounded.collect(facts.COLLECTORS, bounded.Deadline(module.params["seconds"]), module.params)
    module.exit_json(
        changed=False,
        report=report,
        seconds=round(time.monotonic() - begin, 2),
        collected_at=int(time.time()),
    )


if __name__ == "__main__":
    main()
