# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A private rpm database with only the pinned keys, to verify packages regardless of what else the host trusts."""

import base64
import binascii
import os
import re
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp

# At its default level, rpm accepts a package without a signature.
STRICT = ("--define", "_pkgverify_level all")
INTACT = ": digests signatures OK"
# The pseudo-package that rpm creates for each imported key, its key ID, and the key itself in base64.
IMPORTED_FORMAT = "%{NAME}-%{VERSION}-%{RELEASE}\t%{VERSION}\t[%{PUBKEYS}]\n"
IMPORTED = re.compile(r"^(gpg-pubkey-\S+)\t(\S+)\t([A-Za-z0-9+/=\s]*)$", re.MULTILINE)


class KeyringError(Exception):
    """rpm does not read the keys as they were written; str() is a clause for the message."""


class PinnedKeyring:
    """A keyring from a canonical key file (openpgp.canonical); KeyringError unless rpm reads exactly its keys."""

    def __init__(self, module, key):
        self.module = module
        self.directory = tempfile.mkdtemp(dir=module.tmpdir)
        path = os.path.join(self.directory, "key")
        with open(path, "wb") as stream:
            stream.write(key)
        self.database = ["--dbpath", os.path.join(self.directory, "db")]
        code, output = self.run("rpmkeys", "--import", path)
        if code:
            raise KeyringError("rpm cannot import the pinned key ({})".format(" ".join(output.split())))
        read = imported(self.run("rpm", "--query", "--queryformat", IMPORTED_FORMAT, "gpg-pubkey")[1])
        found = sorted(fingerprint for _, fingerprints in read for fingerprint in fingerprints)
        if found != sorted(openpgp.all_fingerprints(key)):
            listed = " and ".join(found) or "none"
            raise KeyringError(f"rpm reads different keys from the pinned key file: {listed}")

    def is_intact(self, path):
        """Return whether the package is undamaged and signed by one of the keys.

        One call per package, since rpm may cut off its line about a bad one and garble the next.
        """
        code, output = self.run("rpmkeys", *STRICT, "--checksig", path)
        return code == 0 and output.rstrip("\n").endswith(path + INTACT)

    def run(self, program, *arguments):
        """Return the exit status and all output."""
        command = [self.module.get_bin_path(program, required=True), *self.database, *arguments]
        code, output, errors = self.module.run_command(command, environ_update={"LC_ALL": "C"})
        return code, output + errors


def forget(module, fingerprints):
    """Remove exactly these keys from the host's rpm database; return a message for each that cannot be removed."""
    query = ["rpm", "--query", "--queryformat", IMPORTED_FORMAT, "gpg-pubkey"]
    found = imported(module.run_command(query, environ_update={"LC_ALL": "C"})[1])
    problems = []
    for name, keys in found:
        if keys[0] in fingerprints:
            # Before version 4.20, its name has only the last eight digits of the fingerprint, which are not unique.
            code, output, errors = module.run_command(["rpm", "--erase", name])
            if code:
                reason = " ".join((errors or output).split())
                problems.append(f"rpm still trusts the key {keys[0]} ({reason}): remove {name} by hand")
    return problems


def imported(output):
    """Return (pseudo-package, fingerprints of all its keys) for each imported key, from the query's output."""
    return [(name, fingerprints_of(key_id, encoded)) for name, key_id, encoded in IMPORTED.findall(output)]


def fingerprints_of(key_id, encoded):
    """Return the fingerprints in rpm's copy of a key; "unknown" and the ID if it does not parse or match the ID."""
    try:
        found = openpgp.all_fingerprints(base64.b64decode(encoded))
    except (binascii.Error, openpgp.OpenPgpError):
        return ["unknown " + key_id]
    return found if found[0].lower().endswith(key_id.lower()) else ["unknown " + key_id]
