# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""List everything in an image that must not ship, without changing anything."""

import collections
import contextlib
import fnmatch
import io
import json
import os
import re
import stat

from . import accounts, artefacts, credentials, documentation, login_keys, opening, presets
from .tree import GONE, Tree, TreeError, printable

PROXY_LINE = re.compile(
    rb"(?i)^\s*(?:export\s+|--|(?:Default|Manager)Environment\s*=\s*)?"
    rb"[\"']?(?:\w+_)?proxy(?:_username|_password|-user)?[\"']?\s*[= ]\s*\S"
)
PROXY_IN_SHELL = re.compile(rb"(?i)^\s*(?:export\s+)?(?:\w+_)?proxy=\S")
OF_THIS_MACHINE = re.compile(rb"^\s*(?:(?:HWADDR|MACADDR|UUID|IPV6ADDR|(?:DHCP_)?HOSTNAME)=|IPADDR\d*=(?!\W?127\.))")
HELPERS = {"credHelpers", "credsStore"}  # the keys of a config.json that contain no secrets
# (offset, magic) of raw disks and file systems; anything else, such as a compressed image, hides its content.
RAW = (
    (510, b"\x55\xaa"),  # MBR, also beside a GPT
    (512, b"EFI PART"),
    (1080, b"\x53\xef"),  # ext
    (0, b"XFSB"),
    (65600, b"_BHRfS_M"),  # btrfs
)

# artefact: None if the violation is not in the list of artefacts; place: a path in the image, with a line or byte.
Violation = collections.namedtuple("Violation", "artefact path place what")


def describe(violation):
    return "{}: {}".format(printable(violation.place), printable(violation.what))


def artefact_violations(tree, keep_keys_of=(), keep_passwords_of=()):
    """Return the listed artefacts in the image, each file once; keys and passwords of the named users may stay."""
    with tree.cached():
        violations = [
            *system_violations(tree),
            *password_violations(tree, keep_passwords_of),
            *home_violations(tree, keep_keys_of),
            *violations_among(tree, artefacts.OTHER_KEYS, login_keys.files(tree, keep_keys_of)),
            *engine_violations(tree),
        ]
    listed = collections.OrderedDict()  # type: collections.OrderedDict[str, Violation]
    for violation in violations:
        listed.setdefault(violation.path, violation)
    return list(listed.values())


def system_violations(tree):
    for artefact in artefacts.SYSTEM:
        for pattern in artefact.patterns:
            yield from violations_among(tree, artefact, tree.glob(pattern))
    machine_id = tree.resolve("etc/machine-id")
    if not os.path.lexists(machine_id):
        yield Violation(artefacts.MACHINE_ID, machine_id, tree.inside(machine_id), artefacts.MACHINE_ID.what)


def password_violations(tree, kept):
    for artefact in (artefacts.PASSWORDS, artefacts.GROUP_PASSWORDS):
        of_groups = artefact is artefacts.GROUP_PASSWORDS
        for pattern in artefact.patterns:
            path = tree.resolve(pattern)
            content = tree.read(path, opening.LARGEST_ACCOUNT_FILE) or b""
            names = accounts.find_passwords(content, of_groups, kept)
            if names:
                yield Violation(artefact, path, tree.inside(path), "{} {}".format(artefact.what, ", ".join(names)))


def home_violations(tree, keep_keys_of):
    for home, users in sorted(tree.homes().items()):
        for artefact in artefacts.HOME:
            if artefact is not artefacts.AUTHORIZED_KEYS or users.isdisjoint(keep_keys_of):
                yield from violations_below(tree, home, artefact)


def engine_violations(tree):
    for artefact in artefacts.ENGINE:
        yield from violations_below(tree, tree.data_root(), artefact)


def violations_below(tree, folder, artefact):
    for pattern in artefact.patterns:
        yield from violations_among(tree, artefact, tree.below(folder, pattern.split("/")))


def violations_among(tree, artefact, paths):
    for path in paths:
        with contextlib.suppress(*GONE), tree.reading(path):
            if violates(tree, artefact.rule, path):
                yield Violation(artefact, path, tree.inside(path), artefact.what)


def violates(tree, rule, path):
    status = os.lstat(path)
    is_file = stat.S_ISREG(status.st_mode)
    if rule == artefacts.ABSENT:
        return True
    if rule == artefacts.EMPTY_FILE:
        return not is_file or status.st_size > 0
    if rule == artefacts.EMPTY:
        return is_file and status.st_size > 0
    if rule == artefacts.NO_PROXY:
        return is_file and any(PROXY_LINE.match(line) for line in lines(tree, path))
    if rule == artefacts.NO_PROXY_IN_SHELL:
        return is_file and any(PROXY_IN_SHELL.match(line) for line in lines(tree, path))
    if rule == artefacts.NO_MACHINE:
        return is_file and any(OF_THIS_MACHINE.match(line) for line in lines(tree, path))
    if rule == artefacts.HELPERS_ONLY:
        return not is_file or not has_only_helpers(tree, path)
    return is_file


def has_only_helpers(tree, path):
    with tree.file(path) as stream:
        return HELPERS.issuperset(docker_config(stream))


def docker_config(stream):
    """Parse a config.json; if it is invalid or too large, return a dict with a key that is not allowed."""
    try:
        return dict(json.loads(opening.read(stream).decode()))
    except (TypeError, ValueError, RecursionError, opening.TooLargeError):
        return {"": None}


def lines(tree, path):
    with tree.file(path) as stream:
        return lines_of(stream)


def lines_of(stream):
    return io.BytesIO(opening.read(stream)).readlines()


def preset_violations(tree):
    """Yield a violation for each enabled unit that the first boot would disable."""
    for unit in presets.UNITS:
        path = presets.disabling(tree, unit) if presets.is_enabled(tree, unit) else None
        if path:
            yield Violation(None, path, tree.inside(path), "disables {} at the first boot".format(unit))


def credential_violations(tree, allowed, anchors):
    """Yield the credentials in all regular files whose path in the image matches no allowed pattern."""
    for path, name, folder in tree.contents():
        place = tree.inside(path)
        if not any(fnmatch.fnmatchcase(place, glob) for glob in allowed):
            with contextlib.suppress(*GONE), tree.reading(path), opened(name, folder) as stream:
                known = artefacts.EVERYWHERE.get(name) or artefacts.ENDINGS.get(os.path.splitext(name)[1])
                if known and holds_secrets(place, stream):
                    yield Violation(None, path, place, known)
                found = documentation.without_examples(list(credentials_in(stream, anchors)), tree, place, stream)
                for what, line in found:
                    yield Violation(None, path, "{}, line {}".format(place, line), what)


def opened(name, folder):
    return open(opening.regular_file(name, folder=folder), "rb", buffering=0)


def holds_secrets(place, stream):
    """Return whether to count a file by its name alone."""
    return (not place.startswith("/usr/") or place.startswith(artefacts.NOT_OF_PACKAGES)) and os.fstat(
        stream.fileno()
    ).st_size > 0


def credentials_in(stream, anchors):
    """Yield the credentials in a file, each with its line."""
    lines = credentials.Lines(stream)
    for found in credentials.search(stream, anchors):
        yield found.what, lines.number(found.byte)


def check_tree(root, keep_keys_of=(), allowed=(), canaries=(), own=(), keep_passwords_of=()):
    """Return all violations in the operating system below a directory."""
    tree = Tree(root, own)
    anchors = credentials.ANCHORS + [credentials.canary(text) for text in canaries]
    listed = artefact_violations(tree, keep_keys_of, keep_passwords_of)
    paths = {violation.path for violation in listed}
    by_name = {*artefacts.EVERYWHERE.values(), *artefacts.ENDINGS.values()}
    found = credential_violations(tree, allowed, anchors)
    return [
        *listed,
        *preset_violations(tree),
        *(each for each in found if not (each.what in by_name and each.path in paths)),
    ]


def refuse_unreadable(path, stream):
    beginning = stream.read(128 << 10) or b""
    if not any(beginning.startswith(magic, offset) for offset, magic in RAW):
        raise TreeError(
            "{} is neither a raw disk nor an ext, XFS or Btrfs file system: unpack it, decrypt it, or convert it "
            "(qemu-img convert -O raw)".format(path)
        )


def open_nonblocking(path, flags):
    """Open a file without blocking: a FIFO has nothing to read."""
    return os.open(path, flags | os.O_NONBLOCK)


def check_raw_image(path, canaries=()):
    """Return the credentials in the bytes of a disk, including deleted files."""
    anchors = credentials.ANCHORS + [credentials.canary(text) for text in canaries]
    with open(path, "rb", buffering=0, opener=open_nonblocking) as stream:
        refuse_unreadable(path, stream)
        return [
            Violation(None, path, "{}, byte {}".format(path, found.byte), found.what)
            for found in credentials.search(stream, anchors)
        ]


def check_path(path, keep_keys_of=(), allowed=(), canaries=(), own=(), keep_passwords_of=()):
    """Return all violations in a root file system (a directory) or a raw image (a file or disk). Raise TreeError."""
    try:
        if os.path.isdir(path):
            return check_tree(path, keep_keys_of, allowed, canaries, own, keep_passwords_of)
        if not os.path.exists(path):
            raise TreeError("{} does not exist: give a root file system or a raw image".format(path))
        if keep_keys_of or allowed or keep_passwords_of:
            raise TreeError(
                "{} is a raw image, which has no file names to make exceptions for: check its root file system with "
                "these exceptions, and the raw image without them".format(path)
            )
        return check_raw_image(path, canaries)
    except PermissionError as error:
        raise TreeError("{} cannot be read: run as root".format(error.filename)) from error
