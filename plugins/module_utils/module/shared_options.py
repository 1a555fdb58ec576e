# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Parts of argument_spec that several modules share; plugins/doc_fragments documents each under its name."""

MACHINE_IMAGE = {
    "keep_keys_of": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "keep_passwords_of": {"type": "list", "elements": "str", "default": [], "no_log": False},
}
PROXIES = {
    "proxy": {
        "type": "dict",
        "default": {},
        "options": {
            "http": {"type": "str", "no_log": True},
            "https": {"type": "str", "no_log": True},
            "no_proxy": {"type": "list", "elements": "str"},
        },
    }
}
ENGINE_SOCKET = {"socket": {"type": "path", "default": "/run/docker.sock"}}
