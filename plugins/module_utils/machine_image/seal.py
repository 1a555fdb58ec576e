# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Removes from a root file system what the checker finds of the list."""

import json
import os
import shutil
import stat

from ansible_collections.slipway.platform.plugins.module_utils import file_io

from . import artefacts, check
from .tree import TreeError


class SealError(Exception):
    """The image cannot be sealed; the text is the sentence for the user."""


def refuse_read_only(tree):
    if os.statvfs(tree.root).f_flag & os.ST_RDONLY:
        raise TreeError("{} is mounted read-only: mount it writable (mount -o remount,rw)".format(tree.root))


def amend(violation):
    """Make the file what the list asks for."""
    rule, path = violation.artefact.rule, violation.path
    try:
        if rule == artefacts.NO_PROXY:
            keep_lines_without_proxy(path)
        elif rule == artefacts.HELPERS_ONLY:
            keep_helpers(path)
        elif rule == artefacts.EMPTY:
            empty(path)
        elif rule == artefacts.EMPTY_FILE:
            make_empty(path)
        else:
            remove(path)
    except FileNotFoundError:
        return  # it went with another, or by itself
    except OSError as error:
        raise SealError("{} cannot be sealed: {}. Mend that, and run again".format(path, error.strerror)) from error


def remove(path):
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def empty(path):
    """In place: whoever has the file open writes into the same one, and its owner, mode and label stay."""
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW))


def make_empty(path):
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        remove(path)
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW, 0o444))


def keep_lines_without_proxy(path):
    rewrite(path, b"".join(line for line in check.lines(path) if not check.PROXY_LINE.match(line)))


def keep_helpers(path):
    is_file = stat.S_ISREG(os.lstat(path).st_mode)
    kept = {key: value for key, value in check.docker_config(path).items() if key in check.HELPERS} if is_file else {}
    if kept:
        rewrite(path, json.dumps(kept, indent="\t").encode() + b"\n")
    else:
        remove(path)


def rewrite(path, content):
    """In place, as above."""
    with open(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "wb") as stream:
        stream.write(content)


def preset(units):
    """The text of the preset that keeps these units enabled."""
    return "# Written by slipway.platform.image_seal: a first boot sets every unit to its preset.\n" + "".join(
        "enable {}\n".format(unit) for unit in units
    )


def preset_is_as_wanted(tree, units):
    return file_io.read_text(tree.resolve(check.PRESET)) == preset(units)


def write_preset(tree, units):
    file_io.write_atomically(tree.resolve(check.PRESET), preset(units), 0o644)
