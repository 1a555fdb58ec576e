# SPDX-License-Identifier: Apache-2.0
"""The real command as the role installs it, an instance around it, and moto in the place of AWS."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
from moto.server import ThreadedMotoServer

from tests.moto_account import Cloud, account_with_a_role
from tests.stand_in_aws import Aws

TEMPLATES = Path(__file__).parents[3] / "roles/docker_firstboot/templates"
LIBRARY = Path(__file__).parents[3] / "files"
HUB = "https://index.docker.io/v1/"
SECRET = "docker-hub"


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of a moto server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def cloud(moto: str) -> Iterator[Cloud]:
    cloud = account_with_a_role(moto)
    yield cloud
    cloud.enforce("inf")


@pytest.fixture
def metadata(cloud: Cloud) -> Iterator[Aws]:
    """The instance's metadata service, which hands out the role's keys."""
    server = Aws(0, cloud.keys)
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class Command:
    """docker-credential-slipway with its settings."""

    program: Path
    settings: Path
    content: dict[str, Any]

    def name(self, server: str, **reference: str) -> None:
        """Say which secret has a registry's credentials."""
        self.content["registries"][server] |= reference
        self.settings.write_text(json.dumps(self.content))

    def run(self, action: str, text: str = HUB, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.program, action], input=text, capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        assert done.stderr == ""
        return done

    def token(self) -> str:
        """The Hub's token, which must be there."""
        done = self.run("get")
        assert done.returncode == 0, done.stdout
        return str(json.loads(done.stdout)["Secret"])

    def failure(self, action: str = "get", text: str = HUB) -> str:
        """What it says where it must fail."""
        done = self.run(action, text)
        assert done.returncode == 1
        return done.stdout.strip()


@pytest.fixture
def command(cloud: Cloud, metadata: Aws, tmp_path: Path) -> Command:
    program, settings = tmp_path / "docker-credential-slipway", tmp_path / "settings.json"
    names = {"python": sys.executable, "library": LIBRARY, "settings": settings}
    template = jinja2.Template(
        (TEMPLATES / "docker-credential-slipway.j2").read_text(), undefined=jinja2.StrictUndefined
    )
    program.write_text(template.render({f"__docker_firstboot_{name}": value for name, value in names.items()}))
    program.chmod(0o755)
    command = Command(
        program, settings, {"metadata_endpoint": metadata.address, "wait_seconds": 60, "registries": {HUB: {}}}
    )
    command.name(HUB, provider="secretsmanager", name=SECRET, endpoint=cloud.address)
    return command
