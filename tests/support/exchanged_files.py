# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Replaces a file at the moment a program opens it, as in a race that an attacker wins."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

OPENING = ("open", "os.listdir", "os.scandir")
CHANGING = ("os.remove", "os.rmdir", "os.rename")
moments: list[Callable[[], object]] = []  # actions for the next events, one each
pending: dict[str, Callable[[], object]] = {}


def audit(event: str, arguments: tuple[object, ...]) -> None:
    if moments and event in OPENING + CHANGING:
        moments.pop(0)()
    if pending and event in OPENING and isinstance(arguments[0], (str, bytes, os.PathLike)):
        action = pending.pop(Path(os.fsdecode(arguments[0])).name, None)
        if action:
            action()


sys.addaudithook(audit)  # a hook cannot be removed


@contextlib.contextmanager
def exchanged(path: Path, action: Callable[[Path], object]) -> Iterator[None]:
    """Call the action just before a file of this name is first opened in the block. Fails if none is opened."""

    def exchange() -> None:
        path.rename(path.with_name(path.name + ".before"))
        action(path)

    pending[path.name] = exchange
    try:
        with ended_after(10):
            yield
        assert not pending, f"{path} was never opened"
    finally:
        pending.clear()


@contextlib.contextmanager
def exchanged_at(moment: int, folder: Path, target: Path) -> Iterator[list[None]]:
    """Replace a folder with a link before the call with this number in the block; the list stays empty if none came."""
    reached: list[None] = []

    def exchange() -> None:
        reached.append(None)
        folder.rename(folder.with_name(folder.name + ".before"))
        folder.symlink_to(target)

    moments[:] = [lambda: None] * moment + [exchange]
    try:
        yield reached
    finally:
        moments.clear()


@contextlib.contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    """Raise an error that nothing catches if the block takes longer."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise BaseException(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
