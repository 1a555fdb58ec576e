# SPDX-License-Identifier: Apache-2.0
"""The agent's commands as the role installs them, with a metadata service and with moto in place of AWS."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from moto.server import ThreadedMotoServer

from tests.support.moto_account import Cloud, account_with_a_role
from tests.support.stand_in_aws import Aws

ROLES = Path(__file__).parents[3] / "roles"
LIBRARY = ROLES / "instance_agent/files"


def install(command: str, folder: Path) -> Path:
    """Install a command in a folder, where it reads its settings too; return its path."""
    names = {"python": sys.executable, "library": LIBRARY, "settings": folder}
    text = (ROLES / "instance_agent/templates/command.j2").read_text()
    template = jinja2.Template(text, undefined=jinja2.StrictUndefined)
    path = folder / command
    path.write_text(template.render({f"__instance_agent_{name}": value for name, value in names.items()}))
    path.chmod(0o755)
    return path


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
    """The instance's metadata service, with the credentials of the role."""
    server = Aws(0, cloud.keys)
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
    yield server
    server.shutdown()
    server.server_close()
