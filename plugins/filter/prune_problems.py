# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: prune_problems
short_description: Say what is wrong with options for pruning, before a host is asked
version_added: 0.1.0
description:
  - Finds filters that C(docker system prune) refuses, alone or together.
  - Whether the schedule is one, M(slipway.platform.docker_daemon) asks systemd.
options:
  _input:
    description: The options, empty for no pruning.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ {'schedule': 'weekly', 'filters': ['until=7d']} | slipway.platform.prune_problems }}"
# => ["docker_engine_prune: filter 'until=7d' has neither a duration nor a moment: write it like until=168h, ..."]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import prune_options


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"prune_problems": prune_options.problems}
