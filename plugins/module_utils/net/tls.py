# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""TLS for clients, with the trust that the engine and dnf have."""

import ssl

# ssl.VERIFY_X509_PARTIAL_CHAIN, which Python has a name for since 3.10.
PARTIAL_CHAIN = 0x80000


def client_context():
    """Return a context that verifies names and certificates against the system's trust store.

    From Python 3.13 on, the default also rejects CAs without keyUsage, such as a plain `openssl req -x509` makes.
    Before 3.13, it rejects an intermediate CA in the trust store whose root is not there. The engine and dnf accept
    both.
    """
    context = ssl.create_default_context()
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | PARTIAL_CHAIN
    return context
