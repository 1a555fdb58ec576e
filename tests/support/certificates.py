# SPDX-License-Identifier: Apache-2.0
"""Certificates that end when a test wants it."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate_for(days: int) -> str:
    """Return a certificate, PEM text, that ends some days and an hour from now."""
    return certificate(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, hours=1))


def certificate(end: datetime.datetime, name: str = "docker") -> str:
    return with_key(end, name)["cert"]


def with_key(end: datetime.datetime, name: str) -> dict[str, str]:
    """Return a certificate of its own CA for a name, and its key, as PEM texts cert, ca and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    signed = (
        builder.not_valid_before(datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = signed.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"cert": text, "ca": text, "key": private.decode()}
