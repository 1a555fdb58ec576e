# SPDX-License-Identifier: Apache-2.0
"""What the engine no longer needs goes at the time that was set, and nothing else does."""

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench

UNITS = "cat /etc/systemd/system/docker-prune.* 2>/dev/null || true"
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar"
# What a unit file, a shell and a template would each read as something else.
ODD = "odd=a b%n$HOME\"\\'c"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-prune")


def prune(host: LabHost, *options: str, **prune: object) -> list[str]:
    """Have the timer be as these options say, or be gone without any; return what changed."""
    return ok(host.apply("docker_engine", "--tags=docker_engine_daemon", *options, docker_engine_prune=prune)).changed(
        host.name
    )


@pytest.mark.slow
def test_the_timer_comes_is_rescheduled_and_goes(host: LabHost) -> None:
    pid = host.sh("systemctl show docker.service --property=MainPID --value")
    next_run = "systemctl show docker-prune.timer --property=NextElapseUSecRealtime --value"
    assert prune(host, "--check", "--diff", schedule="weekly")
    assert host.sh(UNITS) == ""

    assert prune(host, schedule="*-*-* 03:00")
    assert (
        host.sh("systemctl is-enabled docker-prune.timer; systemctl is-active docker-prune.timer") == "enabled\nactive"
    )
    assert " 03:" in host.sh(next_run)
    assert prune(host, schedule="*-*-* 03:00") == []
    assert prune(host, schedule="*-*-* 05:00")
    assert " 05:" in host.sh(next_run)

    host.sh("systemctl disable --now docker-prune.timer")
    assert prune(host, schedule="*-*-* 05:00"), "a timer that somebody switched off stays off"
    host.reboot()
    assert host.sh("systemctl is-active docker-prune.timer") == "active"

    pid = host.sh("systemctl show docker.service --property=MainPID --value")
    assert prune(host)
    assert host.sh(UNITS) == ""
    assert host.run("systemctl", "cat", "docker-prune.timer")[0] != 0
    assert prune(host) == []
    assert host.sh("systemctl show docker.service --property=MainPID --value") == pid, "the engine was restarted"


def test_the_service_removes_what_the_filters_say_and_keeps_the_rest(host: LabHost) -> None:
    host.sh(
        f"{LOAD}; docker create --name old slipway/hello;"
        "docker run --detach --name used --entrypoint /bin/busybox slipway/hello sleep 600"
    )
    code, printed = host.run("docker", "create", "--name", "odd", "--label", ODD, "slipway/hello")
    assert code == 0, printed
    names = "docker ps --all --format '{{.Names}}' | sort | tr '\\n' ' '"
    prune(host, schedule="weekly")
    host.sh("systemctl start docker-prune.service")
    assert host.sh(names) == "odd old used", "they are younger than a week"
    prune(host, schedule="weekly", filters=[f"label!={ODD}"])
    host.sh("systemctl start docker-prune.service")
    assert host.sh(names) == "odd used"
    prune(host, schedule="weekly", filters=[f"label={ODD}"])
    host.sh("systemctl start docker-prune.service")
    assert host.sh(names) == "used"


def test_an_image_that_nobody_uses_goes_only_with_all(host: LabHost) -> None:
    host.sh(LOAD + "; docker rm --force $(docker ps --all --quiet) || true")
    host.sh("printf 'FROM scratch\\nLABEL unused=yes' | docker build --quiet --tag unused - ")
    prune(host, schedule="weekly", filters=["label=unused"])
    host.sh("systemctl start docker-prune.service; docker image inspect unused")
    prune(host, schedule="weekly", filters=["label=unused"], all=True)
    host.sh("systemctl start docker-prune.service; docker image inspect slipway/hello")
    assert host.run("docker", "image", "inspect", "unused")[0] != 0


def test_a_stopped_engine_is_not_started_to_be_pruned(host: LabHost) -> None:
    prune(host, schedule="weekly")
    host.sh("systemctl stop docker.socket docker.service")
    assert host.run("systemctl", "start", "docker-prune.service")[0] != 0
    assert host.run("systemctl", "is-active", "docker.service")[0] != 0
    host.sh("systemctl start docker.service")


FAILS_AT_NIGHT: dict[str, tuple[dict[str, object], str]] = {
    "no calendar expression": ({"schedule": "Mon foo"}, "is not a systemd calendar expression"),
    "no schedule": ({"filters": ["until=24h"]}, "schedule is missing"),
    "days": ({"schedule": "weekly", "filters": ["until=7d"]}, "use one such as until=168h"),
    "unknown filter": ({"schedule": "weekly", "filters": ["dangling=true"]}, "not supported by docker system prune"),
    "volumes by age": (
        {"schedule": "weekly", "volumes": True},
        "docker rejects until=168h in combination with volumes",
    ),
}


@pytest.fixture(scope="module")
def refusals(host: LabHost) -> dict[str, str]:
    """Why the role refuses each of them; the units are as they were."""
    before = host.sh(UNITS)
    said = host.refusals(
        "docker_engine", {case: {"docker_engine_prune": options} for case, (options, _) in FAILS_AT_NIGHT.items()}
    )
    assert host.sh(UNITS) == before
    return said


@pytest.mark.parametrize("case", FAILS_AT_NIGHT)
def test_what_would_fail_at_night_is_refused_by_day(refusals: dict[str, str], case: str) -> None:
    """Fault: a prune schedule or filter that would fail when the timer runs. Outcome: refused when it is set; nothing
    changes.
    """
    assert FAILS_AT_NIGHT[case][1] in refusals[case]
    assert "othing was changed" in refusals[case]


@pytest.mark.slow
def test_units_of_somebody_else_are_neither_replaced_nor_removed(host: LabHost) -> None:
    prune(host)
    host.sh("printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/docker-prune.service")
    assert prune(host) == []
    run = host.apply("docker_engine", docker_engine_prune={"schedule": "weekly"})
    assert "docker-prune.service was not written by this collection" in run.failure(host.name)
    assert "/bin/true" in host.sh(UNITS)
    host.sh("rm /etc/systemd/system/docker-prune.service")
