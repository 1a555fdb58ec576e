# SPDX-License-Identifier: Apache-2.0
"""The parts of the stand-in Docker Hub that need no registry."""

import base64
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.hub import assemble as content
from slipway.lab.hub import token_server
from slipway.lab.yum_repository import HERE as REPOSITORY_FOLDER
from slipway.lab.yum_repository import assemble as repository

FOLDER = Path(hub.__file__).parent
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the hub with a key and two users."""
    folder = tmp_path_factory.mktemp("hub")
    content.make_token_key(folder)
    content.write_users(folder / "users.json", {"alice": "right", "limited": "right"})
    return folder


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", hub.NAMES)
def test_every_name_of_the_hub_is_served_with_a_certificate_for_it(name: str) -> None:
    assert f" = {name}\n" in (REPOSITORY_FOLDER / "tls.cnf").read_text()
    served = [line.split() for line in (FOLDER / "nginx.conf").read_text().replace(";", "").splitlines()]
    assert any(name in words for words in served if words[:1] == ["server_name"])


# --- Tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "scope", "actions"),
    [
        ("", "repository:library/hello-world:pull", ["pull"]),
        ("", "repository:ratelimitpreview/test:pull", ["pull"]),
        ("", "repository:alice/private:pull", []),
        ("bob", "repository:alice/private:pull", []),
        ("bob", "repository:alice/private:pull,push", []),
        ("alice", "repository:alice/private:pull", ["pull"]),
        ("alice", "repository:alice/private:pull,push", ["pull", "push"]),
        ("alice", "repository:library/hello-world:pull,push", ["pull"]),
        ("library", "repository:library/hello-world:push", ["push"]),
        ("alice", "registry:catalog:*", []),
        ("", "repository:/private:pull", []),
        ("alice", "nonsense", []),
    ],
)
def test_users_may_push_to_their_own_and_pull_from_public_repositories(
    user: str, scope: str, actions: list[str]
) -> None:
    assert token_server.granted(user, scope)["actions"] == actions


@needs_openssl
@pytest.mark.parametrize("credentials", [("alice", "wrong"), ("alice", ""), ("nobody", "right"), ("", "")])
def test_wrong_credentials_are_never_treated_as_anonymous(credentials: tuple[str, str], home: Path) -> None:
    reply = token_server.answer(credentials, ["repository:library/hello-world:pull"], home)
    assert (reply.status, reply.body) == (401, {"details": "incorrect username or password"})


@needs_openssl
@pytest.mark.parametrize("credentials", [None, ("alice", "right")])
def test_anonymous_clients_and_users_get_a_token_without_scopes(
    credentials: tuple[str, str] | None, home: Path
) -> None:
    reply = token_server.answer(credentials, [], home)
    assert reply.status == 200
    assert reply.body["token"] == reply.body["access_token"]


@needs_openssl
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_rate_limited_user_gets_retry_after(password: str, home: Path) -> None:
    reply = token_server.answer(("limited", password), [], home)
    assert (reply.status, reply.headers) == (429, {"Retry-After": "60"})


@needs_openssl
def test_users_are_read_at_every_request(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    for users, status in (({"alice": "right"}, 200), ({"alice": "new"}, 401), ({}, 401), ({"alice": "right"}, 200)):
        content.write_users(tmp_path / "users.json", users)
        assert token_server.answer(("alice", "right"), [], tmp_path).status == status


@needs_openssl
def test_a_token_is_signed_by_the_key_of_its_certificate(home: Path, tmp_path: Path) -> None:
    scopes = ["repository:alice/private:pull"]
    token: str = token_server.answer(("alice", "right"), scopes, home).body["token"]
    header, claims, signature = token.split(".")
    assert json.loads(decoded(header))["alg"] == "RS256"

    (tmp_path / "carried.der").write_bytes(base64.b64decode(json.loads(decoded(header))["x5c"][0]))
    (tmp_path / "signature").write_bytes(decoded(signature))
    read_key = ["openssl", "x509", "-inform", "DER", "-in", "carried.der", "-noout", "-pubkey"]
    key = subprocess.run(read_key, cwd=tmp_path, capture_output=True, check=True).stdout
    (tmp_path / "key").write_bytes(key)
    verify = ["openssl", "dgst", "-sha256", "-verify", "key", "-signature", "signature"]
    subprocess.run(verify, cwd=tmp_path, input=f"{header}.{claims}".encode(), check=True)

    said: dict[str, Any] = json.loads(decoded(claims))
    assert (said["iss"], said["aud"], said["sub"]) == ("auth.docker.io", "registry.docker.io", "alice")
    assert said["nbf"] < said["iat"] < said["exp"]
    assert said["access"] == [{"type": "repository", "name": "alice/private", "actions": ["pull"]}]


def test_the_registry_and_the_token_server_agree_on_their_names() -> None:
    registry = (FOLDER / "registry.yml").read_text()
    assert f"issuer: {token_server.ISSUER}\n" in registry
    assert f"service: {token_server.SERVICE}\n" in registry


@pytest.mark.parametrize(
    ("authorization", "credentials"),
    [
        (None, None),
        ("Basic " + base64.b64encode(b"alice:with:colon").decode(), ("alice", "with:colon")),
        ("Basic " + base64.b64encode(b"alice").decode(), ("alice", "")),
        ("Basic \xe9", ("", "Basic \xe9")),
        ("Basic a", ("", "Basic a")),
    ],
)
def test_a_malformed_header_is_a_wrong_password(authorization: str | None, credentials: tuple[str, str] | None) -> None:
    assert token_server.basic(authorization) == credentials


# --- Content ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def image(tmp_path: Path) -> content.Image:
    layer = repository.hello_layer(b"a program", ["sleep"])
    archive = tmp_path / "hello.tar"
    archive.write_bytes(repository.hello_archive(layer, repository.hello_config(layer, "amd64")))
    return content.read_image(archive)


def test_a_manifest_names_its_blobs_by_size_and_digest(image: content.Image) -> None:
    manifest = json.loads(image.manifest)
    named = [manifest["config"], *manifest["layers"]]
    assert [(part["size"], part["digest"]) for part in named] == [
        (len(blob), f"sha256:{content.digest(blob)}") for blob in image.blobs
    ]


def test_a_tag_leads_to_the_manifest_and_to_all_its_blobs(image: content.Image, tmp_path: Path) -> None:
    content.store(tmp_path, "alice/private", image)
    root = tmp_path / "docker/registry/v2"

    def blob(reference: str) -> bytes:
        digest = reference.removeprefix("sha256:")
        return (root / "blobs/sha256" / digest[:2] / digest / "data").read_bytes()

    stored = root / "repositories/alice/private"
    assert blob((stored / "_manifests/tags/latest/current/link").read_text()) == image.manifest
    assert {blob(link.read_text()) for link in stored.glob("_layers/sha256/*/link")} == set(image.blobs)


def test_repositories_share_their_blobs(image: content.Image, tmp_path: Path) -> None:
    for repository_name in content.HUB:
        content.store(tmp_path, repository_name, image)
    assert len(list(tmp_path.rglob("data"))) == 1 + len(image.blobs)


def test_only_root_can_read_passwords(tmp_path: Path) -> None:
    content.write_users(tmp_path / "users.json", {"alice": "right"})
    assert (tmp_path / "users.json").stat().st_mode & 0o777 == 0o600


def test_only_root_can_read_changed_passwords() -> None:
    with tarfile.open(fileobj=io.BytesIO(hub._archive("users.json", b"{}"))) as archive:
        member = archive.getmember("users.json")
    assert (member.mode, member.uid, member.size) == (0o600, 0, 2)
