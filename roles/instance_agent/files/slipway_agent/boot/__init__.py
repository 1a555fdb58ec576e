# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Makes an instance ready at boot, and reports whether it is."""
