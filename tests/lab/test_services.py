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
        "command": ["sh", "-c", "cat /run/secrets/password && echo && exec sleep 10000"],
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
        "baking": {"slipway.platform.docker_services": {"services": [changed], "baking": True}},
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


@pytest.mark.slow
def test_nothing_is_deployed_while_an_image_is_baked(story: dict[str, dict[str, Any]]) -> None:
    assert not story["baking"]["changed"]
    assert "Left to the first run on a machine made from it: shop." in story["baking"]["warnings"][0]


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


@pytest.fixture
def fresh(machine: LabHost) -> LabHost:
    """The host without any project and volume."""
    ok(services(machine, {**GONE, "remove_volumes": True}))
    return machine


def claim(host: LabHost, *projects: dict[str, Any]) -> None:
    """Check the claims of tests/verify on the host."""
    checked = host.verify("test_services.py", docker_services_list=list(projects))
    assert checked.returncode == 0, checked.stdout
    assert "4 passed" in checked.stdout


@pytest.mark.slow
def test_services_are_back_and_healthy_after_a_reboot(fresh: LabHost, digest: str) -> None:
    """Fault: the host reboots. Outcome: services are up and healthy again by their restart policies."""
    wanted = project(file(digest))
    ok(services(fresh, wanted))
    claim(fresh, wanted)
    before = containers(fresh)
    fresh.reboot()
    fresh.sh(f"timeout 60 sh -c 'until {PAGE}; do sleep 0.2; done'")
    assert containers(fresh) == before
    assert ok(services(fresh, wanted)).changed(fresh.name) == []
    claim(fresh, wanted)


def containers(host: LabHost) -> dict[str, str]:
    """Return the IDs of the running containers by service."""
    return dict(line.split() for line in host.sh(CONTAINERS).splitlines())


@pytest.mark.slow
def test_what_was_removed_or_stopped_by_hand_is_repaired(fresh: LabHost, digest: str) -> None:
    wanted = project(file(digest))
    ok(services(fresh, wanted))
    fresh.sh("docker rm --force shop-web-1; docker stop shop-reader-1")
    predicted = ok(services(fresh, wanted, options=("--check",)))
    assert "web: create" in predicted.output
    assert "reader: start (it exited with status 137)" in predicted.output
    ok(services(fresh, wanted))
    assert page(fresh) == "hello"
    assert set(containers(fresh)) == {"web", "reader"}


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_last_healthy_version_known(fresh: LabHost, digest: str) -> None:
    """Fault: a deployment is killed while it waits. Outcome: the next run does not take its version for healthy, and
    goes back to the one that was.
    """
    ok(services(fresh, project(file(digest))))
    before = containers(fresh)["web"]
    never = {"test": "false", "interval": "500ms", "retries": 1000}
    endless = project(file(digest, command=["sleep", "10000"], healthcheck=never))
    waiting = (
        f"timeout 60 sh -c 'until docker inspect shop-web-1 | grep --quiet 1000 && ! docker inspect {before}; do"
        " sleep 0.2; done' >/dev/null 2>&1; pkill -KILL --full '[A]nsiballZ_docker_services'"
    )
    ok(fresh.play({**module(endless), "async": 100, "poll": 0}, looking(waiting)))
    # To be deployed again, or to be started, as compose may have died with the module.
    assert ok(services(fresh, endless, options=("--check",))).changed(fresh.name)
    failure = services(fresh, unhealthy(digest)).failure(fresh.name)
    assert "The version before runs again." in failure
    assert page(fresh) == "hello"
    assert ok(services(fresh, project(file(digest)))).changed(fresh.name) == []
    fresh.sh("rm -r /root/.ansible/tmp/*")  # what Ansible leaves of a module that was killed


@pytest.mark.slow
def test_another_secret_reaches_the_services_that_use_it_and_nobody_else(fresh: LabHost, digest: str) -> None:
    """Fault: a run with secrets at `-vvv --diff`, failing or not. Outcome: no secret in output, journal, arguments, or
    in a file that others can read.
    """
    ok(services(fresh, project(file(digest))))
    before = containers(fresh)
    # The words of variables are in the command line of ansible-playbook, which the output starts with.
    given = fresh.inventory.with_name("secrets.yml")
    secrets = [{"name": "password", "value": "an0ther-s3cret", "uid": 65534}]
    given.write_text(yaml.safe_dump({"docker_services_list": [project(file(digest), secrets=secrets)]}))
    changed = fresh.apply("docker_services", "-vvv", "--diff", f"--extra-vars=@{given}")
    assert "reader: recreate (secrets)" in ok(changed).output
    bad = file(digest, command=["false"])
    given.write_text(yaml.safe_dump({"docker_services_list": [project(bad, secrets=secrets)]}))
    failed = fresh.apply("docker_services", "-vvv", "--diff", f"--extra-vars=@{given}")
    assert "web restarts again and again" in failed.failure(fresh.name)
    after = containers(fresh)
    assert {service for service in before if before[service] != after[service]} >= {"reader"}
    assert fresh.sh("docker logs shop-reader-1") == "an0ther-s3cret"
    assert fresh.sh(f"stat --format '%a %u' {FOLDER}/shop/secrets/password.2") == "400 65534"
    for output in (changed.output, failed.output):
        assert "s3cret" not in output
    assert "s3cret" not in fresh.journal()
    found = fresh.sh(
        "grep --recursive --files-with-matches --fixed-strings s3cret /etc /root /var/lib/slipway /tmp || true"
    )
    assert found == f"{FOLDER}/shop/secrets/password.2"


@pytest.mark.slow
def test_a_first_version_that_fails_leaves_nothing_that_runs(fresh: LabHost, digest: str) -> None:
    """Fault: the port of a new project is taken, or its first version never gets healthy. Outcome: the message has the
    reason; no container is left.
    """
    fresh.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    fresh.sh("docker run --detach --name other --publish 127.0.0.1:8080:80 slipway/hello sleep 10000")
    try:
        failure = services(fresh, project(file(digest))).failure(fresh.name)
        assert "port is already allocated" in failure
        assert "It was the first version, so that nothing of it runs now" in failure
        assert fresh.sh(CONTAINERS) == ""
    finally:
        fresh.sh("docker rm --force other")


@pytest.mark.slow
def test_check_mode_predicts_on_a_host_without_an_engine_and_a_run_says_what_to_do(fresh_host: LabHost) -> None:
    wanted = project(only(PINNED))
    assert ok(services(fresh_host, wanted, options=("--check", "--diff"))).changed(fresh_host.name)
    failure = services(fresh_host, wanted).failure(fresh_host.name)
    assert "does not answer at /run/docker.sock: run the role docker_engine first" in failure
    assert failure.endswith("Nothing was changed.")


@pytest.mark.slow
def test_a_host_without_the_plugin_is_told_how_to_get_it(machine: LabHost, digest: str) -> None:
    """Fault: the host has no docker compose. Outcome: refused with the remedy."""
    plugin = "/usr/libexec/docker/cli-plugins/docker-compose"
    machine.sh(f"mv {plugin} /root/docker-compose")
    try:
        failure = services(machine, project(file(digest))).failure(machine.name)
    finally:
        machine.sh(f"mv /root/docker-compose {plugin}")
    assert "add compose to docker_engine_plugins" in failure
    assert failure.endswith("Nothing was changed.")


@pytest.mark.slow
def test_a_tag_is_resolved_once_and_means_the_same_from_then_on(fresh: LabHost, digest: str) -> None:
    fresh.sh("docker image prune --all --force")
    compose = file(digest)
    for service in compose["services"].values():
        service["image"] = "library/hello-world:latest"
    unpinned: dict[str, Any] = {"docker_services_require_digest": False}
    predicted = ok(services(fresh, project(compose), options=("--check",), **unpinned))
    assert "its digest is found by the pull" in predicted.output
    ok(services(fresh, project(compose), **unpinned))
    image = fresh.sh("docker inspect --format '{{.Config.Image}}' shop-web-1")
    assert image.endswith(f"hello-world:latest@{digest}")
    # Whatever the tag stands for by now.
    other = f"FROM hello-world@{digest}\\nLABEL is=another\\n"
    fresh.sh(f"printf '{other}' | DOCKER_BUILDKIT=0 docker build --tag hello-world:latest -")
    assert ok(services(fresh, project(compose), **unpinned)).changed(fresh.name) == []
    claim(fresh, project(compose))


@pytest.fixture(scope="module")
def manager(workbench: Workbench) -> LabHost:
    """A swarm of one node with a login. Engines of a swarm cannot have live-restore."""
    host = workbench.make_converged("test-stack", docker_engine_daemon_options={"live-restore": False})
    login = {"username": "ci", "token": hub.credentials(workbench.lab)["ci"], "registry": hub.REGISTRY}
    ok(host.apply("docker_registry_auth", docker_registry_auth_logins=[login]))
    host.sh("docker swarm init --advertise-addr 127.0.0.1")
    return host


def stack(digest: str, **web: Any) -> dict[str, Any]:
    """Return a compose file for a stack. A one-node swarm without vxlan has no overlay network."""
    image = f"library/hello-world@{digest}"
    common = {"image": image, "stop_signal": "SIGKILL", "networks": ["hostnet"]}
    server = {
        **common,
        "command": ["sh", "-c", "echo $$GREETING >/data/index.html && exec httpd -f -p 8081 -h /data"],
        "environment": {"GREETING": "${GREETING}"},
        "volumes": ["data:/data"],
        "healthcheck": {"test": "wget -q -O /dev/null http://127.0.0.1:8081/", "interval": "500ms", "retries": 3},
        **web,
    }
    reader = {
        **common,
        "image": f"{hub.REGISTRY}/team/app@{digest}",
        "command": ["sh", "-c", "cat /run/secrets/password && echo && exec sleep 10000"],
        "secrets": ["password"],
    }
    networks = {"hostnet": {"external": True, "name": "host"}}
    return {"services": {"web": server, "reader": reader}, "volumes": {"data": {}}, "networks": networks}


@pytest.mark.slow
def test_a_stack_is_deployed_changed_rolled_back_and_removed(manager: LabHost, digest: str) -> None:
    """Fault: a service of a stack does not stay up after a change. Outcome: the message has its last lines; the version
    before runs again.
    """
    first, second = project(stack(digest)), project(stack(digest), environment={"GREETING": "goodbye"})
    address = "curl --silent --fail http://127.0.0.1:8081/"
    assert "web: create" in ok(services(manager, first, options=("--check",))).output
    ok(services(manager, first))
    assert manager.sh(address) == "hello"
    assert ok(services(manager, first)).changed(manager.name) == []
    run = ok(services(manager, second))
    assert "web: update (environment)" in run.output
    assert manager.sh(address) == "goodbye"
    claim(manager, second)
    bad = project(stack(digest, command=["sh", "-c", "echo the database is gone; exit 3"]))
    failure = services(manager, bad).failure(manager.name)
    assert "its service web" in failure
    assert "The version before runs again." in failure
    assert "the database is gone" in failure
    assert manager.sh(address) == "goodbye"
    assert ok(services(manager, second)).changed(manager.name) == []
    other = [{"name": "password", "value": "an0ther"}]
    assert "reader: update (secrets)" in ok(services(manager, {**second, "secrets": other})).output
    assert "an0ther" in manager.sh("docker service logs --raw shop_reader")
    assert ok(services(manager, GONE)).changed(manager.name)
    assert manager.sh("docker service ls --quiet; docker secret ls --quiet; docker volume ls --quiet") == "shop_data"
    assert ok(services(manager, {**GONE, "remove_volumes": True})).changed(manager.name)
    assert manager.sh("docker volume ls --quiet") == ""
    assert ok(services(manager, GONE)).changed(manager.name) == []
