# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors


class ModuleDocFragment:
    """The option of all modules that use the API of the engine."""

    DOCUMENTATION = r"""
options:
  socket:
    description: The Unix socket of the engine's API.
    type: path
    default: /run/docker.sock
"""
