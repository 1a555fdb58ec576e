# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The engine of this host."""
