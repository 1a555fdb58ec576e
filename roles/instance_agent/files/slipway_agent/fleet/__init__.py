# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What an instance does for its fleet after the boot: it reports a dead engine, and drains before its end."""
