# SPDX-License-Identifier: Apache-2.0
"""The command docker-credential-slipway as the role installs it, and its settings."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.moto_account import Cloud
from tests.support.stand_in_aws import Aws
from tests.unit.agent.conftest import install

HUB = "https://index.docker.io/v1/"
SECRET = "docker-hub"


@dataclass
class Command:
    """docker-credential-slipway with its settings."""

    program: Path
    settings: Path
    content: dict[str, Any]

    def name(self, server: str, **reference: str) -> None:
        """Set the secret that has a registry's credentials."""
        self.content["registries"][server] |= reference
        self.settings.write_text(json.dumps(self.content))

    def run(self, action: str, text: str = HUB, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.program, action], input=text, capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        assert done.stderr == ""
        return done

    def token(self) -> str:
        """Return the Hub's token, which must exist."""
        done = self.run("get")
        assert done.returncode == 0, done.stdout
        return str(json.loads(done.stdout)["Secret"])

    def failure(self, action: str = "get", text: str = HUB) -> str:
        """Run an action that must fail; return its message."""
        done = self.run(action, text)
        assert done.returncode == 1
        return done.stdout.strip()


@pytest.fixture
def command(cloud: Cloud, metadata: Aws, tmp_path: Path) -> Command:
    command = Command(
        install("docker-credential-slipway", tmp_path),
        tmp_path / "docker-credentials.json",
        {"metadata_endpoint": metadata.address, "wait_seconds": 60, "registries": {HUB: {}}},
    )
    command.name(HUB, provider="secretsmanager", name=SECRET, endpoint=cloud.address)
    return command
