# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Requests to AWS with the credentials of the instance's role."""
