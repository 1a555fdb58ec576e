# SPDX-License-Identifier: Apache-2.0
"""What of Slipway is not Ansible: today, the lab of disposable hosts."""
