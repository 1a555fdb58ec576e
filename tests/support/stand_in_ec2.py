# SPDX-License-Identifier: Apache-2.0
"""The environment of an EC2 instance: its metadata service, Secrets Manager, and Docker Hub.

Secrets Manager is moto's, under its real name and with the lab's certificate; the Hub is the lab's.
"""

import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from slipway.lab import hub, private_engine
from slipway.lab.lab import Lab
from slipway.lab.virtual_machine import MAC, Server, loopback_command
from tests.support.moto_account import Cloud, account_with_a_role
from tests.support.stand_in_aws import REGION, Aws

METADATA = "169.254.169.254"
HUB = "169.254.169.10"
SECRETS_MANAGER = "169.254.169.11"
NAMES = {HUB: hub.NAMES, SECRETS_MANAGER: [f"secretsmanager.{REGION}.amazonaws.com"]}
USER = "alice"
SECRET = "docker-hub"
PROBE = "/run/probe.sh"


class Surroundings:
    """An account whose secret holds the token of the Hub's user, and the servers that instances use."""

    def __init__(self, lab: Lab, cloud: Cloud, secrets_manager_port: int) -> None:
        self.lab = lab
        self.cloud = cloud
        self.secrets_manager_port = secrets_manager_port
        self.token = hub.credentials(lab)[USER]
        cloud.secrets.create_secret(Name=SECRET, SecretString=self._secret())
        cloud.enforce()

    def rotate(self, token: str) -> None:
        """Change the user's token and the secret. No instance may read the secret meanwhile."""
        self.token = token
        hub.set_password(self.lab, USER, token)
        self.cloud.enforce("inf")
        self.cloud.secrets.put_secret_value(SecretId=SECRET, SecretString=self._secret())
        self.cloud.enforce()

    def _secret(self) -> str:
        return json.dumps({"username": USER, "accessToken": self.token})

    @contextmanager
    def metadata_service(self, user_data: str) -> Iterator[Aws]:
        """Serve the metadata of a new instance with the role's keys."""
        service = Aws(0, self.cloud.keys)
        identity = f"i-{secrets.token_hex(8)}"
        service.instance = {
            "meta-data/instance-id": identity,
            "meta-data/local-hostname": "ip-169-254-0-15.ec2.internal",
            f"meta-data/network/interfaces/macs/{MAC}/device-number": "0",
            "dynamic/instance-identity/document": json.dumps({"instanceId": identity, "region": REGION}),
            "user-data": user_data,
        }
        with _serving(service):
            yield service

    def servers(self, metadata: Aws) -> list[Server]:
        """Return the servers that an instance can reach."""
        hub_host, hub_port = hub.engine_address(self.lab).split(":")
        return [
            Server(METADATA, 80, loopback_command(metadata.server_port)),
            Server(SECRETS_MANAGER, 443, loopback_command(self.secrets_manager_port)),
            Server(HUB, 443, [*private_engine.enter_network(), "nc", hub_host, hub_port]),
        ]


@contextmanager
def surroundings(lab: Lab, folder: Path) -> Iterator[Surroundings]:
    """Set up the environment with the running Hub; restore its user's token at the end. The folder is for a key."""
    before = hub.credentials(lab)[USER]
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with ExitStack() as ending:
        moto.start()
        ending.callback(moto.stop)
        host, port = moto.get_host_and_port()
        cloud = account_with_a_role(f"http://{host}:{port}")
        ending.callback(cloud.enforce, "inf")
        secrets_manager_port = ending.enter_context(_with_tls(hub.certificate_and_key(lab), folder))
        ending.callback(hub.set_password, lab, USER, before)
        yield Surroundings(lab, cloud, secrets_manager_port)


@contextmanager
def _with_tls(certificate_and_key: bytes, folder: Path) -> Iterator[int]:
    """Serve this process's moto with TLS on a loopback port; yield the port."""
    file = folder / "server.pem"
    file.touch(mode=0o600)
    file.write_bytes(certificate_and_key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    application: Any = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=tls)
    with _serving(server):
        yield server.port


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


def cloud_config(probe: str) -> dict[str, Any]:
    """Return the first steps of cloud-init: write the servers to /etc/hosts, and start the probe in the background."""
    hosts = "".join(f"{address} {' '.join(names)}\n" for address, names in NAMES.items())
    write = 'printf %s "$0" >>'
    return {
        "bootcmd": [
            ["sh", "-c", f"{write}/etc/hosts", hosts],
            ["sh", "-c", f"{write}{PROBE}; systemd-run --no-block sh {PROBE}", probe],
        ]
    }
