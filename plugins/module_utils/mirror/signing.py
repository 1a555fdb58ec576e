# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Sign a mirror's metadata with the mirror's own key, which is kept in memory only while signing."""

import os
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp

# In memory, and a short path, as the socket of gpg-agent needs.
RUN = "/run"


class MetadataSigner:
    """Sign with the key in a file of gpg --export-secret-keys, without passphrase; call close() at the end."""

    def __init__(self, module, path):
        self.module = module
        self.home = tempfile.mkdtemp(prefix="slipway-mirror-", dir=RUN)
        try:
            self.gpg("--import", path, fault=f"docker_mirror_signing_key {path} cannot be used")
            if not self.gpg("--list-secret-keys", "--with-colons", fault="gpg cannot list its keys"):
                raise MirrorError(f"docker_mirror_signing_key {path} cannot be used: it contains no secret key")
            exported = self.gpg("--export", fault="gpg cannot export the public key")
            self.public = self.read_public(path, exported)
        except BaseException:
            self.close()
            raise

    def read_public(self, path, exported):
        """Return the public key in canonical form, with its subkeys, one of which may sign."""
        try:
            keys = openpgp.all_fingerprints(exported)
            if len(openpgp.fingerprints(exported)) != 1:
                raise openpgp.OpenPgpError("it contains several keys")
            return openpgp.canonical(exported, keys)
        except openpgp.OpenPgpError as error:
            raise MirrorError(f"docker_mirror_signing_key {path} cannot be used: {error}") from error

    def sign(self, folder):
        """Sign the metadata of a repository."""
        index = index_path(folder)
        arguments = ["--yes", "--armor", "--detach-sign", "--output", index + ".asc", index]
        self.gpg(*arguments, fault=f"{index} cannot be signed")

    def is_signed(self, folder):
        """Return whether the key signed the current metadata."""
        index = index_path(folder)
        return os.path.exists(index + ".asc") and self.run("--verify", index + ".asc", index)[0] == 0

    def gpg(self, *arguments, fault):
        """Return the output of gpg, as bytes; raise MirrorError if it fails."""
        code, output, errors = self.run(*arguments)
        if code:
            raise MirrorError("{} ({})".format(fault, " ".join(errors.decode("utf-8", "replace").split())))
        return output

    def run(self, *arguments):
        gpg = self.module.get_bin_path("gpg", required=True)
        options = ["--homedir", self.home, "--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
        return self.module.run_command([gpg, *options, *arguments], encoding=None)

    def close(self):
        """Stop gpg-agent and delete the secret key."""
        self.module.run_command(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"])
        shutil.rmtree(self.home, ignore_errors=True)


class NoSigner:
    """The signer of a mirror without a key of its own."""

    public = b""

    def sign(self, folder):
        pass

    def is_signed(self, folder):
        return not os.path.exists(index_path(folder) + ".asc")

    def close(self):
        pass


def index_path(folder):
    return os.path.join(folder, "repodata", "repomd.xml")
