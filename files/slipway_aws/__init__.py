# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What an instance asks of AWS by its own role, with the standard library of Python 3.6 alone."""
