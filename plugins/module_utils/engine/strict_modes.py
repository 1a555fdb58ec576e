# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Owners and modes of the engine's files as in section 3 of the CIS Docker Benchmark 1.6; nothing is ever widened.

The socket of the engine (3.15, 3.16) is docker_access's.
"""

import glob
import os
import stat

# Patterns of paths, and the bits that their modes may have.
LIMITS = (
    ("/usr/lib/systemd/system/docker.service", 0o644),
    ("/usr/lib/systemd/system/docker.socket", 0o644),
    ("/etc/systemd/system/docker.service", 0o644),
    ("/etc/systemd/system/docker.socket", 0o644),
    ("/etc/docker", 0o755),
    ("/etc/docker/certs.d/*/*.crt", 0o444),
    ("/etc/docker/certs.d/*/*.cert", 0o444),
    ("/etc/docker/daemon.json", 0o644),
    ("/etc/default/docker", 0o644),
    ("/etc/sysconfig/docker", 0o644),
    ("/run/containerd/containerd.sock", 0o660),
)
# Options of daemon.json that name files.
TLS = (("tlscacert", 0o444), ("tlscert", 0o444), ("tlskey", 0o400))


def loose(options):
    """Return (path, status, mode to be) of every file that is too open, or not root's; links are left alone."""
    named = tuple((glob.escape(options[name]), mode) for name, mode in TLS if is_path(options.get(name)))
    found = []
    for pattern, limit in LIMITS + named:
        for path in sorted(glob.glob(pattern)):
            status = os.lstat(path)
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISLNK(status.st_mode) or (not mode & ~limit and (status.st_uid, status.st_gid) == (0, 0)):
                continue
            # Any path may be named, also one in a directory of somebody else.
            if (pattern, limit) in named and not stat.S_ISREG(status.st_mode):
                continue
            found.append((path, status, mode & limit))
    return found


def is_path(value):
    return isinstance(value, str) and os.path.isabs(value) and "\0" not in value


def tighten(module, options):
    """Correct the files; return a diff of what changes, empty if nothing does."""
    found = loose(options)
    if not module.check_mode:
        for path, status, mode in found:
            correct(path, status, mode)
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": f"mode: {stat.S_IMODE(status.st_mode):04o}\n",
            "after": f"root:root, {mode:04o}\n",
        }
        for path, status, mode in found
    ]


def correct(path, status, mode):
    """Give the file to root, with this mode, if it is still the one of this status, and no link that took its place."""
    if stat.S_ISSOCK(status.st_mode):  # it cannot be opened, and is in a directory of root
        os.lchown(path, 0, 0)
        os.chmod(path, mode)
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if os.path.samestat(os.fstat(descriptor), status):
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
