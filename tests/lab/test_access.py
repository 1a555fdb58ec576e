# SPDX-License-Identifier: Apache-2.0
"""Who may use the engine: groups, the socket, the remote API."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench

SOCKET = "stat --format '%U %G %a' /run/docker.sock"
PROCESS = "systemctl show docker.service --property=MainPID --value"
STATE = f"getent group docker; getent passwd | sort; ls -R /etc/systemd/system /etc/docker; {SOCKET}; {PROCESS}"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-access", docker_access_members=["alice", "bob"])


def access(**arguments: Any) -> dict[str, Any]:
    return {"slipway.platform.docker_access": arguments}


def starts(host: LabHost) -> int:
    """Return how often the socket has been made since the host booted."""
    return host.journal("--boot", "--unit=docker.socket", "--output=cat").count("Listening on docker.socket")


@pytest.mark.slow
def test_a_member_can_use_the_engine_in_the_same_play(workbench: Workbench) -> None:
    host = workbench.make("test-same-play")
    host.sh("useradd --create-home --groups users carol")
    role = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_access"}}
    engine = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_engine"}}
    use = {
        "ansible.builtin.command": "runuser --user carol -- docker version",
        "changed_when": False,
    }
    variables = {"docker_access_members": ["carol"]}
    run = host.play(engine, role, use, variables=variables)
    assert run.status == 0, run.output
    assert {"carol", "users", "docker"} <= set(host.sh("id --name --groups carol").split())


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown user": ({"docker_access_members": ["alice", "zoe", "yves"]}, ["zoe, yves", "never does"]),
    "mode open to others": ({"docker_access_socket_mode": "0666"}, ["0666", "0660"]),
    "mode that is none": ({"docker_access_socket_mode": "rw"}, ["rw", "0660"]),
    "group of others": (
        {"docker_access_socket_group": "users", "docker_access_exclusive": True},
        ["users existed before the engine", "docker_access_socket_group_shared: true"],
    ),
    "group of others that is to change": (
        {
            "docker_access_socket_group": "users",
            "docker_access_socket_group_shared": True,
            "docker_access_members": ["alice"],
        },
        ["users does not belong to the engine", "docker_access_members"],
    ),
    "group id that is taken": ({"docker_access_group_gid": 0}, ["0 belongs to root"]),
    "certificates that are none": (
        {"docker_access_tls": {"ca": "x", "cert": "y", "key": "z"}},
        ["docker_access_tls", "PEM"],
    ),
    "certificates that are missing": ({"docker_access_tls": {"ca": "x"}}, ["cert", "key"]),
}


@pytest.fixture(scope="module")
def refusals(host: LabHost) -> dict[str, str]:
    """What docker_access says of each bad input; the host is as it was before them."""
    before = host.sh(STATE)
    said = host.refusals("docker_access", {case: variables for case, (variables, _) in REFUSED.items()})
    assert host.sh(STATE) == before
    return said


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_before_anything_is_changed(refusals: dict[str, str], case: str) -> None:
    """Fault: an unknown user, a mode open to others, a group id that is taken, invalid certificates. Outcome: refused;
    nothing changes.
    """
    for word in REFUSED[case][1]:
        assert word in refusals[case]


# Mallory may read and write, beside owner and group, as setfacl -m u:mallory:rw does it.
ADD_ACL = """python3 -c '
import os, pwd, struct
entries = (1, 6, -1), (2, 6, pwd.getpwnam("mallory").pw_uid), (4, 6, -1), (16, 6, -1), (32, 0, -1)
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
os.setxattr("/run/docker.sock", "system.posix_acl_access", acl)
'"""


def test_drift_by_chmod_or_an_acl_is_repaired_without_a_restart(host: LabHost) -> None:
    """Fault: `chmod 666` or an access control list on the socket. Outcome: closed again, without a restart."""
    before = host.sh(f"{SOCKET}; {PROCESS}")
    host.sh(ADD_ACL)
    assert host.sh(f"{SOCKET}; {PROCESS}") == before
    host.sh("runuser --user mallory -- docker version")
    predicted = host.play(access(), options=("--check", "--diff"))
    assert "an access control list" in predicted.output
    host.sh("runuser --user mallory -- docker version")
    ok(host.play(access()))
    assert host.run("runuser", "--user", "mallory", "--", "docker", "version")[0] != 0
    assert host.sh(f"{SOCKET}; {PROCESS}") == before

    host.sh("chmod 0666 /run/docker.sock; chgrp root /run/docker.sock")
    ok(host.apply("docker_access"))
    assert host.sh(f"{SOCKET}; {PROCESS}") == before
    assert ok(host.apply("docker_access")).changed(host.name) == []


def test_a_new_group_costs_one_restart_of_the_socket_and_takes_effect(host: LabHost) -> None:
    before = starts(host)
    container = host.sh(
        "docker load --quiet --input /usr/share/slipway/hello.tar >/dev/null;"
        "docker run --detach slipway/hello sleep 600"
    )
    wanted: dict[str, Any] = {
        "docker_access_socket_group": "containers",
        "docker_access_socket_mode": "0600",
        "docker_engine_daemon_options": {"debug": True},
    }
    predicted = host.converge("--check", "--diff", **wanted)
    assert "SocketGroup=containers" in predicted.output
    assert starts(host) == before
    run = host.converge(**wanted)
    assert run.status == 0, run.output
    assert starts(host) == before + 1
    assert host.sh(SOCKET) == "root containers 600"
    assert host.sh("docker info --format '{{.Debug}}'") == "true"
    assert host.sh("docker inspect --format '{{.State.Running}}' " + container) == "true"
    assert host.converge(**wanted).changed(host.name) == []

    assert host.converge().status == 0
    assert starts(host) == before + 2
    assert host.sh(SOCKET) == "root docker 660"


def test_members_come_and_go_and_others_stay_unless_the_list_is_exclusive(host: LabHost) -> None:
    host.sh("gpasswd --add mallory docker")
    ok(host.apply("docker_access", docker_access_members=["alice", "bob"]))
    assert host.sh("getent group docker").split(":")[3].split(",") == ["alice", "bob", "mallory"]
    ok(host.apply("docker_access", docker_access_members=["alice"], docker_access_exclusive=True))
    assert host.sh("getent group docker").endswith(":alice")


def test_an_exclusive_list_takes_the_group_from_everybody_else_by_whatever_way_they_have_it(host: LabHost) -> None:
    alone = access(members=["alice"], exclusive=True)
    host.sh("useradd --gid docker dora; groupadd --non-unique --gid $(getent group docker | cut -d: -f3) twins")
    try:
        assert "cannot exclude dora, whose primary group is docker" in host.play(alone).failure(host.name)
        host.sh("usermod --gid users dora; gpasswd --add mallory twins")
        assert "cannot exclude the members of twins" in host.play(alone).failure(host.name)
        host.sh("groupmod --gid 4444 twins")

        # With the password, newgrp lets anybody in; an administrator can make anybody a member.
        host.sh("sed -i 's/^docker:.*/docker:$6$salt$hash:alice,mallory:alice,bob/' /etc/gshadow")
        # gpasswd has the bit on every real host.
        host.sh("chmod u+s /usr/bin/gpasswd; runuser --user mallory -- gpasswd --add mallory docker")
        predicted = host.play(alone, options=("--check", "--diff"))
        assert "mallory (administrators: alice mallory, password set)" in predicted.output
        ok(host.play(alone))
        assert host.sh("getent group docker").endswith(":alice")
        assert host.sh("grep ^docker: /etc/gshadow") == "docker::alice:alice"
        assert ok(host.play(alone)).changed(host.name) == []
    finally:
        host.sh("userdel dora; groupdel twins")


def test_a_group_of_others_is_let_in_as_it_is_where_that_is_asked_for(host: LabHost) -> None:
    before = host.sh("getent group users; grep ^users: /etc/gshadow")
    assert ok(host.play(access(group="users", shared=True), options=("--check",))).changed(host.name)
    assert host.sh("getent group users; grep ^users: /etc/gshadow") == before


def make_certificate(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None) -> tuple[Any, Any]:
    """Make a certificate and its key; without an issuer, an authority's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(item: Any) -> str:
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM).decode()
    encoded: bytes = item.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def test_the_remote_api_lets_in_clients_of_the_ca_and_nobody_else(host: LabHost) -> None:
    authority = make_certificate("authority", None)
    server, server_key = make_certificate("localhost", authority)
    client, client_key = make_certificate("client", authority)
    tls = {"ca": pem(authority[0]), "cert": pem(server), "key": pem(server_key), "listen": "127.0.0.1:2376"}
    run = host.converge("-vvv", "--diff", docker_access_tls=tls)
    assert run.status == 0, run.output[-3000:]
    assert pem(server_key).splitlines()[1] not in run.output

    for name, text in {"ca": pem(authority[0]), "cert": pem(client), "key": pem(client_key)}.items():
        host.sh(f"mkdir -p /root/client; cat > /root/client/{name}.pem <<'END'\n{text}END")
    remote = "docker --host tcp://localhost:2376 --tlsverify --tlscacert /root/client/ca.pem"
    version = "version --format '{{.Server.Version}}'"
    assert host.sh(f"{remote} --tlscert /root/client/cert.pem --tlskey /root/client/key.pem {version}")
    assert host.run("sh", "-c", f"{remote} {version}")[0] != 0
    assert host.sh("stat --format %a /etc/docker/tls/*.pem").split() == ["444", "444", "400"]
    assert ok(host.apply("docker_access", docker_access_tls=tls)).changed(host.name) == []

    wrong_key = {**tls, "key": pem(client_key)}
    refused = host.apply("docker_access", docker_access_tls=wrong_key)
    assert "matches the certificate" in refused.failure(host.name)
    two_lists = {"docker_access_tls": tls, "docker_engine_daemon_options": {"hosts": ["fd://", "tcp://127.0.0.1:2375"]}}
    before = host.sh("cat /etc/docker/daemon.json")
    assert "tls.conf sets ExecStart" in host.converge(**two_lists).failure(host.name)
    assert host.sh("cat /etc/docker/daemon.json") == before

    ok(host.apply("docker_access"))
    assert host.run("ls", "/etc/docker/tls/key.pem", "/etc/systemd/system/docker.service.d/tls.conf")[0] != 0
    assert host.run("sh", "-c", "curl --silent --insecure https://127.0.0.1:2376/_ping")[0] == 7
