# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, and a server certificate for the names that the stand-in borrows."""

from pathlib import Path

from commands import run

DAYS = "3650"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


def make(folder: Path, names: list[str]) -> None:
    """Write ca.crt, ca.key, server.crt and server.key into the folder."""
    alternatives = ",".join(f"DNS:{name}" for name in names)
    run(
        *("openssl", "req", "-x509", *NEW_KEY, "-days", DAYS, "-subj", "/CN=Slipway lab"),
        *("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt")),
    )
    run(
        *("openssl", "req", "-x509", *NEW_KEY, "-days", DAYS, "-subj", f"/CN={names[0]}"),
        *("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")),
        *("-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")),
    )
