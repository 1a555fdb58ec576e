# SPDX-License-Identifier: Apache-2.0
"""A host publishes to a stand-in for CloudWatch, which verifies signatures. Of the agent, only the unit exists."""

import json
from typing import Any

import pytest

from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench
from tests.support.instance import ADDRESS, FOLDER, surround

TIMER = "slipway-metrics.timer"
SERVICE = "slipway-metrics.service"
AGENT = "amazon-cloudwatch-agent.service"
WRITTEN = "/etc/slipway /usr/local/lib/slipway /usr/local/bin/slipway-metrics /etc/systemd/system/slipway-metrics.*"
PUBLISHED = f"{FOLDER}/metrics.jsonl"
ALL = {"mem_used_percent", "swap_used_percent", "disk_used_percent", "disk_inodes_free"}
BASEOS = "https://download.docker.com/baseos"
REPOSITORY = f"printf '[baseos]\nname=BaseOS\nbaseurl={BASEOS}\ngpgcheck=1\ngpgkey={BASEOS}/gpg\n'"
# A copy of the configuration that the agent has loaded.
READ = "/run/amazon-cloudwatch-agent.json"


@pytest.fixture(scope="module")
def instance(workbench: Workbench) -> LabHost:
    host = workbench.make("test-host-metrics")
    host.sh(f"{REPOSITORY} >/etc/yum.repos.d/baseos.repo")
    return host


@pytest.fixture
def host(instance: LabHost) -> LabHost:
    """The host without any file of the role, with a stand-in for AWS that has received nothing."""
    instance.run("systemctl", "disable", "--now", TIMER, AGENT)
    if instance.run("rpm", "--query", "amazon-cloudwatch-agent")[0] == 0:
        instance.sh("dnf --assumeyes --quiet remove amazon-cloudwatch-agent")
    instance.sh(f"rm -rf {WRITTEN} /opt/aws /var/cache/*.rpm {READ}; systemctl daemon-reload; systemctl reset-failed")
    surround(instance)
    instance.sh(f"rm -f {FOLDER}/no-role {PUBLISHED}")
    return instance


def apply(host: LabHost, *options: str, **variables: Any) -> Run:
    """Run only the role, on an instance whose AWS is the stand-in."""
    here = {"host_metrics_endpoint": ADDRESS, "host_metrics_metadata_endpoint": ADDRESS, "host_metrics_mounts": ["/"]}
    return host.apply("host_metrics", *options, **{"host_metrics_provider": "script", **here, **variables})


def published(host: LabHost) -> set[str]:
    """Return the names of the metrics that were received with a valid signature."""
    requests = host.run("cat", PUBLISHED)[1] if host.run("test", "-e", PUBLISHED)[0] == 0 else ""
    return {entry["MetricName"] for line in requests.splitlines() for entry in json.loads(line)["MetricData"]}


def is_untouched(host: LabHost) -> bool:
    return host.run("sh", "-c", f"ls -d {WRITTEN} /opt/aws 2>&- | grep .")[1] == ""


def states(host: LabHost, unit: str) -> tuple[str, str]:
    return host.run("systemctl", "is-enabled", unit)[1], host.run("systemctl", "is-active", unit)[1]


def test_the_unit_publishes_all_mounts_as_a_dynamic_user(host: LabHost) -> None:
    ok(apply(host, host_metrics_mounts=["*"]))
    assert states(host, TIMER) == ("enabled", "active")
    host.sh(f"rm {PUBLISHED}; systemctl start {SERVICE}")
    assert published(host) == ALL
    assert host.sh(f"systemctl show {SERVICE} --property=DynamicUser --value") == "yes"


@pytest.mark.slow
def test_the_timer_runs_the_unit_and_continues_after_a_reboot(host: LabHost) -> None:
    ok(apply(host))
    host.reboot()
    surround(host)
    assert states(host, TIMER) == ("enabled", "active")
    # It runs every minute. The stand-in may not have been running at the last run.
    host.sh(f"timeout 90 sh -c 'until test -s {PUBLISHED}; do sleep 1; done'")
    assert published(host) == ALL
    held = host.verify("test_metrics.py", host_metrics_provider="script")
    assert held.stdout.splitlines()[-1].startswith("2 passed in"), held.stdout


@pytest.mark.slow
def test_an_instance_that_loses_its_role_has_a_failed_unit_with_the_reason_and_recovers(host: LabHost) -> None:
    """Fault: an instance loses its role. Outcome: the unit fails, the journal has the reason, the next run recovers."""
    ok(apply(host))
    host.sh(f"touch {FOLDER}/no-role")
    assert host.run("systemctl", "start", SERVICE)[0] != 0
    assert SERVICE in host.sh("systemctl list-units --failed --plain --no-legend")
    assert "attach an instance profile" in host.journal(f"--unit={SERVICE}", "--priority=err", "--lines=5")
    host.sh(f"rm {FOLDER}/no-role; systemctl start {SERVICE}")
    assert host.run("systemctl", "is-failed", SERVICE)[1] == "inactive"


def test_a_run_that_cannot_publish_fails_with_the_reason(host: LabHost) -> None:
    host.sh(f"touch {FOLDER}/no-role")
    run = apply(host)
    assert run.status != 0
    assert "attach an instance profile" in run.output


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["script", "cloudwatch_agent"])
def test_check_mode_writes_nothing_and_a_second_run_changes_nothing(host: LabHost, provider: str) -> None:
    predicted = ok(apply(host, "--check", "--diff", host_metrics_provider=provider))
    assert predicted.changed(host.name)
    assert is_untouched(host)
    ok(apply(host, host_metrics_provider=provider))
    assert ok(apply(host, host_metrics_provider=provider)).changed(host.name) == []
    assert ok(apply(host, "--check", "--diff", host_metrics_provider=provider)).changed(host.name) == []


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "unit"), [("script", TIMER), ("cloudwatch_agent", AGENT)])
def test_a_bake_enables_the_unit_and_starts_nothing(host: LabHost, provider: str, unit: str) -> None:
    host.sh(f"touch {FOLDER}/no-role")
    ok(apply(host, host_metrics_provider=provider, slipway_baking=True))
    assert states(host, unit) == ("enabled", "inactive")
    assert published(host) == set()


def test_invalid_settings_are_rejected_before_anything_is_changed(host: LabHost) -> None:
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "mounts": ({"host_metrics_mounts": ["data"]}, "host_metrics_mounts has 'data', which is not an absolute path"),
        "endpoint": (
            {"host_metrics_endpoint": "http://monitoring.example.com"},
            "host_metrics_endpoint does not use https://",
        ),
        "rpm": (
            {"host_metrics_agent_rpm": {"url": f"{BASEOS}/agent.rpm"}},
            "host_metrics_agent_rpm needs url and checksum",
        ),
    }
    said = host.refusals(
        "host_metrics", {name: {"host_metrics_provider": "script", **given} for name, (given, _) in cases.items()}
    )
    for name, (_, words) in cases.items():
        assert words in said[name]
    unknown = apply(host, host_metrics_provider="statsd")
    assert "value of host_metrics_provider must be one of" in unknown.output
    assert unknown.status != 0
    assert is_untouched(host)


def test_a_provider_of_none_sends_no_module(host: LabHost) -> None:
    run = ok(apply(host, host_metrics_provider="none"))
    assert run.module_invocations(host.name) == []


@pytest.mark.slow
def test_the_agent_loads_its_configuration_and_reloads_a_changed_one(host: LabHost) -> None:
    ok(apply(host, host_metrics_provider="cloudwatch_agent"))
    assert states(host, AGENT) == ("enabled", "active")
    assert json.loads(host.sh(f"cat {READ}"))["metrics"]["namespace"] == "CWAgent"
    ok(apply(host, host_metrics_provider="cloudwatch_agent", host_metrics_namespace="Site"))
    assert json.loads(host.sh(f"cat {READ}"))["metrics"]["namespace"] == "Site"


@pytest.mark.slow
def test_an_rpm_of_the_agent_is_verified_by_its_checksum(host: LabHost) -> None:
    url = host.sh("dnf --quiet repoquery --location amazon-cloudwatch-agent").splitlines()[-1]
    digest = host.sh(f"curl --silent --fail {url} | sha256sum").split()[0]
    host.run("rpm", "--erase", "--allmatches", "gpg-pubkey")
    wanted = {"host_metrics_provider": "cloudwatch_agent", "host_metrics_agent_package": "nowhere"}
    refused = apply(host, **wanted, host_metrics_agent_rpm={"url": url, "checksum": "sha256:" + "0" * 64})
    assert "checksum" in refused.failure(host.name)
    assert host.run("rpm", "--query", "amazon-cloudwatch-agent")[0] != 0
    good = {"url": url, "checksum": f"sha256:{digest}"}
    ok(apply(host, "--check", **wanted, host_metrics_agent_rpm=good))
    ok(apply(host, **wanted, host_metrics_agent_rpm=good))
    assert states(host, AGENT) == ("enabled", "active")
    assert ok(apply(host, **wanted, host_metrics_agent_rpm=good)).changed(host.name) == []


@pytest.mark.slow
def test_only_the_configured_provider_runs(host: LabHost) -> None:
    """Fault: the provider of metrics changes. Outcome: the former one is stopped and disabled."""
    ok(apply(host))
    ok(apply(host, host_metrics_provider="cloudwatch_agent"))
    assert states(host, TIMER) == ("disabled", "inactive")
    assert states(host, AGENT) == ("enabled", "active")
    ok(apply(host))
    assert states(host, AGENT) == ("disabled", "inactive")
    assert states(host, TIMER) == ("enabled", "active")
