# SPDX-License-Identifier: Apache-2.0
"""Compose projects on a host: real compose, real containers, images from the lab's stand-in Docker Hub."""

from typing import Any

import pytest
import yaml

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

FOLDER = "/var/lib/slipway/services"
PASSWORD = "s3cret-pässword$x"
# What a run may change, and nothing that a running container changes by itself.
STATE = (
    f"find {FOLDER} -printf '%p %m %s %u\\n' 2>/dev/null | sort; docker ps --all --no-trunc --format "
    "'{{.ID}} {{.Names}}' | sort; docker volume ls --quiet; docker network ls --quiet --no-trunc | sort"
)
SERVE = "echo $$GREETING >/data/index.html && exec httpd -f -p 80 -h /data"


def file(digest: str, **changes: Any) -> dict[str, Any]:
    """Return a compose file with a web server, something that reads a secret, and a job."""
    image = f"library/hello-world@{digest}"
    common = {"image": image, "restart": "unless-stopped", "stop_signal": "SIGKILL"}
    web = {
        **common,
        "command": ["sh", "-c", SERVE],
        "environment": {"GREETING": "${GREETING}"},
        "ports": ["127.0.0.1:8080:80"],
        "volumes": ["data:/data"],
        "healthcheck": {"test": "wget -q -O /dev/null http://127.0.0.1/", "interval": "500ms", "retries": 3},
        "depends_on": {"job": {"condition": "service_completed_successfully"}},
        **changes,
    }
    reader = {
        **common,
        "command": ["sh", "-c", "cat /run/secrets/password && exec sleep 10000"],
        "secrets": ["password"],
    }
    job = {"image": image, "command": ["true"], "restart": "no"}
    return {"services": {"web": web, "reader": reader, "job": job}, "volumes": {"data": {}}}


def project(compose: Any, **settings: Any) -> dict[str, Any]:
    secrets = [{"name": "password", "value": PASSWORD}]
    defaults = {"name": "shop", "compose": compose, "environment": {"GREETING": "hello"}, "secrets": secrets}
    return {**defaults, "timeout": 60, **settings}


def services(host: LabHost, *projects: dict[str, Any], options: tuple[str, ...] = (), **variables: Any) -> Run:
    return host.apply("docker_services", *options, docker_services_list=list(projects), **variables)


CONTAINERS = (
    "docker ps --no-trunc --filter label=com.docker.compose.project=shop "
    "--format '{{.Label \"com.docker.compose.service\"}} {{.ID}}'"
)
PAGE = "curl --silent --fail http://127.0.0.1:8080/"


def page(host: LabHost) -> str:
    return host.sh(PAGE)


@pytest.fixture(scope="module")
def machine(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-services")


@pytest.fixture(scope="module")
def digest(machine: LabHost, workbench: Workbench) -> str:
    return hub.digest(workbench.lab)


@pytest.fixture(scope="module")
def shop(machine: LabHost, digest: str) -> str:
    """The path of the compose file on the controller."""
    path = machine.inventory.with_name("shop.yml")
    path.write_text(yaml.safe_dump(file(digest)))
    return str(path)


@pytest.fixture(scope="module")
def deployed(machine: LabHost, shop: str) -> LabHost:
    """A host with the project; a dry run has predicted it, and changed nothing."""
    before = machine.sh(STATE)
    predicted = ok(services(machine, project(shop), options=("--check", "--diff")))
    assert predicted.changed(machine.name)
    assert "web: create" in predicted.output
    assert machine.sh(STATE) == before
    assert ok(services(machine, project(shop))).changed(machine.name)
    return machine


def test_a_second_run_changes_nothing_with_one_call_of_a_module(deployed: LabHost, shop: str) -> None:
    before = deployed.sh(STATE)
    run = ok(services(deployed, project(shop)))
    assert run.changed(deployed.name) == []
    assert len(run.module_invocations(deployed.name)) == 1
    assert deployed.sh(STATE) == before
    assert page(deployed) == "hello"
    assert PASSWORD in deployed.sh("docker logs shop-reader-1")


def module(*projects: dict[str, Any], dry: bool = False) -> dict[str, Any]:
    """Return a task that calls the module; its results are those of a run that may fail."""
    task: dict[str, Any] = {"slipway.platform.docker_services": {"services": list(projects)}, "ignore_errors": True}
    return {**task, "check_mode": True, "diff": True} if dry else task


def looking(command: str) -> dict[str, Any]:
    return {"ansible.builtin.raw": f"{{% raw %}}{command}{{% endraw %}}", "ignore_errors": True}


def unhealthy(digest: str) -> dict[str, Any]:
    return project(file(digest, command=["sh", "-c", "echo the database is gone; exec sleep 10000"]))


def only(image: str, **more: Any) -> dict[str, Any]:
    return {"services": {"web": {"image": image, **more}}}


PINNED = "x@sha256:" + 64 * "0"
# What only the host can find; tests/unit/plugins/module_utils/services has the others.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt key": (
        {"services": {"web": {"imge": "x"}}},
        "the compose file is refused (services.web Additional property imge is not allowed): correct it.",
    ),
    "an unpinned image": (
        only("nginx:1.27"),
        "the image nginx:1.27 is not pinned, so two runs may deploy different content: write nginx:1.27@sha256:...",
    ),
    "a variable without a value": (only("${IMAGE}"), "the variable IMAGE is not set: add it to environment or secrets"),
    "a relative path": (
        only(PINNED, volumes=["./html:/www"]),
        "service web mounts ./html, and only the compose file gets to hosts",
    ),
}
GONE: dict[str, Any] = {"name": "shop", "state": "absent"}


@pytest.fixture(scope="module")
def story(deployed: LabHost, digest: str) -> dict[str, dict[str, Any]]:
    """What one play after another would do, in one play: most of the time of a play goes into its start."""
    changed = project(file(digest), environment={"GREETING": "goodbye"})
    steps = {
        "state": looking(STATE),
        **{case: module(project(compose)) for case, (compose, _) in REFUSED.items()},
        "state after refusals": looking(STATE),
        "containers": looking(CONTAINERS),
        "predicted": module(changed, dry=True),
        "containers after prediction": looking(CONTAINERS),
        "changed": module(changed),
        "containers after change": looking(CONTAINERS),
        "page after change": looking(PAGE),
        "unhealthy": module(unhealthy(digest)),
        "page after rollback": looking(PAGE),
        "again": module(changed),
        "removal predicted": module(GONE, dry=True),
        "page at last": looking(PAGE),
        "removed": module(GONE),
        "left": looking(f"docker ps --all --quiet; docker volume ls --quiet; ls {FOLDER}"),
        "removed again": module(GONE),
        "volumes removed": module({**GONE, "remove_volumes": True}),
        "volumes left": looking("docker volume ls --quiet"),
    }
    run = ok(deployed.play(*steps.values()))
    return dict(zip(steps, [result for _, result in run.results(deployed.name)], strict=True))


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_sentence_before_anything_is_changed(
    story: dict[str, dict[str, Any]], case: str
) -> None:
    """Fault: a misspelt key in a compose file, an unpinned image, a variable without a value, a relative path.
    Outcome: refused with the project and the service; what runs is not touched.
    """
    said = story[case]["msg"]
    assert said.startswith("docker_services_list: shop: ")
    assert REFUSED[case][1] in said
    assert said.endswith("Nothing was changed.")
    assert story["state after refusals"]["stdout"] == story["state"]["stdout"]


def test_a_change_recreates_only_the_service_that_it_is_for_as_check_mode_predicted(
    story: dict[str, dict[str, Any]],
) -> None:
    predicted = story["predicted"]["services"][0]["changes"]
    assert predicted == ["web: recreate (environment)"] == story["changed"]["services"][0]["changes"]
    before, untouched, after = (
        dict(line.split() for line in story[name]["stdout_lines"])
        for name in ("containers", "containers after prediction", "containers after change")
    )
    assert untouched == before
    assert {service for service in before if before[service] != after[service]} == {"web"}
    assert story["page after change"]["stdout"] == "goodbye\n"


def test_a_version_that_is_never_healthy_gives_way_to_the_one_before(story: dict[str, dict[str, Any]]) -> None:
    """Fault: a service of a new version never becomes healthy. Outcome: the message has the service and its last lines;
    the version before runs again.
    """
    said = story["unhealthy"]["msg"]
    assert "shop did not become healthy: its service web is unhealthy" in said
    assert "The version before runs again. Its last lines:\nthe database is gone" in said
    assert story["page after rollback"]["stdout"] == "goodbye\n"
    assert not story["again"]["changed"]


def test_a_removed_project_keeps_its_volumes_until_told_otherwise(story: dict[str, dict[str, Any]]) -> None:
    """Fault: a project is removed by mistake. Outcome: its volumes stay, unless their removal is asked for."""
    assert story["removal predicted"]["changed"]
    assert story["page at last"]["stdout"] == "goodbye\n"
    assert story["removed"]["changed"]
    assert story["left"]["stdout_lines"][0] == "shop_data"
    assert not story["removed again"]["changed"]
    assert story["volumes removed"]["changed"]
    assert story["volumes left"]["stdout"] == ""
