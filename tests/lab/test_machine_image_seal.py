# SPDX-License-Identifier: Apache-2.0
"""A converged host is sealed: it holds no secret and no identity, and its engine is ready at the next boot."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from slipway.lab.play import Run
from slipway.lab.workbench import LabHost, Workbench
from tests.support.presets import CASES, DISABLE_ALL

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
    host = workbench.make_converged("test-image-seal")
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
    role = {"name": "Seal", "ansible.builtin.include_role": {"name": "slipway.platform.machine_image_seal"}}
    return host.play(role, options=options, variables=variables)


def violations(host: LabHost) -> list[str]:
    """Return what the checker says of the running host."""
    run = host.play({"slipway.platform.machine_image_check": {}})
    return [line for _, result in run.results(host.name) for line in result["violations"]]


def test_systemd_applies_presets_as_the_checker_judges_them(fresh_host: LabHost) -> None:
    for presets, disabling in CASES:
        unit = {"usr/lib/systemd/system/docker.service": "[Install]\nWantedBy=multi-user.target\n"}
        files = {DISABLE_ALL: "disable *\n", **unit, **presets}
        planted = "".join(
            f"mkdir --parents {Path(path).parent}; printf %s {shlex.quote(text)} > {path};"
            for path, text in files.items()
        )
        enabled = fresh_host.sh(
            f"exec 2>&1; root=$(mktemp --directory --tmpdir=/run); cd $root; {planted}"
            "systemctl --root=$root enable docker.service; systemctl --root=$root preset-all --preset-mode=full;"
            "systemctl --root=$root is-enabled docker.service || true; rm --recursive $root"
        )
        assert enabled.splitlines()[-1] == ("disabled" if disabling else "enabled"), presets


def test_nothing_goes_unless_it_is_confirmed(host: LabHost) -> None:
    """Fault: a seal without a confirmation. Outcome: refused; nothing changes."""
    before = host.sh(LOOK)
    refused = seal(host)
    assert refused.status != 0
    assert "machine_image_seal_confirmed: true" in refused.failure(host.name)
    assert host.sh(LOOK) == before


def test_what_is_mounted_from_elsewhere_is_refused_before_anything_is_stopped(host: LabHost) -> None:
    """Fault: a path to delete is a mount point. Outcome: refused with the path; nothing changes."""
    before = host.sh(LOOK)
    host.sh("mkdir --parents /srv/aws /root/.aws; echo mine > /srv/aws/credentials; mount --bind /srv/aws /root/.aws")
    refused = seal(host, machine_image_seal_confirmed=True)
    assert "Sealing would delete files on mounts outside the image (/root/.aws)" in refused.failure(host.name)
    assert "Nothing was changed." in refused.failure(host.name)
    assert host.sh(LOOK) == before
    assert host.sh("umount /root/.aws; cat /srv/aws/credentials") == "mine"


@pytest.mark.slow
def test_a_host_is_sealed_once_and_proven(host: LabHost) -> None:
    before = host.sh(LOOK)
    planted = violations(host)
    assert {"/root/.netrc: stored passwords", "/var/lib/docker/engine-id: the engine's ID"} <= set(planted)
    assert r"/tmp/caf\xe9: a temporary file" in planted
    predicted = seal(host, "--check", "--diff")
    assert predicted.status == 0, predicted.output
    assert predicted.changed(host.name) == ["slipway.platform.machine_image_seal : Seal | Remove what must not ship"]
    assert host.sh(LOOK) == before

    sealed = seal(host, "--diff", "-vvv", machine_image_seal_confirmed=True)
    assert sealed.status == 0, sealed.output
    assert sealed.changed(host.name) == predicted.changed(host.name)
    assert SECRET not in sealed.output
    assert host.run("ls", "/var/lib/docker/engine-id")[0] == 2
    assert host.sh("wc --bytes < /etc/machine-id") == "0"
    assert host.run("systemctl", "is-active", "docker.service", *WRITE_AT_THE_END)[0] == 3
    assert host.sh("cat /var/log/audit/audit.log /var/log/wtmp") == ""
    again = seal(host, machine_image_seal_confirmed=True)
    assert (again.status, again.changed(host.name)) == (0, []), "something has written again"


@pytest.mark.slow
def test_the_engine_of_a_sealed_host_comes_back_with_a_new_identity(host: LabHost) -> None:
    host.sh(f"echo 'disable *' > {LAST_PRESET}; systemctl preset docker.service docker.socket")
    assert host.sh("systemctl is-enabled docker.service docker.socket").split() == ["enabled", "enabled"]
    host.reboot()
    host.sh("docker info >/dev/null")
    assert host.sh("cat /var/lib/docker/engine-id")
    assert host.sh("wc --bytes < /etc/machine-id") == "33"
    assert host.run("ls", "/var/lib/systemd/random-seed")[0] == 2, "it was written at the end, and all would share it"


@pytest.mark.slow
def test_a_checker_run_says_where_and_never_what(host: LabHost) -> None:
    host.sh(f"echo 'index-url = https://alice:{SECRET}@index.internal/' > /opt/settings")
    run = host.play({"slipway.platform.machine_image_check": {}}, options=("-vvv",))
    assert run.status != 0
    assert "/opt/settings, line 1: a password in a URL" in run.failure(host.name)
    assert SECRET not in run.output
