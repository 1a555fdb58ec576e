# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a node's certificate says: real certificates, in the form in which Docker issues them."""

import datetime
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils.swarm import membership
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SWARM = "x3q0jl2ql6h1p9vkk2vdcpwyi"


def certificate(swarm: str, *issuer: x509.NameAttribute[str]) -> bytes:
    """Return a certificate whose subject has the swarm's ID as its organization, after the role and before the node."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    subject = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, swarm),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "swarm-worker"),
        x509.NameAttribute(NameOID.COMMON_NAME, "p0rnh6qpajwcwjpe88oql2jko"),
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "swarm-ca"), *issuer]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def placed(root: Path, text: bytes) -> str:
    path = root / "swarm/certificates/swarm-node.crt"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    return str(root)


def test_the_swarm_of_a_worker_is_in_its_certificate(tmp_path: Path) -> None:
    # Docker appends the certificates of the authorities.
    root = placed(tmp_path, certificate(SWARM) + certificate("other"))
    assert membership.certified_swarm(root) == SWARM


def test_the_organization_of_an_external_authority_is_not_the_swarm(tmp_path: Path) -> None:
    """Otherwise its workers would count as nodes of another swarm than its managers."""
    text = certificate(SWARM, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Inc."))
    assert membership.certified_swarm(placed(tmp_path, text)) == SWARM


def test_a_node_without_a_readable_certificate_has_no_known_swarm(tmp_path: Path) -> None:
    assert membership.certified_swarm(str(tmp_path)) == ""
    for number, text in enumerate((b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")):
        assert membership.certified_swarm(placed(tmp_path / str(number), text)) == ""


def test_join_tokens_are_left_out_of_what_is_told_of_a_swarm() -> None:
    found = {
        "ID": "s1",
        "Spec": {"CAConfig": {"NodeCertExpiry": 7776000000000000}, "Orchestration": {"TaskHistoryRetentionLimit": 5}},
        "JoinTokens": {"Worker": "SWMTKN-1-a", "Manager": "SWMTKN-1-b"},
        "DefaultAddrPool": ["10.0.0.0/8"],
        "SubnetSize": 24,
    }
    assert membership.described_swarm(found) == {
        "id": "s1",
        "certificate_days": 90,
        "task_history": 5,
        "autolock": False,
        "address_pools": ["10.0.0.0/8"],
        "subnet_size": 24,
        "data_path_port": 4789,
    }
