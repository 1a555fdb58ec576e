# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Lists everything in an image that must not ship. Reads only."""

import collections
import contextlib
import fnmatch
import json
import os
import re
import stat

from . import artefacts, credentials, presets
from .tree import Tree, TreeError, printable

PROXY_LINE = re.compile(
    rb"(?i)^\s*(?:export\s+|--|(?:Default|Manager)Environment\s*=\s*)?"
    rb"[\"']?(?:\w+_)?proxy(?:_username|_password|-user)?[\"']?\s*[= ]\s*\S"
)
PROXY_IN_SHELL = re.compile(rb"(?i)^\s*(?:export\s+)?(?:\w+_)?proxy=\S")
OF_THIS_MACHINE = re.compile(rb"^\s*(?:(?:HWADDR|MACADDR|UUID|IPV6ADDR)=|IPADDR\d*=(?!\W?127\.))")
HELPERS = {"credHelpers", "credsStore"}  # the keys of a config.json that hold no secret
# By what the bytes of a raw disk or of a file system are known, and where: in whatever else is, they are hidden.
RAW = (
    (510, b"\x55\xaa"),  # MBR, also beside a GPT
    (512, b"EFI PART"),
    (1080, b"\x53\xef"),  # ext
    (0, b"XFSB"),
    (65600, b"_BHRfS_M"),  # btrfs
)

# An artefact is None where the violation is something else; the place is a path of the image, with a line or a byte.
Violation = collections.namedtuple("Violation", "artefact path place what")


def sentence(violation):
    return "{}: {}".format(printable(violation.place), violation.what)


def of_artefacts(tree, keep_keys_of=()):
    """The violations of the list, each file once. Keys of the users that are named may stay."""
    listed = collections.OrderedDict()  # type: collections.OrderedDict[str, Violation]
    for violation in [*of_the_system(tree), *of_homes(tree, keep_keys_of), *of_the_engine(tree)]:
        listed.setdefault(violation.path, violation)
    return list(listed.values())


def of_the_system(tree):
    for artefact in artefacts.OF_THE_SYSTEM:
        for pattern in artefact.patterns:
            yield from judge(tree, artefact, tree.of_the_system(pattern))
    machine_id = tree.resolve("etc/machine-id")
    if not os.path.lexists(machine_id):
        yield Violation(artefacts.MACHINE_ID, machine_id, tree.inside(machine_id), artefacts.MACHINE_ID.what)


def of_homes(tree, keep_keys_of):
    for home, users in sorted(tree.homes().items()):
        for artefact in artefacts.OF_A_HOME:
            if artefact is not artefacts.AUTHORIZED_KEYS or users.isdisjoint(keep_keys_of):
                yield from in_folder(tree, home, artefact)


def of_the_engine(tree):
    for artefact in artefacts.OF_THE_ENGINE:
        yield from in_folder(tree, tree.data_root(), artefact)


def in_folder(tree, folder, artefact):
    for pattern in artefact.patterns:
        yield from judge(tree, artefact, tree.below(folder, pattern.split("/")))


def judge(tree, artefact, paths):
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # on a running system files come and go
            if violates(artefact.rule, path):
                yield Violation(artefact, path, tree.inside(path), artefact.what)


def violates(rule, path):
    status = os.lstat(path)
    is_file = stat.S_ISREG(status.st_mode)
    if rule == artefacts.ABSENT:
        return True
    if rule == artefacts.EMPTY_FILE:
        return not is_file or status.st_size > 0
    if rule == artefacts.EMPTY:
        return is_file and status.st_size > 0
    if rule == artefacts.NO_PROXY:
        return is_file and any(PROXY_LINE.match(line) for line in lines(path))
    if rule == artefacts.NO_PROXY_IN_SHELL:
        return is_file and any(PROXY_IN_SHELL.match(line) for line in lines(path))
    if rule == artefacts.NO_MACHINE:
        return is_file and any(OF_THIS_MACHINE.match(line) for line in lines(path))
    if rule == artefacts.HELPERS_ONLY:
        return not is_file or not names_helpers_only(path)
    return is_file


def names_helpers_only(path):
    with open(path, "rb") as stream:
        return HELPERS.issuperset(docker_config(stream))


def docker_config(stream):
    """What a config.json says; one that is no JSON says something that ought not to be there."""
    try:
        return dict(json.loads(stream.read().decode()))
    except (TypeError, ValueError, RecursionError):
        return {"": None}


def lines(path):
    with open(path, "rb") as stream:
        return stream.readlines()


def of_the_presets(tree):
    """The violations of an image in which a first boot would disable what shall run."""
    for unit in presets.UNITS:
        path = presets.disabling(tree, unit) if presets.is_enabled(tree, unit) else None
        if path:
            yield Violation(None, path, tree.inside(path), "a first boot would disable {} by it".format(unit))


def of_credentials(tree, allowed, kinds):
    """The credentials in all files, but for those that match a pattern of paths of the image."""
    for path in tree.files(tree.root):
        name = tree.inside(path)
        if not any(fnmatch.fnmatchcase(name, glob) for glob in allowed):
            with contextlib.suppress(FileNotFoundError):  # as above
                for found in in_file(path, kinds):
                    yield Violation(None, path, "{}, line {}".format(name, found.line), found.what)


def in_file(path, kinds):
    """The credentials in a file; links, sockets and devices hold none."""
    return credentials.search(path, kinds) if stat.S_ISREG(os.lstat(path).st_mode) else []


def of_tree(root, keep_keys_of=(), allowed=(), canaries=(), own=()):
    """All violations of the operating system below a folder."""
    tree = Tree(root, own)
    kinds = credentials.KINDS + [credentials.canary(text) for text in canaries]
    return [
        *of_artefacts(tree, keep_keys_of),
        *of_the_presets(tree),
        *of_credentials(tree, allowed, kinds),
    ]


def refuse_unreadable(path):
    with open(path, "rb") as stream:
        beginning = stream.read(128 << 10)
    if not any(beginning.startswith(magic, offset) for offset, magic in RAW):
        raise TreeError(
            "{} is no raw disk and no ext, xfs or btrfs: unpack it, decrypt it, or convert it (qemu-img convert "
            "-O raw)".format(path)
        )


def of_raw_image(path, canaries=()):
    """The credentials in the bytes of a disk, deleted files included."""
    refuse_unreadable(path)
    kinds = credentials.KINDS + [credentials.canary(text) for text in canaries]
    return [
        Violation(None, path, "{}, byte {}".format(path, found.byte), found.what)
        for found in credentials.search(path, kinds)
    ]


def of_path(path, keep_keys_of=(), allowed=(), canaries=(), own=()):
    """All violations of a root file system (a folder) or a raw image (a file or a disk)."""
    try:
        if os.path.isdir(path):
            return of_tree(path, keep_keys_of, allowed, canaries, own)
        if not os.path.exists(path):
            raise TreeError("{} does not exist: name a root file system or a raw image".format(path))
        if keep_keys_of or allowed:
            raise TreeError(
                "{} is a raw image, whose bytes have no file's name: say what may stay when you check its root file "
                "system, and leave it out here".format(path)
            )
        return of_raw_image(path, canaries)
    except PermissionError as error:
        raise TreeError("{} cannot be read: run as root".format(error.filename)) from error
