# SPDX-License-Identifier: Apache-2.0
"""Who may use the engine: groups, the socket, the remote API."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slipway.lab.workbench import LabHost, Workbench

SOCKET = "stat --format '%U %G %a' /run/docker.sock"
PROCESS = "systemctl show docker.service --property=MainPID --value"
STATE = f"getent group docker; getent passwd | sort; ls -R /etc/systemd/system /etc/docker; {SOCKET}; {PROCESS}"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make("test-access")
    converged = host.converge(docker_access_members=["alice"])
    assert converged.status == 0, converged.output
    return host


def starts(host: LabHost) -> int:
    """Return how often the socket has been made since the host booted."""
    return host.sh("journalctl --boot --unit=docker.socket --output=cat").count("Listening on docker.socket")


def test_the_defaults_need_no_restart_and_no_drop_in(host: LabHost) -> None:
    assert starts(host) == 1
    assert host.run("ls", "/etc/systemd/system/docker.socket.d")[0] != 0
    assert host.sh("runuser --user alice -- docker version --format '{{.Server.Version}}'")


def test_a_member_can_use_the_engine_in_the_same_play(workbench: Workbench) -> None:
    host = workbench.make("test-same-play")
    host.sh("useradd --create-home --groups users carol")
    role = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_access"}}
    engine = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_engine"}}
    use = {
        "ansible.builtin.command": "runuser --user carol -- docker version",
        "changed_when": False,
    }
    facts = {"ansible.builtin.setup": {"gather_subset": ["min"]}}
    variables = {"docker_access_members": ["carol"]}
    run = host.play(facts, engine, role, use, variables=variables)
    assert run.status == 0, run.output
    assert {"carol", "users", "docker"} <= set(host.sh("id --name --groups carol").split())


REFUSED = {
    "unknown user": ({"docker_access_members": ["alice", "zoe", "yves"]}, ["zoe, yves", "never does"]),
    "mode open to others": ({"docker_access_socket_mode": "0666"}, ["0666", "0660"]),
    "mode that is none": ({"docker_access_socket_mode": "rw"}, ["rw", "0660"]),
    "group id that is taken": ({"docker_access_group_gid": 0}, ["0 belongs to root"]),
    "certificates that are none": (
        {"docker_access_tls": {"ca": "x", "cert": "y", "key": "z"}},
        ["docker_access_tls", "PEM"],
    ),
    "certificates that are missing": ({"docker_access_tls": {"ca": "x"}}, ["cert", "key"]),
}


@pytest.mark.parametrize(("variables", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused_before_anything_is_changed(
    host: LabHost, variables: dict[str, Any], words: list[str]
) -> None:
    before = host.sh(STATE)
    run = host.converge(**variables)
    assert run.status != 0
    for word in words:
        assert word in run.failure(host.name)
    assert host.sh(STATE) == before


def test_drift_by_chmod_is_repaired_without_a_restart(host: LabHost) -> None:
    before = host.sh(f"{SOCKET}; {PROCESS}")
    host.sh("chmod 0666 /run/docker.sock; chgrp root /run/docker.sock")
    run = host.converge()
    assert run.status == 0, run.output
    assert host.sh(f"{SOCKET}; {PROCESS}") == before
    assert host.converge().changed(host.name) == []


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
    foretold = host.converge("--check", "--diff", **wanted)
    assert "SocketGroup=containers" in foretold.output
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
    assert host.converge(docker_access_members=["alice", "bob"]).status == 0
    assert host.sh("getent group docker").split(":")[3].split(",") == ["alice", "mallory", "bob"]
    assert host.converge(docker_access_members=["alice"], docker_access_exclusive=True).status == 0
    assert host.sh("getent group docker").endswith(":alice")


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
    assert host.converge(docker_access_tls=tls).changed(host.name) == []

    wrong_key = {**tls, "key": pem(client_key)}
    refused = host.converge(docker_access_tls=wrong_key)
    assert "belonging to the certificate" in refused.failure(host.name)
    two_lists = {"docker_access_tls": tls, "docker_engine_daemon_options": {"hosts": ["fd://", "tcp://127.0.0.1:2375"]}}
    before = host.sh("cat /etc/docker/daemon.json")
    assert "tls.conf sets ExecStart" in host.converge(**two_lists).failure(host.name)
    assert host.sh("cat /etc/docker/daemon.json") == before

    assert host.converge().status == 0
    assert host.run("ls", "/etc/docker/tls/key.pem", "/etc/systemd/system/docker.service.d/tls.conf")[0] != 0
    assert host.run("sh", "-c", "curl --silent --insecure https://127.0.0.1:2376/_ping")[0] == 7
