# SPDX-License-Identifier: Apache-2.0
"""The command slipway-metrics with the settings that the role writes, and with moto in place of CloudWatch."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest

from tests.support import iam_policies, yaml_files
from tests.support.moto_account import Cloud, client
from tests.support.stand_in_aws import ROLE, Aws
from tests.unit.agent.conftest import ROLES, install

ROLE_FOLDER = ROLES / "host_metrics"
NAMESPACE = "CWAgent"


DEFAULTS = yaml_files.read(ROLE_FOLDER / "defaults/main.yml")
INSIDE = yaml_files.read(ROLE_FOLDER / "vars/main.yml")


def rendered(template: str, **variables: Any) -> str:
    """Render a template of the role with its own variables and these."""
    loader = jinja2.FileSystemLoader(ROLE_FOLDER / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = json.dumps
    known = {**DEFAULTS, **variables}
    inside = {name: known.get(name[2:], value) for name, value in INSIDE.items()}  # __x is x in its declared type
    return environment.get_template(template).render({**known, **inside})


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    """A client of moto's CloudWatch, to which the instance's role may publish."""
    cloud.iam.put_role_policy(RoleName=ROLE, PolicyName="publish", PolicyDocument=iam_policies.for_moto("metrics"))
    return client(cloud.address, "cloudwatch")


def published(cloudwatch: Any) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Return name and dimensions of all metrics."""
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
    return {
        (metric["MetricName"], frozenset((item["Name"], item["Value"]) for item in metric["Dimensions"]))
        for page in pages
        for metric in page["Metrics"]
    }


@dataclass
class Command:
    """slipway-metrics with its settings."""

    program: Path
    settings: Path
    content: dict[str, Any]

    def set(self, **settings: Any) -> None:
        self.content |= settings
        self.settings.write_text(json.dumps(self.content))

    def run(self) -> None:
        """Publish successfully and without output."""
        done = self.attempt()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def failure(self) -> str:
        """Publish, which must fail; return the message."""
        done = self.attempt()
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    def attempt(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program], capture_output=True, text=True, check=False, timeout=60, env={})


@pytest.fixture
def command(cloud: Cloud, metadata: Aws, tmp_path: Path) -> Command:
    role = rendered(
        "metrics.json.j2",
        host_metrics_group="",
        host_metrics_mounts=["/"],
        host_metrics_endpoint=cloud.address,
        host_metrics_metadata_endpoint=metadata.address,
    )
    command = Command(install("slipway-metrics", tmp_path), tmp_path / "metrics.json", json.loads(role))
    command.set()
    return command
