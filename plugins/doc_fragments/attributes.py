# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors


class ModuleDocFragment:
    """How modules behave, and the groups of ``module_defaults`` that they belong to."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict the changes, without making any.
  diff_mode:
    description: Returns the differences that diff mode shows.
  idempotent:
    description: A second run with the same options changes nothing.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict the changes, without making any.
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    description: Returns the differences that diff mode shows.
    support: N/A
    details: Changes nothing.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details: Changes nothing.
"""

    DOCKER_ENGINE = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/slipway.platform.docker_engine) in C(module_defaults) to set C(baking) for all modules that install
      and configure the engine.
    support: full
    membership: [slipway.platform.docker_engine]
"""

    MACHINE_IMAGE = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/slipway.platform.machine_image) in C(module_defaults) to set what may stay in a machine image for
      both modules that seal and check it.
    support: full
    membership: [slipway.platform.machine_image]
"""

    AWS = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/slipway.platform.aws) in C(module_defaults) to set the region and the credentials for this
      collection's modules and for those of C(amazon.aws).
    support: full
    membership: [slipway.platform.aws]
"""
