# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A file on the controller that holds one secret: its owner's alone, and encrypted where there is a vault password."""

import contextlib
import os
import tempfile
from pathlib import Path


class SecretFileError(Exception):
    """The file cannot be used; str() is the message, without a period."""


class SecretFile:
    """The file; vault is ansible-vault's VaultLib with the passwords of this run."""

    def __init__(self, path, vault):
        self.path, self.vault = Path(os.path.abspath(os.path.expanduser(path))), vault

    def read(self):
        """Return the secret, "" if there is no file."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise SecretFileError(f"{self.path} cannot be read on the controller ({error.strerror})") from error
        if self.vault.is_encrypted(data):
            if not self.vault.secrets:
                raise SecretFileError(f"{self.path} is encrypted: run with --ask-vault-pass or --vault-password-file")
            try:
                data = self.vault.decrypt(data)
            except Exception as error:  # of ansible-vault, whose message names no secret and which differ by version
                raise SecretFileError(f"{self.path} cannot be decrypted with this run's vault passwords") from error
        return data.decode("utf-8", "replace").strip()

    def is_protected(self):
        """Return whether the file is as this run would write it: private, and encrypted if there is a password."""
        try:
            private = not self.path.stat().st_mode & 0o077
            return private and (not self.vault.secrets or self.vault.is_encrypted(self.path.read_bytes()))
        except OSError:
            return False

    def require_writable(self):
        """Raise SecretFileError unless the file can be replaced, and what it holds kept beside it."""
        if self.path.is_dir():
            raise SecretFileError(f"{self.path} is a directory on the controller: name a file in it")
        self.read()
        try:
            descriptor, trial = tempfile.mkstemp(dir=self.path.parent)
        except OSError as error:
            raise SecretFileError(
                f"{self.path} cannot be written on the controller ({error.strerror}): create its directory, or choose "
                "another"
            ) from error
        os.close(descriptor)
        os.unlink(trial)

    def write(self, secret):
        """Replace the file; another secret that it holds is kept beside it."""
        before = self.read()
        if before and before != secret:
            self._put(self.path.with_name(self.path.name + ".previous"), before)
        self._put(self.path, secret)

    def _put(self, path, secret):
        data = f"{secret}\n".encode()
        if self.vault.secrets:
            data = self.vault.encrypt(data)
        new = ""
        try:
            # It makes the file 0600 from the start.
            descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data if isinstance(data, bytes) else data.encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise SecretFileError(f"{path} cannot be written on the controller ({error.strerror})") from error
