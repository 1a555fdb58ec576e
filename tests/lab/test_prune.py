# SPDX-License-Identifier: Apache-2.0
"""What the engine no longer needs goes at the time that was set, and nothing else does."""

import pytest

from slipway.lab.workbench import LabHost, Workbench

UNITS = "cat /etc/systemd/system/docker-prune.* 2>/dev/null || true"
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar"
# What a unit file, a shell and a template would each read as something else.
ODD = "odd=a b%n$HOME\"\\'c"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make("test-prune")
    assert host.converge().status == 0
    return host


def prune(host: LabHost, *options: str, **prune: object) -> list[str]:
    """Converge with options of the timer; return what changed."""
    run = host.converge(*options, docker_engine_prune=prune)
    assert run.status == 0, run.output
    return run.changed(host.name)


def test_the_timer_comes_is_scheduled_anew_and_goes(host: LabHost) -> None:
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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": "Mon foo"}, "is not a calendar expression of systemd"),
        ({"filters": ["until=24h"]}, "schedule is missing"),
        ({"schedule": "weekly", "filters": ["until=7d"]}, "write it like until=168h"),
        ({"schedule": "weekly", "filters": ["dangling=true"]}, "unknown to docker system prune"),
        ({"schedule": "weekly", "volumes": True}, "docker refuses until=168h beside volumes"),
    ],
)
def test_what_would_fail_at_night_is_refused_by_day(host: LabHost, options: dict[str, object], words: str) -> None:
    before = host.sh(UNITS)
    run = host.converge(docker_engine_prune=options)
    assert run.status != 0
    assert words in run.failure(host.name)
    assert "othing was changed" in run.failure(host.name)
    assert host.sh(UNITS) == before


def test_units_of_somebody_else_are_neither_replaced_nor_removed(host: LabHost) -> None:
    prune(host)
    host.sh("printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/docker-prune.service")
    assert prune(host) == []
    run = host.converge(docker_engine_prune={"schedule": "weekly"})
    assert "docker-prune.service was written by somebody else" in run.failure(host.name)
    assert "/bin/true" in host.sh(UNITS)
    host.sh("rm /etc/systemd/system/docker-prune.service")
