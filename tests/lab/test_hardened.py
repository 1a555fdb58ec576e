# SPDX-License-Identifier: Apache-2.0
"""Hosts that somebody has hardened, or that are busy: another umask, a lock that nobody releases."""

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench

pytestmark = pytest.mark.slow

# What other users must be able to read: the configuration of the client, of systemd and of dnf.
READABLE = "/etc/docker /etc/systemd/system /etc/yum.repos.d /etc/pki/rpm-gpg /var/lib/slipway"
CLOSED = f"find {READABLE} ! -type l ! -name key.json ! -perm -o=r; find {READABLE} -type d ! -perm -o=x"
PYTHON = "/root/python-077"
HOLD = (
    "import fcntl, time; file = open('/var/lib/rpm/.rpm.lock', 'a'); fcntl.lockf(file, fcntl.LOCK_EX);"
    "open('/run/locked', 'w'); time.sleep(600)"
)


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host on which every module has the umask that sudo has on hardened hosts."""
    host = workbench.make("test-hardened")
    host.sh(f"printf '#!/bin/sh\\numask 077\\nexec /usr/bin/python3 \"$@\"\\n' >{PYTHON}; chmod 755 {PYTHON}")
    return host


def test_modes_do_not_depend_on_the_umask_of_sudo(host: LabHost) -> None:
    """Fault: sudo has the umask 077. Outcome: every directory and file has its mode all the same."""
    ok(host.converge(ansible_python_interpreter=PYTHON, docker_engine_prune={"schedule": "weekly"}))
    assert host.sh(CLOSED) == ""
    assert host.sh("runuser --user nobody -- rpm --query docker-ce").startswith("docker-ce-26.1")


def test_a_phase_can_be_skipped(host: LabHost) -> None:
    """Fault: `--skip-tags` of one phase. Outcome: the others run, without what the skipped one would have found out."""
    for tag in ("preflight", "repository", "packages", "daemon", "service"):
        run = ok(host.converge("--skip-tags", f"docker_engine_{tag}", docker_engine_prune={"schedule": "weekly"}))
        assert run.changed(host.name) == []


def test_a_lock_that_another_process_keeps_is_named(host: LabHost) -> None:
    """Fault: another process keeps the lock of rpm's database. Outcome: after a minute, the run fails with its PID; the
    engine runs on.
    """
    host.sh(f'nohup python3 -c "{HOLD}" >/dev/null 2>&1 & echo $! >/root/holder')
    host.sh("until test -e /run/locked; do sleep 0.1; done")
    packages = host.sh("rpm --query --all | sort")
    try:
        failure = host.converge(docker_engine_version="20.10").failure(host.name)
        assert f"rocess {host.sh('cat /root/holder')} (python3) has held the lock" in failure
        assert host.sh("rpm --query --all | sort") == packages
        assert host.sh("docker version --format '{{.Server.Version}}'").startswith("26.1")
    finally:
        host.sh("kill $(cat /root/holder)")
