# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The keys with which an instance signs its requests."""


class Credentials:
    """Keys of a role. Not a namedtuple, whose repr would show them."""

    def __init__(self, role, key_id, secret, session_token):
        self.role = role
        self.key_id = key_id
        self.secret = secret
        self.session_token = session_token
