# SPDX-License-Identifier: Apache-2.0
"""Progress for a person who waits: a line when a step begins, never only when it has ended."""

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line at once; markup characters in it are printed as they are."""
    console.print(f"[lab] {text}", markup=False)
