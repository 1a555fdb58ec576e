# SPDX-License-Identifier: Apache-2.0
"""Progress for a person who waits: a line when a step begins, never only when it has ended."""

import sys

from rich.console import Console

LOG_WIDTH = 160  # characters: a log has no width of its own

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else LOG_WIDTH)


def say(text: str) -> None:
    """Print one line at once; markup characters in it are printed as they are."""
    console.print(f"[lab] {text}", markup=False)
