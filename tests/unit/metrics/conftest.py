# SPDX-License-Identifier: Apache-2.0
"""The real command slipway-metrics with the settings that the role writes; moto in the place of CloudWatch."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from tests.moto_account import Cloud, client
from tests.stand_in_aws import ROLE, Aws
from tests.unit.firstboot.conftest import LIBRARY, cloud, metadata, moto

__all__ = ["cloud", "metadata", "moto"]

ROLE_FOLDER = Path(__file__).parents[3] / "roles/host_metrics"
NAMESPACE = "CWAgent"
# moto calls an action after the service in the signature, AWS after the service's own name.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["cloudwatch:PutMetricData", "monitoring:PutMetricData"], "Resource": "*"}
    ],
}


DEFAULTS = yaml.safe_load((ROLE_FOLDER / "defaults/main.yml").read_text())
INSIDE = yaml.safe_load((ROLE_FOLDER / "vars/main.yml").read_text())


def rendered(template: str, **variables: Any) -> str:
    """A template of the role, with its own values and these."""
    loader = jinja2.FileSystemLoader(ROLE_FOLDER / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = json.dumps
    return environment.get_template(template).render({**DEFAULTS, **INSIDE, **variables})


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    """A client of moto's CloudWatch, where the instance's role may publish."""
    cloud.iam.put_role_policy(RoleName=ROLE, PolicyName="publish", PolicyDocument=json.dumps(POLICY))
    return client(cloud.address, "cloudwatch")


def published(cloudwatch: Any) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Name and dimensions of all metrics."""
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
        """Publish, which must work, and say nothing."""
        done = self.attempt()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def failure(self) -> str:
        """What it says where it must fail."""
        done = self.attempt()
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    def attempt(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program], capture_output=True, text=True, check=False, timeout=60, env={})


@pytest.fixture
def command(cloud: Cloud, metadata: Aws, tmp_path: Path) -> Command:
    program, settings = tmp_path / "slipway-metrics", tmp_path / "metrics.json"
    names = {"python": sys.executable, "library": str(LIBRARY), "settings": str(settings)}
    program.write_text(
        rendered("slipway-metrics.j2", **{f"__host_metrics_{name}": value for name, value in names.items()})
    )
    program.chmod(0o755)
    role = rendered(
        "metrics.json.j2",
        host_metrics_group="",
        host_metrics_mounts=["/"],
        host_metrics_endpoint=cloud.address,
        host_metrics_metadata_endpoint=metadata.address,
    )
    command = Command(program, settings, json.loads(role))
    command.set()
    return command
