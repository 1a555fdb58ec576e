# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What an instance does by itself when it boots, with the standard library of Python 3.6 alone."""
