# SPDX-License-Identifier: Apache-2.0
"""A converged host is sealed: it holds no secret and no identity, and its engine is ready at the next boot."""

from typing import Any

import pytest

from slipway.lab.play import Run
from slipway.lab.workbench import LabHost, Workbench

# What the checker may read and the seal must not have touched.
LOOK = (
    "sha256sum /etc/machine-id /etc/passwd /etc/shadow /etc/docker/daemon.json /root/.netrc 2>&1 || true;"
    "ls -A --escape /etc/ssh /var/log/journal/* /tmp /home/alice/.ssh /var/lib/docker /etc/systemd/system-preset 2>&1"
    " || true;"
    "systemctl is-active docker.service docker.socket || true"
)
LAST_PRESET = "/etc/systemd/system-preset/99-default.preset"  # as EL has it: what no preset enables is disabled
SECRET = "kept-nowhere-4711"
# A container has neither of these two services. They write when they end, as those of a machine do.
RANDOM_SEED = """
[Unit]
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
ExecStop=sh -c 'echo seed > /var/lib/systemd/random-seed'
"""
AUDITD = """
[Unit]
RefuseManualStop=yes
[Service]
ExecStart=sh -c 'trap "sleep 1; echo ended >> /var/log/audit/audit.log; exit" TERM; while :; do sleep 0.1; done'
"""
WRITE_AT_THE_END = ["auditd.service", "systemd-random-seed.service", "systemd-update-utmp.service"]


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make("test-image-seal")
    converged = host.converge()
    assert converged.status == 0, converged.output
    host.sh(
        f"printf 'machine registry.internal login alice password {SECRET}' > /root/.netrc;"
        "install -d -o alice -g alice /home/alice/.ssh; echo ssh-ed25519 AAAA > /home/alice/.ssh/authorized_keys;"
        "mkdir --parents /var/log/journal; journalctl --flush; find /var/log/journal -name system.journal | grep -q .;"
        "mkdir --parents /var/log/audit;"
        f"cat > /etc/systemd/system/systemd-random-seed.service <<'END'\n{RANDOM_SEED}\nEND\n"
        f"cat > /etc/systemd/system/auditd.service <<'END'\n{AUDITD}\nEND\n"
        f"systemctl daemon-reload; systemctl start {' '.join(WRITE_AT_THE_END)};"
        "touch $(printf '/tmp/caf\\351');"
        "ssh-keygen -A; echo secret > /tmp/left-behind; echo docker login > /home/alice/.bash_history"
    )
    return host


def seal(host: LabHost, *options: str, **variables: Any) -> Run:
    """Run the role, as a playbook would."""
    role = {"name": "Seal", "ansible.builtin.include_role": {"name": "slipway.platform.image_seal"}}
    return host.play(role, options=options, variables=variables)


def violations(host: LabHost) -> list[str]:
    """Return what the checker says of the running host."""
    run = host.play({"slipway.platform.image_check": {}})
    return [line for _, result in run.results(host.name) for line in result["violations"]]


def test_nothing_goes_unless_it_is_confirmed(host: LabHost) -> None:
    before = host.sh(LOOK)
    refused = seal(host)
    assert refused.status != 0
    assert "image_seal_confirmed: true" in refused.failure(host.name)
    assert host.sh(LOOK) == before


def test_what_is_mounted_from_elsewhere_is_refused_before_anything_is_stopped(host: LabHost) -> None:
    before = host.sh(LOOK)
    host.sh("mkdir --parents /srv/aws /root/.aws; echo mine > /srv/aws/credentials; mount --bind /srv/aws /root/.aws")
    refused = seal(host, image_seal_confirmed=True)
    assert "What is mounted at /root/.aws is not in the image, and would be lost" in refused.failure(host.name)
    assert "Nothing was changed." in refused.failure(host.name)
    assert host.sh(LOOK) == before
    assert host.sh("umount /root/.aws; cat /srv/aws/credentials") == "mine"


def test_a_host_is_sealed_once_and_proven(host: LabHost) -> None:
    before = host.sh(LOOK)
    planted = violations(host)
    assert {"/root/.netrc: a password for machines", "/var/lib/docker/engine-id: the engine's identity"} <= set(planted)
    assert r"/tmp/caf\xe9: a temporary file" in planted
    foretold = seal(host, "--check", "--diff")
    assert foretold.status == 0, foretold.output
    assert foretold.changed(host.name) == ["slipway.platform.image_seal : Seal | Take what must not ship"]
    assert host.sh(LOOK) == before

    sealed = seal(host, "--diff", "-vvv", image_seal_confirmed=True)
    assert sealed.status == 0, sealed.output
    assert sealed.changed(host.name) == foretold.changed(host.name)
    assert SECRET not in sealed.output
    assert host.run("ls", "/var/lib/docker/engine-id")[0] == 2
    assert host.sh("wc --bytes < /etc/machine-id") == "0"
    assert host.run("systemctl", "is-active", "docker.service", *WRITE_AT_THE_END)[0] == 3
    assert host.sh("cat /var/log/audit/audit.log /var/log/wtmp") == ""
    again = seal(host, image_seal_confirmed=True)
    assert (again.status, again.changed(host.name)) == (0, []), "something has written again"


def test_the_engine_of_a_sealed_host_comes_back_with_a_new_identity(host: LabHost) -> None:
    host.sh(f"echo 'disable *' > {LAST_PRESET}; systemctl preset docker.service docker.socket")
    assert host.sh("systemctl is-enabled docker.service docker.socket").split() == ["enabled", "enabled"]
    host.reboot()
    host.sh("docker info >/dev/null")
    assert host.sh("cat /var/lib/docker/engine-id")
    assert host.sh("wc --bytes < /etc/machine-id") == "33"
    assert host.run("ls", "/var/lib/systemd/random-seed")[0] == 2, "it was written at the end, and all would share it"


def test_a_checker_run_says_where_and_never_what(host: LabHost) -> None:
    host.sh(f"echo 'index-url = https://alice:{SECRET}@index.internal/' > /opt/settings")
    run = host.play({"slipway.platform.image_check": {}}, options=("-vvv",))
    assert run.status != 0
    assert "/opt/settings, line 1: a password in a URL" in run.failure(host.name)
    assert SECRET not in run.output
