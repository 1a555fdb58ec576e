# SPDX-License-Identifier: Apache-2.0
"""Claims of one scenario alone; they reach hosts as the claims about any host do."""

from tests.verify.conftest import reach_the_lab, variable

__all__ = ["reach_the_lab", "variable"]
