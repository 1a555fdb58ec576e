# SPDX-License-Identifier: Apache-2.0
"""A dry run is one (fault 12): it says what it would do, and does nothing."""

from slipway.lab.workbench import LabHost, Workbench

# What any look at a host leaves there: logs, caches, temporary files, the journal of rpm's database.
TRACES = ("/run", "/tmp", "/var/log", "/var/cache", "/var/tmp", "/root", "/var/lib/rpm", "/var/lib/systemd")


def changes(host: LabHost) -> list[str]:
    """Return the packages, and the files that differ from the host's image, as the lab's engine sees it."""
    changed = [str(change["Path"]) for change in host.container.diff() or []]
    packages = host.sh("rpm --query --all").splitlines()
    return sorted(packages + [path for path in changed if not path.startswith(TRACES)])


def test_check_mode_with_diff_on_a_fresh_host_changes_nothing(workbench: Workbench) -> None:
    host = workbench.make("test-check")
    before = changes(host)
    run = host.converge("--check", "--diff")
    assert run.status == 0, run.output
    assert changes(host) == before
    said = " ".join(run.changed(host.name))
    for step in ("write the repository", "would install", "daemon.json"):
        assert step in said


def test_check_mode_foretells_the_first_run(workbench: Workbench) -> None:
    host = workbench.make("test-foretell")
    foretold = {name.split(" | ")[0] for name in host.converge("--check").changed(host.name)}
    run = host.converge()
    assert run.status == 0, run.output
    assert foretold == {name.split(" | ")[0] for name in run.changed(host.name)}


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
