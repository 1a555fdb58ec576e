# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find service endpoints that would be called unencrypted over the network."""

import re

SAFE = re.compile(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|\Z)")


def unencrypted(addresses):
    """Return the addresses that are neither https:// nor local; an empty one means the default endpoint."""
    return [address for address in addresses if address and not SAFE.match(str(address))]
