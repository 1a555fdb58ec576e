# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A Docker credential helper that reads registry credentials from AWS at every pull."""
