# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What an image of a machine must not hold. All but seal.py stands alone: copied to a host, it runs on its Python."""
