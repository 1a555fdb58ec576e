# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Publishes memory, swap and file system metrics of an instance to CloudWatch."""
