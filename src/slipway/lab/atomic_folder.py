# SPDX-License-Identifier: Apache-2.0
"""Folders that exist only when they are complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def create(folder: Path) -> Iterator[Path]:
    """Provide an empty folder to fill, and rename it to `folder` if the block succeeds."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    if unfinished.exists():  # left by an interrupted command
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(folder)
