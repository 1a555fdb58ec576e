# SPDX-License-Identifier: Apache-2.0
"""What an instance of EC2 finds around it: its own metadata service, Secrets Manager, and Docker Hub.

Secrets Manager is moto's, under its real name and with the lab's certificate; the Hub is the lab's.
"""

import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import yaml
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from slipway.lab import hub, private_engine
from slipway.lab.virtual_machine import MAC, Server, reached_from_here
from tests.stand_in_aws import REGION, Aws

METADATA = "169.254.169.254"
HUB = "169.254.169.10"
SECRETS_MANAGER = "169.254.169.11"
NAMES = {HUB: hub.NAMES, SECRETS_MANAGER: [f"secretsmanager.{REGION}.amazonaws.com"]}
PROBE = "/run/probe.sh"


@contextmanager
def secrets_manager(client: docker.DockerClient, folder: Path) -> Iterator[int]:
    """Serve this process' moto with TLS on a port of the loopback."""
    certificate = folder / "server.pem"
    certificate.touch(mode=0o600)
    certificate.write_bytes(hub.certificate_and_key(client))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    application: Any = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=tls)
    with _serving(server):
        yield server.port


@contextmanager
def metadata_service(keys: dict[str, str], probe: str) -> Iterator[Aws]:
    """Serve the metadata of a new instance, which has the role's keys and runs the probe when it has booted."""
    service = Aws(0, keys)
    identity = f"i-{secrets.token_hex(8)}"
    service.instance = {
        "meta-data/instance-id": identity,
        "meta-data/local-hostname": "ip-169-254-0-15.ec2.internal",
        f"meta-data/network/interfaces/macs/{MAC}/device-number": "0",
        "dynamic/instance-identity/document": f'{{"instanceId": "{identity}", "region": "{REGION}"}}',
        "user-data": _user_data(probe),
    }
    with _serving(service):
        yield service


def _user_data(probe: str) -> str:
    """Return a cloud-config that names the servers, which have no name server here, and starts the probe."""
    hosts = "".join(f"{address} {' '.join(names)}\n" for address, names in NAMES.items())
    content = {
        "bootcmd": [["sh", "-c", f"printf '{hosts}' >>/etc/hosts"]],
        "write_files": [{"path": PROBE, "content": probe}],
        # On its own: a boot is not over while cloud-init waits for a command.
        "runcmd": [["systemd-run", "--no-block", "sh", PROBE]],
    }
    return f"#cloud-config\n{yaml.safe_dump(content)}"


def servers(client: docker.DockerClient, metadata: Aws, secrets_manager_port: int) -> list[Server]:
    """Return where a machine finds all of it."""
    hub_host, hub_port = hub.engine_address(client).split(":")
    return [
        Server(METADATA, 80, reached_from_here(metadata.server_port)),
        Server(SECRETS_MANAGER, 443, reached_from_here(secrets_manager_port)),
        Server(HUB, 443, [*private_engine.inside_its_network(), "nc", hub_host, hub_port]),
    ]


@contextmanager
def _serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
