# SPDX-License-Identifier: Apache-2.0
"""Writes the Basic registry's password file from basic-users.json. Runs in the hub's container."""

import json
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # Removed in Python 3.13, but the container has Python 3.11, and this saves a package.
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt

HOME = Path("/srv/slipway/hub")


def main() -> None:
    """Replace the file atomically: the registry rereads it after a change."""
    users: dict[str, str] = json.loads((HOME / "basic-users.json").read_text())
    unfinished = HOME / "htpasswd.unfinished"
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{user}:{bcrypt(password)}\n" for user, password in users.items()))
    unfinished.rename(HOME / "htpasswd")


def bcrypt(password: str) -> str:
    """Return the bcrypt hash of a password, as the registry requires, with few rounds: these are no real secrets."""
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**5))


if __name__ == "__main__":
    main()
