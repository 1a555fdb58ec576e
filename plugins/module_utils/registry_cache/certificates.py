# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The cache's certificate: the user's, or one of a CA of its own; made and checked by openssl."""

import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import paths
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache.settings import is_address

AUTHORITY_DAYS, SERVER_DAYS = 3650, 825
# A run renews a certificate that ends within this time; the check on the host warns from half of it on.
RENEWAL_SECONDS = 60 * 24 * 3600
EXTENSIONS = """basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {name}
"""
# Not the system's openssl.cnf, which may add extensions.
REQUEST = """[req]
distinguished_name = subject
prompt = no
x509_extensions = authority
[subject]
CN = Slipway registry cache
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


class CertificateError(Exception):
    """A certificate cannot be used; str() is the message, without a full stop."""


def openssl(module, *arguments, data=None):
    """Run openssl and return its output. Raise CertificateError."""
    code, output, errors = module.run_command(["openssl", *arguments], data=data, binary_data=True)
    if code:
        raise CertificateError(f"openssl {arguments[0]} failed ({one_line(errors or output)}): fix this and run again")
    return output


def one_line(text):
    return " ".join(text.split())[:300]


def check(module, cert, key, name):
    """Raise CertificateError unless the PEM texts are a certificate for the name, in its time, and its key."""
    try:
        end = openssl(module, "x509", "-noout", "-enddate", data=cert).partition("=")[2].strip()
        public = openssl(module, "x509", "-noout", "-pubkey", data=cert)
    except CertificateError as error:
        raise CertificateError(
            "cert of registry_cache_tls is not a certificate in PEM: set its text, which begins with "
            "-----BEGIN CERTIFICATE-----"
        ) from error
    if ends_within(module, cert, 0):
        raise CertificateError(f"the certificate in registry_cache_tls has ended ({end}): put a new one in its place")
    if not is_for(module, cert, name):
        raise CertificateError(
            f"the certificate in registry_cache_tls is not for {name}, so that no host would accept it: use one with "
            "this name, or set registry_cache_name to the name that it has"
        )
    try:
        own = openssl(module, "pkey", "-pubout", "-passin", "pass:", data=key)
    except CertificateError as error:
        raise CertificateError(
            "key of registry_cache_tls is not a private key in PEM, or has a passphrase: set the text of one without"
        ) from error
    if own.split() != public.split():
        raise CertificateError("key of registry_cache_tls does not belong to its cert: set two that were made together")


def ends_within(module, cert, seconds):
    code = module.run_command(["openssl", "x509", "-noout", "-checkend", str(seconds)], data=cert, binary_data=True)[0]
    return code != 0


def is_for(module, cert, name):
    """Return whether the certificate has this name; openssl says so in words, and before 3.x in nothing else."""
    option = "-checkip" if is_address(name) else "-checkhost"
    return (
        "does match" in module.run_command(["openssl", "x509", "-noout", option, name], data=cert, binary_data=True)[1]
    )


def own():
    """Return (ca, cert, key) of the cache's own CA that is on this host; None for each that is missing."""
    return (
        host_files.read_text(paths.authority("ca.crt")),
        host_files.read_text(paths.setting("tls.crt")),
        host_files.read_text(paths.setting("tls.key")),
    )


def is_own_usable(module, name):
    """Return whether the certificate of the own CA is for this name, and its end is far away."""
    ca, cert, key = own()
    if not (ca and cert and key and host_files.read_text(paths.authority("ca.key"))):
        return False
    with tempfile.NamedTemporaryFile(mode="w", suffix=".crt") as file:
        file.write(ca)
        file.flush()
        verified = module.run_command(["openssl", "verify", "-CAfile", file.name], data=cert, binary_data=True)[0] == 0
    return verified and is_for(module, cert, name) and not ends_within(module, cert, RENEWAL_SECONDS)


def make(module, name):
    """Return (ca, ca_key, cert, key), PEM texts: a new certificate of the CA on this host, or of a new CA.

    Keys are made in a directory that only root can enter.
    """
    folder = tempfile.mkdtemp(prefix="slipway-registry-cache-")
    try:
        return make_in(folder, module, name)
    finally:
        for file in os.listdir(folder):
            os.unlink(os.path.join(folder, file))
        os.rmdir(folder)


def make_in(folder, module, name):
    def at(file):
        return os.path.join(folder, file)

    def put(file, text):
        host_files.write_atomically(at(file), text, 0o600)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-config", at("ca.cnf"))
    put("ca.cnf", REQUEST)
    put("server.cnf", EXTENSIONS.format(name=("IP:" if is_address(name) else "DNS:") + name))
    ca, ca_key = (host_files.read_text(paths.authority(file)) for file in ("ca.crt", "ca.key"))
    if ca and ca_key and not ends_within(module, ca, SERVER_DAYS * 24 * 3600):
        put("ca.crt", ca)
        put("ca.key", ca_key)
    else:
        lasting = ("-days", str(AUTHORITY_DAYS), "-keyout", at("ca.key"), "-out", at("ca.crt"))
        openssl(module, "req", "-x509", *new_key, *lasting)
    openssl(module, "req", "-new", *new_key, "-keyout", at("tls.key"), "-out", at("tls.csr"))
    signer = ("-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", str(SERVER_DAYS))
    extensions = ("-extfile", at("server.cnf"), "-out", at("tls.crt"))
    openssl(module, "x509", "-req", "-sha256", "-in", at("tls.csr"), *signer, *extensions)
    return tuple(host_files.read_text(at(file)) for file in ("ca.crt", "ca.key", "tls.crt", "tls.key"))
