# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Credentials are found in files and in raw images, and examples are not mistaken for them."""

import base64
import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import TreeError
from ansible_collections.slipway.platform.plugins.module_utils.packages import yum_repo

from tests.support.repeatable_secrets import RepeatableSecrets
from tests.unit.plugins.module_utils.machine_image.conftest import found, plant

secrets = RepeatableSecrets(__name__)


def key(kind: str) -> str:
    """Return a new private key in PEM format."""
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.encodebytes(secrets.token_bytes(256)).decode()}"


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


LOGIN = packed("alice:correct horse")
JWT = ".".join(base64.urlsafe_b64encode(b'{"part":"' + secrets.token_bytes(12).hex().encode()).decode() for _ in "abc")
CIPHER = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0123456789ABCDEF\n\n"
# For each kind, a credential and something that only looks like one. Split into pieces, so that secret scanners find
# none in this repository.
CREDENTIALS = {
    "PKCS #8": (key(""), "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"),
    "RSA": (key("RSA "), "-----BEGIN RSA PRIVATE KEY-----\n...\n"),
    "OpenSSH": (key("OPENSSH "), key("OPENSSH ").replace("PRIVATE", "PUBLIC")),
    "PGP": (
        key("PGP ").replace("PRIVATE KEY", "PRIVATE KEY BLOCK").replace("\n", "\n\n", 1),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n(your key)",
    ),
    "SSH2": (
        f'---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "alice"\n{key("")[28:]}',
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: x\n",
    ),
    "encrypted, CRLF": (
        key("RSA ").replace("\n", f"\n{CIPHER}", 1).replace("\n", "\r\n"),
        f"-----BEGIN RSA PRIVATE KEY-----\r\n{CIPHER}",
    ),
    "in JSON": (
        '{"private_key": "' + key("").replace("\n", "\\n") + '"}',
        '{"key": "-----BEGIN PRIVATE KEY-----\\n..."}',
    ),
    "in JSON, CRLF": (
        '{"private_key": "' + key("").replace("\n", "\\r\\n") + '"}',
        '{"key": "-----BEGIN PRIVATE KEY-----\\r\\n"}',
    ),
    "kubeconfig": (f"client-key-data: {packed(key('EC '))}", f"certificate-data: {packed('-----BEGIN ' + 'x' * 60)}"),
    "PuTTY": ("Private-Lines: 1\r\n" + packed("x" * 48), "Private-Lines: 14\r\n..."),
    "age": ("AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF" * 6, "AGE-SECRET-KEY-1..."),
    "GnuPG": ("(21:protected-" + "private-key(3:rsa(1:n257:", "(21:protected-private-key(3:rsa(1:n%m)"),
    "GnuPG, open": ("(11:private-" + "key(3:ecc(5:curve7:Ed25519", "(11:private-key(3:rsa(1:n%m)"),
    "GnuPG, extended": ("Key: (protected-" + "private-key (rsa (n #00", "(private-key (rsa (n %m)))"),
    "config.json": (
        '{"auths": {"https://index.docker.io/v1/": {"auth": "' + LOGIN + '"}}}',
        '{"auth": "true", "auths": {"a": {"auth": "bm90IGEgbG9naW4="}}}',
    ),
    "identity token": ('{"identity' + 'token": "' + secrets.token_urlsafe(24) + '"}', '"identitytoken": ""'),
    "Docker": ("dckr_" + "pat_" + secrets.token_urlsafe(20), "dckr_pat_..."),
    "Docker, an organization's": ("dckr_" + "oat_" + secrets.token_urlsafe(20), "dckr_oat_your-token"),
    "AWS": ("AKIA" + "QYLPMN5HABCDEFGH", "AKIAIOSFODNN7EXAMPLE"),
    "AWS, temporary": ("ASIA" + "QYLPMN5HABCDEFGH", "EURASIAQYLPMN5HABCDEFGH"),
    "AWS's secret": (
        "aws_secret_" + "access_key = " + secrets.token_hex(20),
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    "AWS's secret in an environment": (
        "AWS_SECRET_" + "ACCESS_KEY='" + secrets.token_hex(20) + "'",
        "AWS_SECRET_ACCESS_KEY='$KEY'",
    ),
    "AWS's secret in JSON": ('"Secret' + 'AccessKey": "' + secrets.token_hex(20) + '"', '"SecretAccessKey": "..."'),
    "AWS's secret in XML": ("<Secret" + "AccessKey>" + secrets.token_hex(20) + "</", "<SecretAccessKey>...</"),
    "AWS's session": ("aws_session_" + "token = " + secrets.token_hex(60), "aws_session_token = IQoJb3JpZ2lu..."),
    "AWS's session in an environment": ("AWS_SESSION_" + "TOKEN=" + secrets.token_hex(60), "AWS_SESSION_TOKEN=$TOKEN"),
    "AWS's session in JSON": ('\\"Session' + 'Token\\": \\"' + secrets.token_hex(60), '"SessionToken": "string"'),
    "GitHub": ("ghp_" + secrets.token_hex(18), "ghp_" + "x" * 36),
    "GitHub, fine-grained": (
        "github_" + "pat_" + secrets.token_hex(11) + "_" + secrets.token_hex(30)[:59],
        "github_pat_" + "X" * 82,
    ),
    "GitLab": ("gl" + "pat-" + secrets.token_hex(10), "glpat-<token>"),
    "GitLab, a runner's": ("gl" + "rt-" + secrets.token_hex(10), "a beagle" + "rt-" + secrets.token_hex(10)),
    "GitLab, a deployment's": ("gl" + "dt-" + secrets.token_hex(10), "gldt-" + "x" * 20),
    "GitLab, a job's": ("gl" + "cbt-64_" + secrets.token_hex(10), "glcbt-TOKEN"),
    "Slack": ("xox" + "b-123456789012-" + secrets.token_hex(12), "xoxb-your-token"),
    "Slack's webhook": (
        "https://hooks." + "slack.com/services/T0123ABCD/B0123ABCD/" + secrets.token_hex(12),
        "https://hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
    ),
    "npm": ("//npm.internal/:_authToken=npm" + "_" + secrets.token_hex(18), "npm_config_registry=https://a/"),
    "PyPI": ("pypi" + "-AgEIcHlwaS5vcmc" + secrets.token_urlsafe(60), "pypi-AgEIcHlwaS5vcmc..."),
    "Vault": ("hv" + "s.CAESI" + secrets.token_hex(20), "hvs.<token>"),
    "Google": ("AI" + "zaSy" + secrets.token_hex(16) + "-", "AI" + "zaSy" + secrets.token_hex(40)),
    "Stripe": ("sk_" + "live_" + secrets.token_hex(12), "sk_test_" + secrets.token_hex(12)),
    "SendGrid": ("SG" + "." + secrets.token_hex(11) + "." + secrets.token_hex(22)[:43], "SG.KEY.SECRET"),
    "DigitalOcean": ("dop_" + "v1_" + secrets.token_hex(32), "dop_v1_" + "x" * 64),
    "bearer": ("Authorization: " + "Bearer 1" + secrets.token_hex(20), "Authorization: Bearer <token>"),
    "basic": (f"Authorization: Basic {LOGIN}", f"Authorization: Basic {packed('Aladdin:open sesame')}"),
    "basic in JSON": (f'"Authorization": "Basic {LOGIN}"', f'"Authorization": "Basic {packed("user:password")}"'),
    "JWT": (JWT, "eyJhbGciOi...eyJzdWIi..."),
    "netrc": (
        "machine registry.internal\n  login alice\n  password correct-horse",
        "machine HOST login USER password PASSWORD",
    ),
    "netrc, a strong password": ("machine registry.internal login ci password S3cr3t$Pass", '"{password}"'),
    "netrc's default": (
        "default login alice password correct<horse",
        "default login anonymous password alice@internal\nthe default login and password to ...",
    ),
    "URL": (
        "proxy_url=http://alice:correct" + "-horse%21@10.0.0.1:3128/",
        "http://user:password@proxy.internal:3128 http://$USER:$PASSWORD@proxy/ http://${U}:${P}@proxy/",
    ),
    "URL, a strong password": ("http://me:P@s$w(0)rd!xxx*" + "@10.0.0.1:3128", "http://{user}:{password}@proxy/"),
    "URL, escaped for a shell": (r"http://me:S3cr3t\$Pa\`ss" + "@10.0.0.1:3128", r"http://\$USER:\$PASSWORD@proxy/"),
    "URL, escaped in JSON": ('"http://me:correct\\u0026hor' + 'se@10.0.0.1:3128"', "https://[^:]+:\\\\d+@proxy"),
    "URL, an email address": ("https://alice@corp.internal:correct" + "-horse@git/", "https://a.internal:443/@b"),
    "iSCSI": ("node.session.auth.password = cor" + "rect-horse", "#node.session.auth.password = password"),
    "PostgreSQL": ("postgres://app:correct" + "-horse@db/app", "postgresql://user:secret@db/app"),
    "MySQL": ("mysql+pymysql://app:correct" + "-horse@db/app", "mysql://app:****@db/app"),
    "AMQP": ("amqp://app:correct" + "-horse@queue/", "amqp://guest:guest@queue/"),
    "Redis": ("redis://:correct" + "-horse@cache:6379/0", "redis://:%s@cache"),
    "URL, a token": ("https://0a1b2c3d" + "4e5f6a7b8c9d@git.internal/x.git", "https://alice@git.internal/x.git"),
    "URL, a token and no password": (
        "index-url = https://0a1b2c3d" + "4e5f6a7b8c9d:@pypi.internal/",
        "https://0123456789abcdef@pypi.company.com/simple ssh://0a1b2c3d4e5f6a7b8c9d@git.internal/",
    ),
    "repository, a token": (
        "baseurl = https://tok" + "en-of-ci@packages.internal/9",
        "[site]\nbaseurl = https://<token>@packages.internal/9",
    ),
    "proxy, a token": (
        '{"proxies": {"http-proxy": "http://tok' + 'en-of-ci@proxy:3128"}}',
        '{"proxies": {"http-proxy": "http://$TOKEN@proxy:3128"}}',
    ),
    "proxy, a password and no scheme": (
        '{"proxies": {"http-proxy": "me:correct' + '-horse@proxy:3128"}}',
        '{"proxies": {"http-proxy": "user:password@proxy:3128", "https-proxy": "proxy:3128", "no-proxy": "a,b"}}',
    ),
    "proxy, a token and no scheme": (
        '{"proxies": {"https-proxy": "0a1b2c3d' + '4e5f6a7b8c9d@proxy:3128"}}',
        '{"proxies": {"https-proxy": "<token>@proxy:3128"}}',
    ),
    "proxy variable, a token": (
        'HTTP_PROXY="http://cor' + 'rect@proxy:3128"',
        "HTTP_PROXY=http://$TOKEN@proxy:3128 HTTPS_PROXY=http://proxy:3128 NO_PROXY=localhost,10.0.0.0/8 no_proxy=@",
    ),
    "proxy variable, no scheme": (
        'export https_proxy="cor' + 'rect@proxy:3128"',
        "export https_proxy=user:password@proxy:3128 http_proxy=proxy:3128 http_proxy=$user@host",
    ),
    "proxy variable, a password and no scheme": (
        "https_proxy=me:cor" + "rect@proxy:3128",
        "https_proxy=http://proxy:3128/@me https_proxy=${proxy:-x@y}",
    ),
    "log driver": (
        '{"log-driver": "splunk", "log-opts": {"splunk-url": "https://splunk", "splunk-tok' + 'en": "4711"}}',
        '{"log-opts": {"tag": "x"}, "dependencies": {"some-token": "1.0"}}',
    ),
    "log driver, a container's": (
        '"LogConfig":{"Type":"logentries","Config":{"logentries-tok' + 'en":"4711"}}',
        '"LogConfig":{"Type":"json-file","Config":{}},"Labels":{"x-token":"1.0"}',
    ),
    "MongoDB": ("mongodb+srv://app:correct" + "-horse@db/", "mongodb://app:$PASSWORD@db/"),
}
EXAMPLES = [
    # From cloud-init's documentation.
    "-----BEGIN DSA PRIVATE KEY-----\n    MIIBxwIBAAJhAKD0YSHy73nUgysO13XsJmd4fHiFyQ+00R7VVu2iV9Qco\n    ...\n",
    "https://alice:hunter2@registry.example.com/ https://alice:%s@proxy/ http://a:********@proxy/",
]


@pytest.mark.parametrize("credential", [credential for credential, _ in CREDENTIALS.values()], ids=CREDENTIALS)
@pytest.mark.parametrize(
    "before", ["", "first line\n", "\n" * (credentials.CHUNK - 4)], ids=["begin", "line", "chunks"]
)
def test_a_credential_is_located_and_not_revealed(root: Path, credential: str, before: str) -> None:
    plant(root, "opt/app/some.file", before + credential + "\n")
    line = before.count("\n") + 1
    violations = found(root)
    assert [violation.split(": ")[0] for violation in violations] == [f"/opt/app/some.file, line {line}"]
    assert credential[-12:] not in violations[0]


@pytest.mark.parametrize(
    "example", [*(example for _, example in CREDENTIALS.values()), *EXAMPLES], ids=[*CREDENTIALS, "DSA", "hosts"]
)
def test_an_example_is_not_reported_as_a_credential(root: Path, example: str) -> None:
    plant(root, "usr/share/doc/examples", example + "\n")
    assert found(root) == []


@pytest.mark.parametrize(
    ("section", "has_password"),
    [
        ("[site]\nbaseurl=https://packages.internal/9\nusername=alice\npassword = P@ssw0rd9\n", True),
        ("[main]\nproxy_password=P@ssw0rd9\nproxy=http://10.0.0.1:3128\n", True),
        ("[site]\nbaseurl=https://packages.internal/9\npassword=\nproxy_password = $secret\n[other]\n", False),
        ("[site]\nbaseurl=https://packages.internal/9\n[form]\npassword=whatever\n", False),
    ],
)
def test_a_repository_password_counts_only_in_its_section(root: Path, section: str, has_password: bool) -> None:
    plant(root, "etc/yum.repos.d/site.repo", f"[first]\nenabled=1\n{section}")
    assert ["a repository or proxy password" in line for line in found(root)] == [True] * has_password


@pytest.mark.parametrize(
    ("section", "tokens"),
    [
        ("[site]\nbaseurl=https://packages.internal/9\nusername=tok" + "en-of-ci\nenabled=1\n", 1),
        ("[site]\nusername = tok" + "en-of-ci\npassword=\nbaseurl=https://packages.internal/9\n", 1),
        ("[main]\nproxy=http://10.0.0.1:3128\nproxy_username=tok" + "en-of-ci\nusername=other\n", 2),
        ("[site]\nbaseurl=https://packages.internal/9\nusername=alice\npassword=$secret\n", 0),
        ("[site]\nbaseurl=https://packages.internal/9\nusername=\n#username=alice\nproxy_username=<token>\n", 0),
        ("[form]\nusername=alice\n[site]\nbaseurl=https://packages.internal/9\n", 0),
    ],
)
def test_a_user_without_password_is_a_token_in_a_repository_only(root: Path, section: str, tokens: int) -> None:
    plant(root, "etc/yum.repos.d/site.repo", f"[first]\nenabled=1\n{section}")
    assert [line.split(": ")[1] for line in found(root)] == ["a repository or proxy token"] * tokens


@pytest.mark.parametrize("token", ["correct-horse", "0a1b2c3d4e5f6a7b8c9d"])
def test_every_file_that_gets_a_token_as_we_write_it_is_found(root: Path, token: str) -> None:
    """Fault: a token in an address is stored in the image, in the form of each file that the collection writes.
    Outcome: found.
    """
    proxy = {"http": f"http://{token}@10.0.0.1:3128", "https": f"http://{token}:@10.0.0.1:3128"}
    plant(root, "etc/docker/proxy.env", daemon_config.render_proxy_env(proxy))
    plant(root, "etc/docker/daemon.json", daemon_json.render({"proxies": {"http-proxy": proxy["http"]}}))
    section = yum_repo.render_private("site", f"https://{token}@packages.internal/9", proxy["http"])
    plant(root, "etc/yum.repos.d/site.repo", section)
    assert sorted(line.partition(",")[0].partition(":")[0] for line in found(root)) == [
        "/etc/docker/daemon.json",
        *["/etc/docker/proxy.env"] * 2,
        *["/etc/yum.repos.d/site.repo"] * 2,
    ]


@pytest.mark.parametrize("password", ["S3cr3t$Pass", "a$b$c", "it`s$9", "$9.$9"])
def test_a_password_in_the_proxy_file_of_docker_daemon_is_found(root: Path, password: str) -> None:
    text = daemon_config.render_proxy_env({"http": f"http://me:{password}@10.0.0.1:3128"})
    plant(root, "etc/docker/proxy.env", text)
    assert [line.split(": ")[1] for line in found(root)] == ["a password in a URL"]


def test_credentials_in_allowed_files_are_not_reported(root: Path) -> None:
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
    """Make a disk image of the root file system."""
    image = root.with_name("disk.raw")
    if not shutil.which("mke2fs"):  # as on a minimal Debian 13
        pytest.skip("mke2fs is missing: install e2fsprogs")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, image, "64M"], check=True)
    return image


@pytest.fixture
def canary() -> str:
    return f"canary-{secrets.token_hex(16)}"


def test_a_canary_that_was_never_written_is_not_found_in_the_raw_image(root: Path, canary: str) -> None:
    assert found(image_of(root), canaries=[canary]) == []


def test_a_deleted_canary_is_found_in_the_raw_image(root: Path, canary: str) -> None:
    """Fault: a secret was written in a bake and deleted. Outcome: found in the raw image."""
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
    plant(root, "root/.docker/config.json", CREDENTIALS["config.json"][0])
    image = image_of(root)
    subprocess.run(["debugfs", "-w", "-R", "rm /root/.docker/config.json", image], check=True, capture_output=True)
    assert [violation.split(": ")[1] for violation in found(image)] == ["a registry login"]


def test_each_credential_is_found_once_where_windows_meet(tmp_path: Path, canary: str) -> None:
    disk = tmp_path / "disk.raw"
    positions = [credentials.CHUNK * turn - 20 for turn in (1, 2, 3)] + [credentials.CHUNK * 400]
    with disk.open("wb") as stream:
        stream.write(bytes(510) + b"\x55\xaa")
        for position in positions:
            stream.seek(position)
            stream.write(canary.encode())
    expected = [f"{disk}, byte {position}: the canary" for position in positions]
    assert found(disk, canaries=[canary]) == expected


@pytest.mark.parametrize(
    "content",
    {
        "an empty file": b"",
        "a text": b"dockerd\n" * 1000,
        "gzip": gzip.compress(secrets.token_bytes(4096)),
        "LUKS": b"LUKS\xba\xbe\0\2" + bytes(4096),
        "VDI": b"<<< Oracle VM VirtualBox Disk Image >>>\n" + bytes(4096),
        "qcow2": b"QFI\xfb\0\0\0\3" + bytes(4096),
        "squashfs": b"hsqs" + bytes(4096),
        "zeros": bytes(1 << 20),
    }.items(),
    ids=lambda content: content[0],
)
def test_anything_but_a_raw_image_is_refused(tmp_path: Path, content: tuple[str, bytes]) -> None:
    """Fault: a raw image that is encrypted, compressed or in another format. Outcome: refused."""
    disk = tmp_path / "disk.raw"
    disk.write_bytes(content[1])
    with pytest.raises(
        TreeError, match="is neither a raw disk nor an ext, XFS or Btrfs file system: unpack it, decrypt it"
    ):
        found(disk)


@pytest.mark.parametrize(
    ("offset", "magic"), [(510, b"\x55\xaa"), (512, b"EFI PART"), (0, b"XFSB"), (65600, b"_BHRfS_M")]
)
def test_disks_and_file_systems_are_recognized_by_magic_numbers(tmp_path: Path, offset: int, magic: bytes) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes((bytes(offset) + magic).ljust(128 << 10, b"\0") + CREDENTIALS["AWS"][0].encode())
    assert len(found(disk)) == 1


@pytest.mark.parametrize("option", ["--allow=/etc/docker/tls/*", "--keep-keys-of=ops"])
def test_the_command_refuses_exceptions_for_a_raw_image(root: Path, option: str) -> None:
    command = ["slipway-machine-image-check", option, str(image_of(root))]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "is a raw image, which has no file names to make exceptions for" in refused.stderr


def test_the_command_lists_what_it_finds_and_fails(root: Path, canary: str) -> None:
    canary = f"a canary of {canary}, which has blanks"
    plant(root, "opt/blanks", "a canary of which one has blanks")
    command = ["slipway-machine-image-check", "--canary-file=-", str(root)]
    good = subprocess.run(command, input=canary, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    plant(root, "root/.netrc", canary)
    bad = subprocess.run(command, input=canary, capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stdout == "/root/.netrc: stored passwords\n/root/.netrc, line 1: the canary\n"
    assert "found 2 items that must not ship" in bad.stderr


def test_the_command_refuses_an_empty_list_of_canaries(root: Path) -> None:
    command = ["slipway-machine-image-check", "--canary-file=-", str(root)]
    refused = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "the list of canaries in standard input is empty: write one per line" in refused.stderr
