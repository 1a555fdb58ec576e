# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""/etc/docker/certs.d and insecure-registries, on servers with TLS, with client certificates, and without."""

import http.client
import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.net import tls
from ansible_collections.slipway.platform.plugins.module_utils.registry import certificates, engine_registries
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY


class Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        """Keep the test output quiet: handshakes fail."""


@contextmanager
def serving(context: ssl.SSLContext | None) -> Iterator[str]:
    """Yield the key of a registry."""
    with Quiet(("127.0.0.1", 0), Answering) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def openssl(*command: str) -> None:
    subprocess.run(["openssl", *command], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CA as a plain `openssl req -x509` makes it, and certificates of a server and a client."""
    folder = tmp_path_factory.mktemp("authority")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = [f"{folder}/ca.key", f"{folder}/ca.crt"]
    openssl("req", "-x509", *new, "-subj", "/CN=CA", "-days", "2", "-keyout", ca[0], "-out", ca[1])
    for name, extensions in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        base = f"{folder}/{name}"
        openssl("req", *new, "-subj", f"/CN={name}", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        (folder / "extensions").write_text(extensions)
        signer = ["-CA", ca[1], "-CAkey", ca[0], "-CAcreateserial", "-extfile", f"{folder}/extensions"]
        openssl("x509", "-req", "-in", f"{base}.csr", *signer, "-days", "2", "-out", f"{base}.cert")
    return folder


def server_context(authority: Path, *, mutual: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.cert", authority / "server.key")
    if mutual:
        context.load_verify_locations(authority / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # with 1.3, whether the client reads the alert is a race
    return context


@pytest.fixture
def put(authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Copy files of the authority into a registry's folder below certs.d."""
    monkeypatch.setattr(certificates.folder_of, "__defaults__", (str(tmp_path),))

    def copy(key: str, **files: str) -> Path:
        folder = tmp_path / key
        folder.mkdir(exist_ok=True)
        for target, source in files.items():
            (folder / target.replace("_", ".")).write_bytes((authority / source).read_bytes())
        return folder

    return copy


def ask(key: str, **options: Any) -> int:
    client = registry_http.Client(timeout=5, pauses=(), **options)
    return int(client.for_registry(key).ask(f"https://{key}/v2/").status)


def failure(kind: type[Exception], key: str, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        ask(key, **options)
    return str(caught.value)


@pytest.fixture
def strict_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """What create_default_context does from Python 3.13 on."""
    default = ssl.create_default_context

    def strict(*arguments: Any, **keywords: Any) -> ssl.SSLContext:
        context = default(*arguments, **keywords)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


def test_the_engine_s_ca_of_a_registry_is_trusted_for_this_registry(
    authority: Path, put: Callable[..., Path], strict_python: None
) -> None:
    """Fault: a registry's CA is in `/etc/docker/certs.d` only, and was made without keyUsage. Outcome: accepted, as by
    the engine.
    """
    with serving(server_context(authority)) as key, serving(server_context(authority)) as other:
        assert "is not trusted" in failure(registry_http.Untrusted, key)
        put(key, ca_crt="ca.crt")
        assert ask(key) == 200
        assert f"add the CA that signed it as {certificates.folder_of(other)}/ca.crt" in failure(
            registry_http.Untrusted, other
        )


def test_a_ca_without_key_usage_is_accepted_from_the_system_s_trust_store(
    authority: Path, put: Callable[..., Path], strict_python: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.crt"))
    with serving(server_context(authority)) as key:
        assert ask(key) == 200
    assert not tls.client_context().verify_flags & ssl.VERIFY_X509_STRICT
    assert tls.client_context().verify_mode == ssl.CERT_REQUIRED
    assert tls.client_context().check_hostname


def test_a_leaf_as_trust_anchor_is_accepted_as_by_the_engine(authority: Path, put: Callable[..., Path]) -> None:
    with serving(server_context(authority)) as key:
        put(key, ca_crt="server.cert")
        assert ask(key) == 200


def test_the_client_certificate_of_a_registry_is_used(authority: Path, put: Callable[..., Path]) -> None:
    """Fault: a registry demands a client certificate. Outcome: that in `/etc/docker/certs.d` is used; without one, the
    files to add are named.
    """
    with serving(server_context(authority, mutual=True)) as key:
        folder = put(key, ca_crt="ca.crt")
        message = failure(registry_http.Unusable, key)
        assert f"put it into {folder}/client.cert, and its key into {folder}/client.key" in message
        put(key, client_cert="client.cert", client_key="client.key")
        assert ask(key) == 200


def test_a_connection_that_is_dropped_may_lack_a_client_certificate(put: Callable[..., Path]) -> None:
    client = registry_http.Client().for_registry("r.example.com")
    for reason in (http.client.RemoteDisconnected("closed"), BrokenPipeError(), ssl.SSLEOFError()):
        assert "whether it demands a client certificate" in str(client.connection_error("h", reason))
    refused = str(client.connection_error("h", ConnectionRefusedError("refused")))
    assert "client certificate" not in refused


def test_a_broken_folder_is_named(authority: Path, put: Callable[..., Path]) -> None:
    key = "r.example.com:5000"
    folder = put(key, client_key="client.key")
    assert f"{folder} has one half of a client certificate: add client.cert" in failure(registry_http.Unusable, key)
    (folder / "client.cert").write_text("nonsense")
    assert f"{folder}/client.cert and .key are not a certificate" in failure(registry_http.Unusable, key)
    openssl("ec", "-in", str(authority / "client.key"), "-aes256", "-passout", "pass:x", "-out", f"{folder}/client.key")
    (folder / "client.cert").write_bytes((authority / "client.cert").read_bytes())
    assert "unencrypted key" in failure(registry_http.Unusable, key)
    (folder / "client.key").unlink()
    (folder / "client.key").mkdir()
    assert str(folder) in failure(registry_http.Unusable, key)


def test_a_file_without_a_certificate_is_ignored_as_by_the_engine_and_named_if_trust_fails(
    authority: Path, put: Callable[..., Path]
) -> None:
    with serving(server_context(authority)) as key:
        folder = put(key, broken_crt="client.key")
        assert f"there is no certificate in {folder}/broken.crt" in failure(registry_http.Untrusted, key)
        put(key, other_crt="ca.crt", README="ca.crt")
        assert ask(key) == 200


def test_docker_hub_has_no_folder(put: Callable[..., Path]) -> None:
    assert certificates.folder_of(HUB_KEY) is None
    message = str(registry_http.Client().for_registry(HUB_KEY).connection_error("h", ssl.CertificateError("x")))
    assert "to the system's trust store, then restart the engine" in message
    assert "certs.d" not in message


@pytest.mark.parametrize("insecure", [True, False])
def test_a_registry_without_tls_is_named_as_such(put: Callable[..., Path], insecure: bool) -> None:
    """Fault: a registry has no TLS. Outcome: it is said, and what to set; no credentials are sent."""
    with serving(None) as key:
        message = failure(registry_http.ClearText, key, is_insecure=lambda asked: insecure and asked == key)
    assert f"{key} has no TLS" in message
    assert "set verify to false for this login" in message
    assert ("list it in insecure-registries" in message) is not insecure


def test_an_untrusted_registry_that_the_engine_does_not_verify_is_named_as_such(
    authority: Path, put: Callable[..., Path]
) -> None:
    with serving(server_context(authority)) as key:
        assert "counts for the engine alone" in failure(registry_http.Untrusted, key, is_insecure=lambda _: True)


@pytest.mark.parametrize(
    ("names", "insecure"),
    [
        (["r.example.com:5000"], True),
        (["http://R.example.com:5000"], True),
        (["r.example.com"], False),
        (["192.0.2.0/24"], False),
        ([5, None], False),
        ("r.example.com:5000", False),
    ],
)
def test_insecure_registries_are_found_by_name(tmp_path: Path, names: object, insecure: bool) -> None:
    assert engine_registries.is_insecure({"insecure-registries": names}, "r.example.com:5000") is insecure


@pytest.mark.parametrize(("key", "insecure"), [("192.0.2.7:5000", True), ("[2001:db8::1]", True), ("192.0.3.1", False)])
def test_insecure_registries_are_found_by_their_network(key: str, insecure: bool) -> None:
    options = {"insecure-registries": ["192.0.2.0/24", "2001:db8::/32", "x/y"]}
    assert engine_registries.is_insecure(options, key) is insecure


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_daemon_json_is_read_as_the_engine_reads_it(tmp_path: Path, encoding: str) -> None:
    """Fault: daemon.json has a byte order mark. Outcome: its registry mirrors are seen all the same."""
    path = tmp_path / "daemon.json"
    path.write_text('{"registry-mirrors": ["https://mirror.example"]}', encoding=encoding)
    assert engine_registries.texts(engine_registries.read(str(path)), "registry-mirrors") == ["https://mirror.example"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe{", b"\xff", b"[" * 100_000])
def test_an_invalid_daemon_json_has_no_options(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "daemon.json").write_bytes(content)
    assert engine_registries.read(str(tmp_path / "daemon.json")) == {}
