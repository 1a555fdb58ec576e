# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: daemon_option_problems
short_description: Say what is wrong with options for C(daemon.json), before a host is asked
version_added: 0.1.0
description:
  - Finds typing mistakes in the names of options, and values that dockerd accepts and then regrets.
  - What only the daemon can know, M(slipway.platform.docker_daemon) asks the daemon.
options:
  _input:
    description: The options.
    type: dict
    required: true
  allow_unknown:
    description: Accept names that no dockerd from 1.13 to 29 knows.
    type: bool
    default: false
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ {'log-drvier': 'local'} | slipway.platform.daemon_option_problems }}"
# => ["docker_engine_daemon_options: 'log-drvier' is not an option of dockerd: did you mean 'log-driver'?"]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import daemon_options


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"daemon_option_problems": daemon_options.problems}
