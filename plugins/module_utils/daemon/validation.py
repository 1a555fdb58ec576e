# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Validation of a daemon.json with dockerd --validate, for image builds, where no daemon may start."""

import json
import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.daemon.trial_start import (
    ACCEPTED,
    REFUSED,
    UNKNOWN,
    Outcome,
)


def validate(module, dockerd, options, unit_flags):
    """Run dockerd --validate, which engines before 23.0 lack; return an Outcome."""
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
        return Outcome(UNKNOWN, "this engine has no --validate, and no engine is started while baking", lines)
    return Outcome(REFUSED, daemon_log.reason(lines, of_daemon=True) or " ".join(lines[-1:]), lines)
