# SPDX-License-Identifier: Apache-2.0
"""A dry run is one (fault 12): it says what it would do, and does nothing."""

import pytest

from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

# What any look at a host leaves there: logs, caches, temporary files, the journal of rpm's database.
TRACES = ("/run", "/tmp", "/var/log", "/var/cache", "/var/tmp", "/root", "/var/lib/rpm", "/var/lib/systemd")


def changes(host: LabHost) -> list[str]:
    """Return the packages, and the files that differ from the host's image, as the lab's engine sees it."""
    changed = [str(change["Path"]) for change in host.container.diff() or []]
    packages = host.sh("rpm --query --all").splitlines()
    return sorted(packages + [path for path in changed if not path.startswith(TRACES)])


def phases(run: Run, host: LabHost) -> set[str]:
    """Return the role and phase of each task that changed something, or would have."""
    return {name.split(" | ")[0] for name in run.changed(host.name)}


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host that is fresh until the test of the first run."""
    return workbench.make("test-check")


@pytest.fixture(scope="module")
def dry_run(host: LabHost) -> Run:
    before = changes(host)
    run = ok(host.converge("--check", "--diff"))
    assert changes(host) == before, "check mode has changed something"
    return run


def test_check_mode_with_diff_on_a_fresh_host_names_what_would_change(dry_run: Run, host: LabHost) -> None:
    """Fault: `--check --diff` on a fresh host. Outcome: predicts the run and writes nothing."""
    said = " ".join(dry_run.changed(host.name))
    for step in ("write the repository", "would install", "daemon.json"):
        assert step in said


def test_the_first_run_does_what_check_mode_predicted_and_starts_the_engine_once(dry_run: Run, host: LabHost) -> None:
    """Fault: `--check --diff` on a fresh host. Outcome: predicts the run and writes nothing."""
    assert phases(dry_run, host) == phases(ok(host.converge()), host)
    journal = host.journal("--boot", "--output=cat", "--unit=docker.service", "--unit=docker.socket")
    assert journal.count("Starting docker.service") == 1
    assert journal.count("Listening on docker.socket") == 1
    assert host.run("ls", "/etc/systemd/system/docker.socket.d")[0] != 0


def test_check_mode_on_a_converged_host_reports_no_change(converged_host: LabHost) -> None:
    run = converged_host.converge("--check", "--diff")
    assert run.status == 0, run.output
    assert run.changed(converged_host.name) == []


def test_check_mode_shows_the_difference_of_a_new_option(converged_host: LabHost) -> None:
    before = converged_host.sh("cat /etc/docker/daemon.json")
    run = converged_host.converge("--check", "--diff", docker_engine_daemon_options={"debug": True})
    assert run.status == 0, run.output
    assert '"debug": true' in run.output.replace('\\"', '"')
    assert converged_host.sh("cat /etc/docker/daemon.json") == before
