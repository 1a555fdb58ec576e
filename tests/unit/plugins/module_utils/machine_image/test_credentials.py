# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Credentials are found in all files and in raw bytes, and examples are not taken for them."""

import base64
import secrets
import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import TreeError

from tests.unit.plugins.module_utils.machine_image.conftest import found, plant


def key(kind: str) -> str:
    """Return a fresh private key, as PEM."""
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.encodebytes(secrets.token_bytes(256)).decode()}"


LOGIN = base64.b64encode(b"alice:correct horse").decode()
JWT = ".".join(base64.urlsafe_b64encode(b'{"part":"' + secrets.token_bytes(12).hex().encode()).decode() for _ in "abc")
# In pieces, so that nothing that looks for credentials in this repository finds any.
CREDENTIALS = {
    "PKCS #8": key(""),
    "RSA": key("RSA "),
    "OpenSSH": key("OPENSSH "),
    "PGP": key("PGP ").replace("PRIVATE KEY", "PRIVATE KEY BLOCK").replace("\n", "\n\n", 1),
    "in JSON": '{"private_key": "' + key("").replace("\n", "\\n") + '"}',
    "config.json": '{"auths": {"https://index.docker.io/v1/": {"auth": "' + LOGIN + '"}}}',
    "identity token": '{"identity' + 'token": "' + secrets.token_urlsafe(24) + '"}',
    "Docker": "dckr_" + "pat_" + secrets.token_urlsafe(20),
    "organization's": "dckr_" + "oat_" + secrets.token_urlsafe(20),
    "AWS": "AKIA" + "QYLPMN5HABCDEFGH",
    "AWS, for a while": "ASIA" + "QYLPMN5HABCDEFGH",
    "AWS's secret": "aws_secret_" + "access_key = " + secrets.token_hex(20),
    "AWS's secret in an environment": "AWS_SECRET_" + "ACCESS_KEY='" + secrets.token_hex(20) + "'",
    "AWS's secret in JSON": '"Secret' + 'AccessKey": "' + secrets.token_hex(20) + '"',
    "GitHub": "ghp_" + secrets.token_hex(18),
    "GitHub, fine-grained": "github_" + "pat_" + secrets.token_hex(11) + "_" + (secrets.token_hex(30))[:59],
    "GitLab": "gl" + "pat-" + secrets.token_hex(10),
    "bearer": "Authorization: " + "Bearer 1" + secrets.token_hex(20),
    "JWT": JWT,
    "netrc": "machine registry.internal\n  login alice\n  password correct-horse",
    "URL": "proxy_url=http://alice:correct" + "-horse%21@10.0.0.1:3128/",
}
EXAMPLES = [
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    # Of cloud-init's documentation.
    "-----BEGIN DSA PRIVATE KEY-----\n    MIIBxwIBAAJhAKD0YSHy73nUgysO13XsJmd4fHiFyQ+00R7VVu2iV9Qco\n    ...\n",
    '{"auth": "true", "auths": {"a": {"auth": "bm90IGEgbG9naW4="}}}',
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "http://user:password@proxy.internal:3128 http://$USER:$PASSWORD@proxy/ http://{user}:{password}@proxy/",
    "https://alice:hunter2@registry.example.com/ https://alice:%s@proxy/ http://a:********@proxy/",
    "machine HOST login USER password PASSWORD",
    "Authorization: Bearer <token>",
]


@pytest.mark.parametrize("credential", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize(
    "before", ["", "first line\n", "\n" * (credentials.CHUNK - 4)], ids=["begin", "line", "chunks"]
)
def test_a_credential_is_found_where_it_is_and_not_shown(root: Path, credential: str, before: str) -> None:
    plant(root, "opt/app/some.file", before + credential + "\n")
    line = before.count("\n") + 1
    violations = found(root)
    assert [violation.split(": ")[0] for violation in violations] == [f"/opt/app/some.file, line {line}"]
    assert credential[-12:] not in violations[0]


def test_examples_are_no_credentials(root: Path) -> None:
    plant(root, "usr/share/doc/examples", "\n".join(EXAMPLES))
    assert found(root) == []


def test_files_that_are_allowed_keep_their_credentials(root: Path) -> None:
    plant(root, "etc/docker/tls/key.pem", key(""))
    assert found(root, allowed=["/etc/docker/tls/*"]) == []
    assert len(found(root, allowed=["/etc/docker/*.json"])) == 1


def test_a_link_is_not_followed(root: Path) -> None:
    outside = plant(root.parent, "outside/key.pem", key(""))
    (root / "opt").mkdir()
    (root / "opt/key.pem").symlink_to(outside)
    (root / "opt/folder").symlink_to(outside.parent)
    assert found(root) == []


def image_of(root: Path) -> Path:
    """Make a disk of the root file system."""
    image = root.with_name("disk.raw")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, image, "64M"], check=True)
    return image


@pytest.fixture
def canary() -> str:
    return f"canary-{secrets.token_hex(16)}"


def test_a_canary_that_was_never_written_is_nowhere_in_the_raw_image(root: Path, canary: str) -> None:
    assert found(image_of(root), canaries=[canary]) == []


def test_a_canary_that_was_only_deleted_is_found_in_the_raw_image(root: Path, canary: str) -> None:
    plant(root, "root/.docker/config.json", canary)
    image = image_of(root)
    subprocess.run(["debugfs", "-w", "-R", "rm /root/.docker/config.json", image], check=True, capture_output=True)
    listed = subprocess.run(["debugfs", "-R", "ls /root/.docker", image], check=True, capture_output=True, text=True)
    assert "config.json" not in listed.stdout
    violation = found(image, canaries=[canary])
    assert len(violation) == 1
    position = int(violation[0].split("byte ")[1].split(":")[0])
    assert image.read_bytes()[position : position + len(canary)] == canary.encode()


def test_a_deleted_login_is_found_in_the_raw_image_without_a_canary(root: Path) -> None:
    plant(root, "root/.docker/config.json", CREDENTIALS["config.json"])
    image = image_of(root)
    subprocess.run(["debugfs", "-w", "-R", "rm /root/.docker/config.json", image], check=True, capture_output=True)
    assert [violation.split(": ")[1] for violation in found(image)] == ["a login at a registry"]


def test_each_credential_is_found_once_where_windows_meet(tmp_path: Path, canary: str) -> None:
    disk = tmp_path / "disk.raw"
    positions = [credentials.CHUNK * turn - 20 for turn in (1, 2, 3)] + [credentials.CHUNK * 400]
    with disk.open("wb") as stream:
        for position in positions:
            stream.seek(position)
            stream.write(canary.encode())
    expected = [f"{disk}, byte {position}: the canary" for position in positions]
    assert found(disk, canaries=[canary]) == expected


@pytest.mark.parametrize(
    "packing", [["gzip", "--keep"], ["xz", "--keep"], ["bzip2", "--keep"]], ids=lambda packing: packing[0]
)
def test_an_image_that_hides_its_bytes_is_refused(tmp_path: Path, packing: list[str]) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(1 << 20))
    subprocess.run([*packing, disk], check=True)
    (packed,) = set(tmp_path.iterdir()) - {disk}
    with pytest.raises(TreeError, match="hides its bytes: unpack it, or convert it"):
        found(packed)


def test_the_command_lists_what_it_finds_and_fails(root: Path, canary: str) -> None:
    command = ["slipway-image-check", "--canary-file=-", str(root)]
    good = subprocess.run(command, input=canary, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    plant(root, "root/.netrc", canary)
    bad = subprocess.run(command, input=canary, capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stdout == "/root/.netrc: a password for machines\n/root/.netrc, line 1: the canary\n"
    assert "2 that must not ship" in bad.stderr


def test_the_command_refuses_an_empty_list_of_canaries(root: Path) -> None:
    command = ["slipway-image-check", "--canary-file=-", str(root)]
    refused = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "the list of canaries is empty" in refused.stderr
