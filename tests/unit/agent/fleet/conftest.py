# SPDX-License-Identifier: Apache-2.0
"""An instance of a fleet: a stand-in for its AWS, and for the commands that it calls."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from slipway_agent.fleet.settings import Settings

from tests.support.stand_in_aws import CALLS_FILE, GROUP_FILE, INSTANCE, LONE_GROUP, METADATA_FILE, Aws

KEYS = {"AccessKeyId": "ASIASTANDIN", "SecretAccessKey": "of-the-stand-in", "Token": "of-the-session"}
LAUNCH, TERMINATION = "slipway-launch", "slipway-termination"
# Notes what it is asked, and answers like the program whose name it has.
COMMAND = """#!/bin/sh
folder=$(dirname "$0")
echo "$(basename "$0") $*" >>"$folder/asked"
[ "$(basename "$0")" = docker ] || exit 0
[ ! -e "$folder/dead" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
case "$3" in
version) echo 29.0.0 ;;
ps) sed -n 's/.*"Name": "\\/\\([^"]*\\)".*/\\1/p' "$folder/containers" ;;
container) cat "$folder/containers" ;;
stop) [ "$6" != stuck ] || { echo "permission denied" >&2; exit 1; } ;;
esac
"""


@dataclass
class Instance:
    """The instance, its group and its engine."""

    aws: Aws
    folder: Path
    commands: Path

    def write(self, name: str, content: Any) -> None:
        (self.folder / name).write_text(json.dumps(content))

    def group(self, state: str = "InService", pending: tuple[str, ...] = (), **differing: Any) -> None:
        """Put the instance into a group: in this state, with these hooks waiting for it."""
        members = {INSTANCE: [state, "Healthy"], **differing.pop("others", {})}
        group = {**LONE_GROUP, "members": members, "desired": len(members), "pending": list(pending), **differing}
        self.write(GROUP_FILE, group)

    def state(self) -> list[str]:
        """Return the state and the health of this instance in its group."""
        known: list[str] = json.loads((self.folder / GROUP_FILE).read_text())["members"][INSTANCE]
        return known

    def notice(self, **metadata: str) -> None:
        """Set metadata by path, in which an underscore stands for a dash."""
        self.write(METADATA_FILE, {f"meta-data/{path.replace('_', '-')}": text for path, text in metadata.items()})

    def calls(self, *without: str) -> list[str]:
        """Return what was asked of Auto Scaling."""
        path = self.folder / CALLS_FILE
        asked = [json.loads(line)["Action"] for line in path.read_text().splitlines()] if path.exists() else []
        return [action for action in asked if action not in without]

    def last(self, action: str) -> dict[str, str]:
        """Return the parameters of the last call of this action."""
        asked = [json.loads(line) for line in (self.folder / CALLS_FILE).read_text().splitlines()]
        found: dict[str, str] = [call for call in asked if call["Action"] == action][-1]
        return found

    def settings(self, **differing: Any) -> Settings:
        known = {
            "metadata_endpoint": self.aws.address,
            "endpoint": self.aws.address,
            "health_checks": 3,
            "health_share": 50,
            "drain_seconds": 60,
            "drain_units": [],
            "poll_seconds": 0.05,
        }
        return Settings(**{**known, **differing})

    def settings_file(self, **differing: Any) -> str:
        self.write("fleet.json", self.settings(**differing)._asdict())
        return str(self.folder / "fleet.json")

    def kill_engine(self) -> None:
        (self.commands / "dead").touch()

    def revive_engine(self) -> None:
        (self.commands / "dead").unlink()

    def containers(self, **started: tuple[str, int | None]) -> None:
        """Run these containers: when they were started, and their stop grace in seconds."""
        found = [
            {"Name": f"/{name}", "State": {"StartedAt": time}, "Config": {"StopTimeout": grace}}
            for name, (time, grace) in started.items()
        ]
        (self.commands / "containers").write_text("[" + ",\n".join(map(json.dumps, found)) + "]")

    def asked(self) -> list[str]:
        """Return the commands that change something, in order."""
        path = self.commands / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.replace("--host unix:///var/run/docker.sock ", "") for line in lines]
        return [line for line in words if not line.startswith(("docker version", "docker ps", "docker container"))]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("docker", "systemctl", "journalctl"):
        (commands / name).write_text(COMMAND)
        (commands / name).chmod(0o755)
    (commands / "containers").write_text("[]")
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    server = Aws(0, dict(KEYS), tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    instance = Instance(server, tmp_path, commands)
    instance.group()
    yield instance
    server.shutdown()
    server.server_close()
    thread.join()
