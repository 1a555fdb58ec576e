# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import gzip
import time
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import plain_secrets
from hypothesis import given
from hypothesis import strategies as st

TOKEN = "dckr_pat_" + "a1B2c3D4e5F6g7H8i9J0k1"
WIREGUARD = "Wg" + "a1B2c3D4e5F6g7H8i9J0" * 2 + "A="
HASH = "$6$rounds=4096$a1B2c3D4$" + "e5F6g7H8i9J0k1l2" * 4


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"users": [{"name": "ops", "hashed_passwd": "$6$x"}]}, "a value for hashed_passwd"),
        ({"password": "x"}, "a value for password"),
        ({"chpasswd": {"users": [{"name": "ops", "password": "x"}]}}, "a value for password"),
        ({"chpasswd": {"list": "root:x\nops:R"}}, "a value for chpasswd"),
        ({"chpasswd": {"expire": False, "list": ["root:x"]}}, "a value for chpasswd"),
        ({"ssh_keys": {"rsa_private": "x"}}, "a value for ssh_keys"),
        ({"bootcmd": [["sh", "-c", f"login --with {TOKEN}"]]}, "a Docker token"),
        ({"apt": {"proxy": "http://ops:Tr0ub4dor@proxy.internal:3128"}}, "a password in a URL"),
        ({"log-opts": {"splunk-token": "x"}}, "a value for splunk-token"),
        ({"runcmd": ["pip install --index-url https://0a1b2c3d4e5f6a7b8c9d@pypi.internal/"]}, "a token in a URL"),
        ({"registry_token": "x"}, "a value for registry_token"),
        ([{"deep": [[{"API_KEY": "x"}]]}], "a value for API_KEY"),
        ({"rh_subscription": {"activation-key": "x"}}, "a value for activation-key"),
        ({"mounts": [["//nas/share", "/srv", "cifs", "username=ops,password=Tr0ub4dor,rw"]]}, "a value for password"),
        ({"mounts": [["//nas/share", "/srv", "cifs", "user=ops,pass=Tr0ub4dor"]]}, "a value for pass"),
        ({"bootcmd": ["DB_PASSWORD=Tr0ub4dor /opt/start"]}, "a value for DB_PASSWORD"),
        ({"bootcmd": ["export DB_PASSWORD='Tr0ub4dor 3'"]}, "a value for DB_PASSWORD"),
        ({"bootcmd": ['DB_PASSWORD="${DB_PASSWORD:-Tr0ub4dor}" start']}, "a value for DB_PASSWORD"),
        ({"bootcmd": ["DB_PASSWORD='Tr0ub4dor(3)' start"]}, "a value for DB_PASSWORD"),
        ({"db": {"password": "Tr0ub4dor(3)"}}, "a value for password"),
        ({"bootcmd": ["printf 'password: Tr0ub4dor' > /etc/x"]}, "a value for password"),
        ({"bootcmd": ["kubeadm join --token abcdef.0123456789abcdef 10.0.0.1:6443"]}, "a value for token"),
        ({"bootcmd": [["login", "--password", "Tr0ub4dor"]]}, "a value for password"),
        ({"bootcmd": [["docker", "login", "-u", "ops", "-p", "Tr0ub4dor"]]}, "a password in a command"),
        ({"bootcmd": ["curl -u ops:Tr0ub4dor https://x.internal/"]}, "a password in a command"),
        ({"bootcmd": ["echo root:Tr0ub4dor | chpasswd"]}, "a password in a command"),
        ({"bootcmd": [f"usermod -p '{HASH}' root"]}, "a password hash"),
        ({"bootcmd": ["SECRET=correct-horse"]}, "a value for SECRET"),
        ({"bootcmd": ["SECRET=Tr0ub4dor/x9Kq start"]}, "a value for SECRET"),
        ({"bootcmd": ["DB_PASSWORD=prod/db start"]}, "a value for DB_PASSWORD"),
        (
            {"wireguard": {"interfaces": [{"content": f"[Interface]\nPrivateKey = {WIREGUARD}\n"}]}},
            "a value for PrivateKey",
        ),
        ({"files": [{"content": f"[Peer]\nPresharedKey={WIREGUARD}"}]}, "a value for PresharedKey"),
        (
            {"files": [{"encoding": "b64", "content": base64.b64encode(b"X_PASSWORD=Tr0ub4dor").decode()}]},
            "a value for X_PASSWORD",
        ),
        (
            {"files": [{"encoding": "gz+b64", "content": base64.b64encode(gzip.compress(TOKEN.encode())).decode()}]},
            "a Docker token",
        ),
    ],
)
def test_a_secret_is_found_by_name_or_form_and_not_shown(settings: Any, found: str) -> None:
    also = "a private key"  # what WireGuard's keys look like
    assert [what for what in plain_secrets.find(settings) if what != also] == [found]


HARMLESS: dict[str, Any] = {
    "users": [{"name": "ops", "lock_passwd": True, "ssh_authorized_keys": ["ssh-ed25519 AAAA ops"]}],
    "chpasswd": {"expire": False, "list": "root:RANDOM\nops:R", "users": [{"name": "root", "type": "RANDOM"}]},
    "ssh_pwauth": False,
    "password": "",
    "timezone": "Europe/Berlin",
    "db": {"secret": "prod/db-1", "credentials": "/team/app/registry"},
    "mounts": [["//nas/share", "/srv", "cifs", "credentials=/etc/nas.credentials,uid=1000"]],
    "token_file": "/etc/token",
    "wireguard": {"interfaces": [{"content": f"[Peer]\nPublicKey = {WIREGUARD}\n"}]},
    "bootcmd": [
        ["echo", "the token is in Secrets Manager"],
        'TOKEN=$(curl -sX PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)',
        'curl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/instance-id',
        "aws secretsmanager get-secret-value --secret-id prod/db --query SecretString > /run/db",
        'DB_PASSWORD="$(cat /run/secrets/db)" DB_PASSWORD_FILE=/run/secrets/db start --password "$DB_PASSWORD"',
        "docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-central-1.amazonaws.com",
        "docker run -v /etc/passwd:/etc/passwd:ro -e API_TOKEN busybox",
        'test "$TOKEN" == "" || exit',
        "SECRET=prod/db fetch --secret 'team/app-2/db' --credentials=ci/registry",
        "docker build --secret id=npm,src=/root/.npmrc --secret type=env,id=token . && podman run --secret=id=db app",
        "SECRET=arn:aws:secretsmanager:eu-central-1:111122223333:secret:db",
        "echo PasswordAuthentication no >> /etc/ssh/sshd_config",
        "echo 'PASSWORD={{ ds.password }}'",
        'DB_PASSWORD=${DB_PASSWORD:-} API_TOKEN="${API_TOKEN:-$DB_PASSWORD}" SECRET="${1:?no secret}" start',
        "printf 'DB_PASSWORD=%s' \"$DB_PASSWORD\" > /run/app.env",
        "#!/usr/bin/python3\nimport os\ntoken = os.environ['TOKEN']\npassword = getpass()\nsecret = sys.argv[1]\n",
    ],
}


def test_harmless_settings_are_not_reported() -> None:
    assert plain_secrets.find(HARMLESS) == []


CLOUD_CONFIG = f"""\
#cloud-config
chpasswd: {{expire: false}}
password: Tr0ub4dor
users:
  - name: ops
    passwd: "{HASH}"
mounts:
  - [//nas/share, /srv, cifs, "username=ops,password=Tr0ub4dor"]
write_files:
  - path: /etc/wireguard/wg0.conf
    content: |
      [Interface]
      PrivateKey = {WIREGUARD}
  - path: /etc/app.env
    encoding: b64
    content: {base64.b64encode(b"X_PASSWORD=Tr0ub4dor").decode()}
runcmd:
  - DB_PASSWORD=Tr0ub4dor start
"""
FOUND = [
    ("a value for password", 3),
    ("a password hash", 6),
    ("a value for passwd", 6),
    ("a value for password", 8),
    ("a private key", 13),
    ("a value for PrivateKey", 13),
    ("a value for X_PASSWORD", 16),
    ("a value for DB_PASSWORD", 18),
]


def test_secrets_in_user_data_are_found_with_their_line() -> None:
    assert plain_secrets.in_user_data(CLOUD_CONFIG.encode()) == FOUND


def test_secrets_in_other_forms_of_user_data_are_found() -> None:
    whats = {what for what, _ in FOUND}
    assert {what for what, _ in plain_secrets.in_user_data(gzip.compress(CLOUD_CONFIG.encode()))} == whats
    parts = MIMEMultipart()
    parts.attach(MIMEText("#!/bin/sh\nexport API_TOKEN=Tr0ub4dor\n", "x-shellscript", "us-ascii"))
    parts.attach(MIMEText(CLOUD_CONFIG + "# ä", "cloud-config", "utf-8"))  # which is encoded in base64
    assert {what for what, _ in plain_secrets.in_user_data(parts.as_bytes())} == {*whats, "a value for API_TOKEN"}
    script = b"#!/bin/sh\n\nexport API_TOKEN=Tr0ub4dor\n"
    assert plain_secrets.in_user_data(script) == [("a value for API_TOKEN", 3)]


def test_what_is_compressed_too_well_is_refused_and_does_not_fill_the_memory() -> None:
    """Fault: user data that grow without end when decompressed. Outcome: refused, since they cannot be searched."""
    bomb = gzip.compress(bytes(1 << 27))
    assert plain_secrets.in_user_data(bomb) == [(plain_secrets.TOO_LARGE, 0)]
    settings = {"write_files": [{"encoding": "gz+b64", "content": base64.b64encode(bomb).decode()}]}
    assert plain_secrets.find(settings) == [plain_secrets.TOO_LARGE]


@pytest.mark.parametrize("before", [300 << 10, (1 << 20) - 40, 1 << 20])
def test_a_secret_deep_in_compressed_user_data_is_found_or_refused(before: int) -> None:
    """Fault: a secret after the first part of compressed user data. Outcome: found, or refused as too large."""
    text = b"# a comment that is repeated\n" * (before // 29) + b"export API_TOKEN=Tr0ub4dor\n"
    expected = "a value for API_TOKEN" if len(text) <= plain_secrets.LARGEST else plain_secrets.TOO_LARGE
    assert expected in {what for what, _ in plain_secrets.in_user_data(gzip.compress(text))}


def test_a_secret_in_a_second_member_of_compressed_user_data_is_found() -> None:
    data = gzip.compress(b"#!/bin/sh\n") + gzip.compress(b"export API_TOKEN=Tr0ub4dor\n")
    assert plain_secrets.in_user_data(data) == [("a value for API_TOKEN", 0)]
    assert plain_secrets.in_user_data(data + b"padding") == [("a value for API_TOKEN", 0)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.text() | st.integers() | st.sampled_from(["chpasswd", "list", "encoding", "content"]), below
        )
    ),
    max_leaves=10,
)


@given(VALUES)
def test_any_settings_are_searched(settings: Any) -> None:
    assert all(isinstance(what, str) for what in plain_secrets.find(settings))


@given(
    st.sampled_from([b"", b"#cloud-config\n", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", b"\x1f\x8b\x08"]),
    st.binary()
    | st.text().map(str.encode)
    | st.text(st.sampled_from("{}[]:-,&*!|>'\"#%@ \n\tab=$<?\\")).map(str.encode),
)
def test_any_user_data_are_searched(start: bytes, data: bytes) -> None:
    for what, line in plain_secrets.in_user_data(start + data):
        assert what
        assert 0 <= line <= data.count(b"\n") + 4


@given(st.text(st.sampled_from("abcXYZ019$./"), min_size=8, max_size=30).filter(lambda text: text[0].isalnum()))
def test_a_password_is_found_wherever_it_is_named_and_never_shown(password: str) -> None:
    for settings in (
        {"password": password},
        {"runcmd": [f"X_PASSWORD={password} start"]},
        [f"mysql --password={password}"],
    ):
        (found,) = {what for what in plain_secrets.find(settings) if what.startswith("a value for ")}
        assert password not in found


@pytest.mark.parametrize("text", ["password" * 20000, "a" * 200000, "token: " * 20000, "--" * 100000, "'" * 100000])
def test_long_texts_take_no_time(text: str) -> None:
    began = time.monotonic()
    plain_secrets.in_user_data(text.encode())
    assert time.monotonic() - began < 10
