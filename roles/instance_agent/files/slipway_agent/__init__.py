# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The program that instances run by themselves. It needs the standard library of Python 3.6 and nothing else.

`cli` has the commands. `boot`, `credential_helper`, `fleet` and `metrics` implement them and import nothing but `aws`
and `engine`.
"""
