# SPDX-License-Identifier: Apache-2.0
"""An instance makes itself ready at boot and reports the result. It runs a playbook only from a signed commit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from slipway.lab.play import Run, ok
from slipway.lab.status import CARRIED_IMAGE
from slipway.lab.workbench import LabHost, Workbench
from tests.support.instance import ADDRESS, FOLDER, surround
from tests.support.stand_in_aws import GROUP_FILE, LONE_GROUP, METADATA_FILE
from tests.support.stand_in_aws import INSTANCE as MEMBER

UNIT = "docker-firstboot.service"
REPORT = "/run/slipway/ready.json"
STATE = "/var/lib/slipway/firstboot"
INSTANCE = "/etc/slipway/firstboot-instance.json"
NETWORK = {"docker_firstboot_enabled": True, "docker_firstboot_wait_for": ["download.docker.com:443"]}
SITE = "file:///srv/site"
MARKER = "/etc/site-was-here"
SECRET = "kept-nowhere-4711"
BASEOS = (
    "printf '[baseos]\nname=BaseOS\nbaseurl=https://download.docker.com/baseos\n"
    "gpgcheck=1\ngpgkey=https://download.docker.com/baseos/gpg\n' >/etc/yum.repos.d/baseos.repo"
)
PLAYBOOK = "- {hosts: localhost, gather_facts: false, tasks: [%s]}"
GREETING = PLAYBOOK % f"{{ansible.builtin.copy: {{content: here, dest: {MARKER}}}}}"
FAILURE = PLAYBOOK % f"{{ansible.builtin.fail: {{msg: it had {SECRET}}}}}"
FLEET = {
    "docker_firstboot_fleet": True,
    "docker_firstboot_fleet_endpoint": ADDRESS,
    "docker_firstboot_metadata_endpoint": ADDRESS,
    "docker_firstboot_health_checks": 1,
    "docker_firstboot_wait_seconds": 5,
}
CONTAINER = "docker run --detach --name {} --stop-timeout 2 --entrypoint /bin/busybox slipway/hello sleep 600"
# Two people, each with a keyring. The image trusts one of them.
PEOPLE = """
for name in trusted stranger; do
    mkdir --mode=700 /root/$name
    gpg --homedir /root/$name --batch --quiet --passphrase '' --quick-generate-key $name@site.test ed25519 sign never
done
"""
# One branch per kind of commit. All have the same playbook except the branch failing.
BRANCHES = f"""
cd /srv && git init --quiet --initial-branch=signed site && cd site
git config user.name ops && git config user.email ops@site.test
commit() {{ git add local.yml; GNUPGHOME=/root/$1 git commit --quiet --allow-empty --message=change $2; }}
echo '{GREETING}' >local.yml; commit trusted --gpg-sign=trusted@site.test
git tag unsigned
git checkout --quiet -b unsigned signed; commit trusted
git checkout --quiet -b by-a-stranger signed; commit stranger --gpg-sign=stranger@site.test
git checkout --quiet -b failing signed; echo '{FAILURE}' >local.yml; commit trusted --gpg-sign=trusted@site.test
git checkout --quiet signed
"""


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make_converged("test-readiness")
    host.sh(BASEOS + PEOPLE)
    return host


@pytest.fixture(scope="module")
def site(host: LabHost) -> LabHost:
    """The host as baked in an image that applies a playbook, with the playbook's repository."""
    wanted = {
        "docker_firstboot_pull_url": SITE,
        "docker_firstboot_pull_trusted_keys": [host.sh("gpg --homedir /root/trusted --armor --export")],
    }
    host.sh(f"systemctl stop {UNIT} || true; systemctl reset-failed")
    host.sh("dnf --assumeyes --quiet install git" + BRANCHES)
    wanted["docker_firstboot_pull_minimum_commit"] = host.sh("git -C /srv/site rev-parse signed")
    ok(apply(host, slipway_baking=True, **NETWORK, **wanted))
    assert host.run("systemctl", "is-active", UNIT)[1] == "inactive", "a bake starts nothing"
    return host


@pytest.fixture(autouse=True)
def no_settings_of_the_instance(host: LabHost) -> None:
    host.sh(f"rm -f {INSTANCE}")


def apply(host: LabHost, *options: str, **variables: Any) -> Run:
    return host.apply("docker_firstboot", *options, **variables)


def boot(host: LabHost, **of_the_instance: Any) -> tuple[int, str]:
    """Start the unit as a first boot does, with settings of this instance; return the result of slipway-ready."""
    host.sh(f"rm -rf {STATE} {MARKER}; echo '{json.dumps(of_the_instance)}' >{INSTANCE}; chmod 644 {INSTANCE}")
    host.run("systemctl", "restart", UNIT)
    return host.run("slipway-ready")


def journal(host: LabHost) -> str:
    return host.journal("--lines=40", f"--unit={UNIT}")


def is_failed(host: LabHost) -> bool:
    return UNIT in host.sh("systemctl list-units --failed --plain --no-legend")


def test_a_running_host_is_made_ready_and_is_ready_after_a_reboot(host: LabHost) -> None:
    predicted = ok(apply(host, "--check", "--diff", **NETWORK)).changed(host.name)
    assert len(predicted) == 1 and host.run("ls", "/etc/slipway")[0] == 2
    assert len(ok(apply(host, **NETWORK)).changed(host.name)) == 2
    assert ok(apply(host, **NETWORK)).changed(host.name) == []
    host.reboot()
    status, sentence = host.run("runuser", "--login", "alice", "--command", "slipway-ready --wait 30")
    assert (status, sentence.partition(":")[0]) == (0, "ready")
    report = json.loads(host.sh(f"runuser --login alice --command 'cat {REPORT}'"))
    assert report["state"] == "ready"
    assert [step["step"] for step in report["steps"]] == ["settings", "network", "engine"]
    assert report["steps"][2]["detail"] == "version " + host.sh("docker version --format '{{.Server.Version}}'")


@pytest.mark.slow
def test_a_boot_without_a_network_fails_with_the_reason(host: LabHost) -> None:
    """Fault: a boot without a network. Outcome: not ready; the reason is in `slipway-ready`, the journal and `systemctl
    --failed`.
    """
    route = host.sh("ip route show default")
    host.sh("ip route delete default")
    try:
        run = apply(host, docker_firstboot_enabled=True, docker_firstboot_wait_seconds=1)
        assert "after 1 s, there is no default route" in run.failure(host.name)
        assert is_failed(host)
    finally:
        host.sh(f"ip route add {route}")
    status, sentence = boot(host, wait_for=["127.0.0.1:9"])
    assert status == 1
    assert "127.0.0.1:9 does not respond (Connection refused)" in sentence
    assert json.loads(host.sh(f"cat {REPORT}"))["state"] == "failed"


@pytest.mark.slow
def test_a_boot_whose_engine_does_not_respond_fails_and_the_next_one_is_ready(host: LabHost) -> None:
    """Fault: a boot whose engine does not answer. Outcome: not ready, with the reason; the next boot is."""
    ok(apply(host, **NETWORK | {"docker_firstboot_wait_seconds": 2}))
    host.sh("systemctl stop docker.service docker.socket")
    try:
        status, sentence = boot(host)
        assert status == 1
        assert "engine (after 2 s, the engine does not respond (Cannot connect" in sentence
        assert is_failed(host)
    finally:
        host.sh("systemctl start docker.socket docker.service")
    assert boot(host)[0] == 0


@pytest.mark.slow
def test_an_instance_that_is_not_yet_ready_is_reported_as_such(host: LabHost) -> None:
    ok(apply(host, **NETWORK))
    host.sh(f"systemctl stop {UNIT}")
    assert host.run("slipway-ready", "--wait", "1")[0] == 2


def test_a_signed_playbook_is_applied_once(site: LabHost) -> None:
    status, sentence = boot(site)
    assert (status, site.sh(f"cat {MARKER}")) == (0, "here"), journal(site)
    assert f"local.yml of {SITE} at {site.sh('git -C /srv/site rev-parse HEAD')}" in sentence
    assert site.sh(f"stat --format=%a {STATE}") == "700"
    site.sh(f"rm {MARKER}; systemctl restart {UNIT}")
    assert site.run("ls", MARKER)[0] == 2, "applied again"


@pytest.mark.parametrize(
    ("branch", "reason"),
    [
        ("unsigned", f"of {SITE} is not trusted, and its playbook was not run: it has no valid signature"),
        ("by-a-stranger", f"of {SITE} is not trusted, and its playbook was not run: it has no valid signature"),
        ("missing", f"{SITE} has no branch, tag or commit missing, and nothing was run"),
        ('signed" verify_commit=no', f"pull_checkout in {INSTANCE} is not a branch, a tag or a full commit ID"),
    ],
)
def test_a_playbook_without_a_trusted_signature_is_not_run(site: LabHost, branch: str, reason: str) -> None:
    """Fault: a site's playbook whose commit is unsigned or signed by a stranger. Outcome: not run and not stored; the
    instance is not ready.
    """
    status, sentence = boot(site, pull_checkout=branch)
    assert status == 1
    assert reason in sentence, journal(site)
    assert site.run("ls", MARKER)[0] == 2
    assert site.run("ls", f"{STATE}/checkout")[0] == 2
    assert is_failed(site)


@pytest.mark.slow
def test_a_failed_playbook_runs_again_and_its_output_is_only_in_the_journal(site: LabHost) -> None:
    """Fault: a site's playbook fails. Outcome: not ready; tried again at the next boot; its output is in the journal
    only.
    """
    status, sentence = boot(site, pull_checkout="failing")
    assert (status, "the playbook local.yml failed" in sentence) == (1, True), sentence
    assert SECRET not in sentence + site.sh(f"cat {REPORT}")
    assert SECRET in site.journal("--boot", f"--unit={UNIT}")
    site.sh(f"echo '{{}}' >{INSTANCE}; systemctl restart {UNIT}")
    assert site.sh(f"cat {MARKER}") == "here"


def test_a_missing_repository_is_distinguished_from_a_failed_playbook(site: LabHost) -> None:
    site.sh("mv /srv/site /srv/away")
    try:
        status, sentence = boot(site)
        assert (status, f"{SITE} cannot be fetched (" in sentence) == (1, True), sentence
    finally:
        site.sh("mv /srv/away /srv/site")


def test_an_instance_cannot_override_the_trusted_keys(site: LabHost) -> None:
    status, sentence = boot(site, pull_trusted_keys="")
    assert (status, f"{INSTANCE} may set wait_for, pull_checkout, pull_playbook only" in sentence) == (1, True)


def test_an_address_with_a_password_is_rejected_without_showing_it(host: LabHost) -> None:
    """Fault: an address of a playbook that holds a password or a token. Outcome: refused without showing it; nothing
    changes.
    """
    before = host.run("sh", "-c", "sha256sum /etc/slipway/*")
    run = apply(host, **NETWORK, docker_firstboot_pull_url=f"https://ops:{SECRET}@git.site.test/site")
    assert "contains credentials" in run.failure(host.name)
    assert "Nothing was changed" in run.failure(host.name)
    assert SECRET not in run.failure(host.name)
    assert host.run("sh", "-c", "sha256sum /etc/slipway/*") == before


@pytest.fixture
def fleet(host: LabHost) -> Iterator[LabHost]:
    """The host as an instance of a fleet that waits for it, with a stand-in for its AWS."""
    surround(host)
    put_into_group(host, "Pending:Wait", "slipway-launch")
    host.sh(f"rm -f {FOLDER}/{METADATA_FILE}")
    yield host
    host.sh("systemctl start docker.socket docker.service")
    host.sh("systemctl stop slipway-drain.service slipway-health.timer; rm -f /etc/slipway/fleet.json")


def put_into_group(host: LabHost, state: str, hook: str) -> None:
    group = {**LONE_GROUP, "members": {MEMBER: [state, "Healthy"]}, "pending": [hook]}
    host.sh(f"umask 077; cat > {FOLDER}/{GROUP_FILE} <<'END'\n{json.dumps(group)}\nEND")


def in_group(host: LabHost) -> list[str]:
    """Return the state and the health of the instance in its group."""
    found: list[str] = json.loads(host.sh(f"cat {FOLDER}/{GROUP_FILE}"))["members"][MEMBER]
    return found


@pytest.mark.slow
def test_an_instance_of_a_fleet_enters_service_when_it_is_ready_and_is_replaced_when_its_engine_dies(
    fleet: LabHost,
) -> None:
    """Fault: the engine of an instance in service dies. Outcome: the group is told, and replaces the instance."""
    ok(apply(fleet, **NETWORK | FLEET))
    assert in_group(fleet) == ["InService", "Healthy"]
    assert "completed the launch in the group" in fleet.run("slipway-ready")[1]
    for unit in ("slipway-drain.service", "slipway-health.timer"):
        assert fleet.run("systemctl", "is-active", unit)[1] == "active"
    assert ok(apply(fleet, **NETWORK | FLEET)).changed(fleet.name) == []
    fleet.sh("systemctl start slipway-health.service")
    assert in_group(fleet) == ["InService", "Healthy"]
    fleet.sh("systemctl stop docker.service docker.socket; systemctl start slipway-health.service")
    assert in_group(fleet) == ["InService", "Unhealthy"]


@pytest.mark.slow
def test_an_instance_whose_engine_does_not_start_is_abandoned(fleet: LabHost) -> None:
    """Fault: the engine of a new instance does not start. Outcome: its launch is abandoned; the group replaces it."""
    fleet.sh("systemctl stop docker.service docker.socket")
    assert "is not ready" in apply(fleet, **NETWORK | FLEET).failure(fleet.name)
    assert in_group(fleet)[0] == "Terminating:Proceed"
    assert is_failed(fleet)


@pytest.mark.slow
def test_an_instance_that_ends_stops_its_containers_in_order(fleet: LabHost) -> None:
    ok(apply(fleet, **NETWORK | FLEET))
    fleet.sh(f"docker load --quiet --input {CARRIED_IMAGE}")
    for name in ("database", "web"):
        fleet.sh(CONTAINER.format(name))
    put_into_group(fleet, "Terminating:Wait", "slipway-termination")
    end = json.dumps({"meta-data/autoscaling/target-lifecycle-state": "Terminated"})
    fleet.sh(f"echo '{end}' > {FOLDER}/{METADATA_FILE}")
    done = f"until grep --quiet Terminating:Proceed {FOLDER}/{GROUP_FILE}; do sleep 1; done"
    fleet.sh(f'timeout 90 sh -c "{done}"')
    form = "{{.State.Status}} {{.State.FinishedAt}}"
    states = fleet.sh(f"docker container inspect --format '{form}' web database").splitlines()
    fleet.sh("docker container rm --force web database")
    assert [state.split()[0] for state in states] == ["exited", "exited"]
    assert states[0] < states[1], journal(fleet)
    assert fleet.run("systemctl", "is-failed", "slipway-drain.service")[1] == "inactive"
