# SPDX-License-Identifier: Apache-2.0
"""Claims of single scenarios; they share the fixtures of tests/verify."""

from tests.verify.conftest import reach_the_lab, variable

__all__ = ["reach_the_lab", "variable"]
