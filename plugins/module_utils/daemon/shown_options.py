# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""How a diff shows the options of a daemon.json."""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets


def show_options(text):
    """Redact the secrets in the text of a daemon.json, found in its parsed values."""
    if not text:
        return ""
    options = daemon_json.load(text)
    if options is None:
        return "(invalid JSON, not shown because it may contain secrets)\n"
    return daemon_json.render(parameter_secrets.hidden(options)) if parameter_secrets.holds_secret(options) else text
