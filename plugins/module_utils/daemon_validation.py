# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Has the installed dockerd read a daemon.json without starting, which is all that can be asked of it while baking."""

import json
import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils import daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.shadow_start import ACCEPTED, REFUSED, UNKNOWN, Outcome


def prove(module, dockerd, options, unit_flags):
    """Run dockerd --validate, which engines before 23.0 do not know."""
    with tempfile.TemporaryDirectory() as directory:  # mode 0700
        path = os.path.join(directory, "daemon.json")
        with open(path, "w") as stream:
            stream.write(json.dumps(options))
        code, output, errors = module.run_command([dockerd, "--validate", "--config-file", path, *unit_flags])
    return outcome(code, (output + errors).replace(path, "daemon.json"))


def outcome(code, text):
    lines = [line for line in text.splitlines() if line.strip()]
    if not code:
        return Outcome(ACCEPTED, "", lines)
    if "unknown flag: --validate" in text:
        return Outcome(UNKNOWN, "this engine has no --validate, and none is started while baking", lines)
    return Outcome(REFUSED, daemon_log.reason(lines) or " ".join(lines[-1:]), lines)
