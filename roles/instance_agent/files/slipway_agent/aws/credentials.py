# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The credentials that sign requests to AWS."""


class Credentials:
    """Temporary credentials of a role. Not a namedtuple, whose repr would print the secret."""

    def __init__(self, role, key_id, secret, session_token):
        self.role = role
        self.key_id = key_id
        self.secret = secret
        self.session_token = session_token
