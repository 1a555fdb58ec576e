# SPDX-License-Identifier: Apache-2.0
"""Progress messages: a line when a step begins."""

import sys

from rich.console import Console

LOG_WIDTH = 160  # characters, if the output is not a terminal

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else LOG_WIDTH)


def say(text: str) -> None:
    """Print one line immediately, without interpreting markup."""
    console.print(f"[lab] {text}", markup=False)
