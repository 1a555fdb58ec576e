# SPDX-License-Identifier: Apache-2.0
"""An instance pulls with its role: only a stand-in for AWS has the secret. Engine and Hub are those of the lab."""

import base64
import json
from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench
from tests.support.instance import ADDRESS, FOLDER, surround

HUB = "https://index.docker.io/v1/"
SECRET = "docker-hub"
UNIT = "docker-auth-check.service"
BOOT = "docker-firstboot.service"
REPORT = "/run/slipway/ready.json"
SETTINGS = "/etc/slipway/docker-credentials.json"
FILE_SYSTEMS = "/ /run /tmp /var/lib/docker /var/lib/containerd"
WRITTEN = (
    "/etc/slipway /usr/local/lib/slipway /usr/local/bin/docker-credential-slipway "
    "/etc/systemd/system/slipway-metrics.* /etc/systemd/system/timers.target.wants/slipway-metrics.timer "
    f"/etc/systemd/system/{UNIT} /etc/systemd/system/{BOOT} /root/.docker /home/alice/.docker"
)
PULL = "docker image rm --force alice/private >/dev/null 2>&1; runuser --login {} --command 'docker pull alice/private'"


@pytest.fixture(scope="module")
def token(workbench: Workbench) -> str:
    return hub.credentials(workbench.lab)["alice"]


@pytest.fixture(scope="module")
def engine_host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-firstboot", docker_access_members=["alice", "bob"])


@pytest.fixture
def host(engine_host: LabHost, token: str) -> LabHost:
    """The host without any file of the role, with a stand-in for AWS that has the Hub's credentials in a secret."""
    engine_host.run("systemctl", "disable", "--now", UNIT, BOOT)
    engine_host.run("systemctl", "reset-failed")
    engine_host.sh(f"rm -rf {WRITTEN}; systemctl daemon-reload")
    surround(engine_host)
    keep(engine_host, {"username": "alice", "accessToken": token})
    return engine_host


def keep(host: LabHost, secret: dict[str, str] | None) -> None:
    """Store only this in Secrets Manager."""
    kept = {} if secret is None else {SECRET: json.dumps(secret)}
    host.sh(f"umask 077; cat > {FOLDER}/secrets.json <<'END'\n{json.dumps(kept)}\nEND")


def settings(*users: str, **variables: Any) -> dict[str, Any]:
    """Return the role's variables for an instance whose AWS is the stand-in."""
    return {
        "docker_firstboot_credentials": [
            {"registry": "docker.io", "secret": SECRET, "endpoint": ADDRESS, "users": list(users or ("root", "alice"))}
        ],
        "docker_firstboot_metadata_endpoint": ADDRESS,
        **variables,
    }


def apply(host: LabHost, *options: str, **variables: Any) -> Run:
    return host.apply("docker_firstboot", *options, **variables)


def test_configured_users_pull_a_private_image_and_no_secret_is_on_the_disk(host: LabHost, token: str) -> None:
    ok(host.converge(docker_access_members=["alice", "bob"], **settings()))
    for home in ("/root", "/home/alice"):
        assert json.loads(host.sh(f"cat {home}/.docker/config.json")) == {"credHelpers": {HUB: "slipway"}}
    assert "alice/private" in host.sh(PULL.format("alice"))
    assert "alice/private" in host.sh(PULL.format("root"))
    assert host.run("sh", "-c", PULL.format("bob"))[0] != 0
    assert host.run("grep", "-rlF", token, FOLDER)[1] != "", "the search finds nothing at all"
    for form in (token, base64.b64encode(f"alice:{token}".encode()).decode()):
        search = f"find {FILE_SYSTEMS} -xdev -type f -not -path '{FOLDER}/*' -exec grep -lF {form} {{}} +"
        assert host.run("sh", "-c", search)[1] == ""
        assert form not in host.journal()


@pytest.mark.slow
def test_check_mode_writes_nothing_and_a_second_run_changes_nothing(host: LabHost) -> None:
    predicted = ok(apply(host, "--check", "--diff", **settings())).changed(host.name)
    assert any("Users | Report the users that a real run would configure" in name for name in predicted)
    assert host.run("sh", "-c", f"ls -d {WRITTEN} 2>&- | grep .")[1] == ""
    ok(apply(host, **settings()))
    assert ok(apply(host, **settings())).changed(host.name) == []
    assert ok(apply(host, "--check", **settings())).changed(host.name) == []


@pytest.mark.slow
def test_the_next_pull_uses_a_rotated_token(host: LabHost, workbench: Workbench, token: str) -> None:
    """Fault: a token is rotated in AWS. Outcome: it serves the next pull."""
    ok(apply(host, **settings()))
    try:
        hub.set_password(workbench.lab, "alice", "rotated-token")
        assert host.run("sh", "-c", PULL.format("alice"))[0] != 0
        keep(host, {"username": "alice", "accessToken": "rotated-token"})
        assert "alice/private" in host.sh(PULL.format("alice"))
    finally:
        hub.set_password(workbench.lab, "alice", token)


@pytest.mark.slow
def test_the_check_fails_only_while_the_secret_is_missing(host: LabHost) -> None:
    """Fault: a secret is missing at boot. Outcome: the unit fails, and recovers when the secret is there."""
    ok(apply(host, **settings()))
    keep(host, None)
    assert host.run("systemctl", "restart", UNIT)[0] != 0
    assert f"{SECRET} does not exist in secretsmanager" in host.journal(f"--unit={UNIT}", "--lines=20")
    keep(host, {"username": "alice", "accessToken": "any"})
    assert host.run("systemctl", "restart", UNIT)[0] == 0


@pytest.mark.slow
def test_a_boot_without_a_metadata_service_has_a_failed_unit(host: LabHost) -> None:
    ok(apply(host, **settings(docker_firstboot_wait_seconds=2)))
    host.reboot()
    host.run("systemctl", "is-system-running", "--wait")
    assert UNIT in host.sh("systemctl list-units --failed --plain --no-legend")
    assert "metadata service" in host.journal("--boot", f"--unit={UNIT}")


@pytest.mark.slow
def test_the_journal_has_the_reason_for_an_anonymous_pull(host: LabHost) -> None:
    """Fault: a secret is missing at a pull. Outcome: the journal has the reason."""
    ok(apply(host, **settings()))
    keep(host, None)
    assert host.run("sh", "-c", PULL.format("alice"))[0] != 0
    journal = ("--identifier=docker-credential-slipway", "--lines=5")
    assert f"{SECRET} does not exist" in host.journal(*journal)
    host.sh(f"sed --in-place 's|{HUB}|registry.example.com|' {SETTINGS}")
    assert host.run("sh", "-c", PULL.format("alice"))[0] != 0
    assert f"docker requested credentials for {HUB}, which {SETTINGS} does not list" in host.journal(*journal)


def test_a_missing_secret_fails_the_installing_run_with_the_reason(host: LabHost) -> None:
    """Fault: a secret is missing in a run of the playbook. Outcome: the run fails with the reason."""
    keep(host, None)
    run = apply(host, **settings())
    assert run.status != 0
    assert f"{SECRET} does not exist" in run.output


@pytest.mark.slow
def test_a_bake_leaves_the_check_to_the_first_boot(host: LabHost) -> None:
    keep(host, None)
    ok(apply(host, **settings(slipway_baking="true")))
    assert host.sh(f"systemctl is-enabled {UNIT}") == "enabled"
    assert host.run("systemctl", "is-active", UNIT)[1] == "inactive"


@pytest.mark.parametrize(
    "entries",
    [
        [{"secret": "one"}, {"secret": "two", "registry": "index.docker.io"}],
        [{"secret": "one", "endpoint": "http://secrets.example.com"}],
    ],
    ids=["a registry twice", "an endpoint in clear text"],
)
def test_invalid_credentials_settings_are_rejected_and_nothing_is_changed(host: LabHost, entries: list[Any]) -> None:
    run = apply(host, docker_firstboot_credentials=entries)
    assert "Nothing was changed" in run.failure(host.name)
    assert host.run("sh", "-c", f"ls -d {WRITTEN} 2>&- | grep .")[1] == ""


def test_an_unknown_user_is_rejected_by_name_and_nothing_is_changed(host: LabHost) -> None:
    refused = apply(host, **settings("zoe")).failure(host.name)
    assert "'zoe' does not exist on this host" in refused
    assert "Nothing was changed" in refused
    assert host.run("sh", "-c", f"ls -d {WRITTEN} 2>&- | grep .")[1] == ""


def test_an_instance_is_not_ready_until_its_secret_exists(host: LabHost, token: str) -> None:
    """Fault: a boot without its secret. Outcome: not ready until the secret is there."""
    keep(host, None)
    ok(apply(host, **settings(slipway_baking=True, docker_firstboot_enabled=True)))
    assert host.run("systemctl", "start", BOOT)[0] != 0
    status, sentence = host.run("slipway-ready")
    assert (status, f"{SECRET} does not exist in secretsmanager" in sentence) == (1, True), sentence
    keep(host, {"username": "alice", "accessToken": token})
    host.sh(f"systemctl start {BOOT}")
    assert "found credentials for" in host.sh("slipway-ready")
    assert token not in host.sh(f"cat {REPORT}")


@pytest.mark.slow
def test_the_claims_hold_only_for_an_instance_that_is_ready(host: LabHost) -> None:
    wanted = settings(docker_firstboot_enabled=True)
    ok(apply(host, **wanted))
    held = host.verify("test_firstboot.py", **wanted)
    assert held.stdout.splitlines()[-1].startswith("4 passed in"), held.stdout
    keep(host, None)
    assert host.run("systemctl", "restart", UNIT, BOOT)[0] != 0
    assert host.verify("test_firstboot.py", **wanted).stdout.splitlines()[-1].startswith("2 failed, 2 passed")


@pytest.mark.slow
def test_two_roles_of_a_play_install_the_agent_once_and_remove_an_earlier_layout(host: LabHost) -> None:
    library = "/usr/local/lib/slipway"
    host.sh(f"mkdir -p {library}/slipway_aws; touch {library}/slipway_aws/imds.py")
    roles = [
        {"ansible.builtin.import_role": {"name": f"slipway.platform.{name}"}}
        for name in ("docker_firstboot", "host_metrics")
    ]
    wanted = settings(slipway_baking=True, docker_firstboot_enabled=True, host_metrics_provider="script")
    run = ok(host.play(*roles, variables=wanted))
    first, second = [result["changed_files"] for _, result in run.results(host.name) if "changed_files" in result]
    assert f"{library}/slipway_agent/metrics/main.py" in first
    assert sorted(second) == [
        f"/etc/{path}"
        for path in (
            "slipway/metrics.json",
            "systemd/system/slipway-metrics.service",
            "systemd/system/slipway-metrics.timer",
        )
    ]
    assert host.sh(f"ls {library}") == "slipway_agent"
    assert ok(host.play(*roles, variables=wanted)).changed(host.name) == []


@pytest.mark.slow
def test_a_boot_waits_for_a_role_that_is_attached_late(host: LabHost) -> None:
    host.sh(f"touch {FOLDER}/no-role")
    ok(apply(host, **settings(slipway_baking=True, docker_firstboot_enabled=True)))
    host.sh(f"rm -f {REPORT}; systemctl start --no-block {BOOT} {UNIT}")
    host.sh(f"timeout 60 sh -c 'until grep --quiet credentials {REPORT}; do sleep 0.1; done'")
    assert host.run("docker-credential-slipway", "check")[0] == 1
    assert host.run("slipway-ready")[0] == 2
    host.sh(f"rm {FOLDER}/no-role")
    assert "found credentials for" in host.sh("slipway-ready --wait 60")
    assert host.run("systemctl", "start", UNIT)[0] == 0
