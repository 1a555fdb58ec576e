# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells which addresses of a service of AWS would be asked in clear text."""

import re

PRIVATE = re.compile(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|\Z)")


def in_clear(addresses):
    """Those that are neither https nor on the host itself; an empty one stands for AWS' usual address."""
    return [address for address in addresses if address and not PRIVATE.match(address)]
