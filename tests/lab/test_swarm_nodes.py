# SPDX-License-Identifier: Apache-2.0
"""Three managers and two workers lose nodes, are upgraded, and restored from a backup, while services run.

The kernel here has no IPVS, which Docker's routing mesh needs. The replicas publish a port of their node instead
(mode=host), and the client does what a load balancer such as nginx does by default: it tries the next node if a
connection is refused, or ends before the first byte of an answer. A request that no node answers has failed, and so has
one whose answer is cut.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench
from tests.support.swarm_hosts import LIST, SwarmHosts

OLD, NEW = "20.10.24", "26.1.5"
# The engine that site.yml installs for a host of a swarm.
ENGINE: dict[str, Any] = {
    "docker_engine_version": "20.10",
    "docker_engine_daemon_options": {"live-restore": None, "userland-proxy": False},
}
# Ends like a server that has been told to: it answers who is connected, accepts nobody, and goes.
SERVER = (
    "mkdir -p /www; echo web >/www/index.html; httpd -f -p 80 -h /www & server=$!;"
    'trap "kill $server; sleep 1; exit 0" TERM; while :; do wait; done'
)
SERVICE = (
    "docker service create --quiet --detach --name web --replicas 3 --no-resolve-image "
    "--publish mode=host,published=8080,target=80 --stop-grace-period 10s "
    "--health-cmd 'wget -q -O /dev/null http://127.0.0.1/' --health-interval 1s --health-start-period 5s "
    f"--restart-delay 0s slipway/hello sh -c '{SERVER}'"
)
ADDRESS = "ip -4 -oneline address show eth0 | grep -oE '[0-9.]+/' | tr -d /"
RUNNING = "docker service ls --filter name=web --format '{{.Replicas}}'"
CLIENT = """
import json, os, socket, sys, time
nodes = sys.argv[1:]
answered = failed = 0
why = []
while not os.path.exists("/tmp/stop"):
    problem = "no node accepts a connection"
    for offset in range(len(nodes)):
        address = nodes[(answered + failed + offset) % len(nodes)]
        answer = b""
        try:
            connection = socket.create_connection((address, 8080), 1)
        except OSError:
            continue
        try:
            with connection:
                connection.settimeout(5)
                connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                while True:
                    part = connection.recv(1000)
                    if not part:
                        break
                    answer += part
        except OSError as error:
            if not answer:
                continue
            problem = "%s: %s" % (address, error)
            break
        if not answer:
            continue
        problem = "" if answer.endswith(b"web\\n") else "%s answered %r" % (address, answer)
        break
    if problem:
        failed += 1
        why.append(problem)
    else:
        answered += 1
    time.sleep(0.02)
with open("/tmp/result.new", "w") as file:
    json.dump({"answered": answered, "failed": failed, "why": why[:5]}, file)
os.rename("/tmp/result.new", "/tmp/result")
"""


@pytest.fixture(scope="module")
def swarm(workbench: Workbench) -> SwarmHosts:
    names = [f"test-swarm-{number}" for number in range(1, 6)]
    hosts = [workbench.make_converged(name, **ENGINE) for name in names]
    for host in hosts:
        host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    swarm = SwarmHosts(hosts[:3], hosts[3:])
    ok(swarm.apply())
    hosts[0].sh(SERVICE)
    wait_for_service(swarm)
    return swarm


@pytest.fixture(scope="module")
def client(workbench: Workbench) -> LabHost:
    return workbench.make("test-swarm-client")


@pytest.fixture
def asked(swarm: SwarmHosts, client: LabHost) -> Iterator[Any]:
    """A function that ends the client, and returns how many requests were answered and how many were not."""
    addresses = " ".join(host.sh(ADDRESS) for host in swarm.hosts)
    client.sh(f"rm --force /tmp/stop /tmp/result; cat >/tmp/client.py <<'END'\n{CLIENT}\nEND")
    client.sh(f"systemd-run --quiet --unit=client --collect python3 /tmp/client.py {addresses}")

    def end() -> dict[str, Any]:
        client.sh("touch /tmp/stop; timeout 20 sh -c 'until test -e /tmp/result; do sleep 0.1; done'")
        found: dict[str, Any] = json.loads(client.sh("cat /tmp/result"))
        return found

    yield end
    client.sh("touch /tmp/stop")


def wait_for_service(swarm: SwarmHosts) -> None:
    swarm.managers[0].sh(f"timeout 120 sh -c 'until {RUNNING} | grep -q ^3/3; do sleep 0.2; done'")


def versions(swarm: SwarmHosts) -> list[str]:
    return [host.sh("rpm --query --queryformat '%{VERSION}' docker-ce") for host in swarm.hosts]


def upgrade(swarm: SwarmHosts, *options: str) -> Any:
    engine = {"docker_engine_daemon_options": ENGINE["docker_engine_daemon_options"]}
    return swarm.playbook("upgrade.yml", *options, docker_engine_version=NEW, **engine)


@pytest.mark.slow
def test_the_first_node_that_does_not_come_back_is_the_last_one(swarm: SwarmHosts) -> None:
    """Fault: a node of a swarm is unhealthy after its upgrade. Outcome: it stays drained, no other node is touched, and
    a later run goes on from there.
    """
    first = swarm.workers[0]
    first.sh("touch /etc/docker/loose; chmod 666 /etc/docker/loose")
    run = upgrade(swarm)
    assert run.status != 0
    assert "test_only_root_can_write_the_configuration" in run.failure(first.name)
    assert versions(swarm) == [OLD, OLD, OLD, NEW, OLD]
    assert f"{first.name} Ready Drain" in swarm.nodes()
    first.sh("rm /etc/docker/loose")


@pytest.mark.slow
def test_a_swarm_is_upgraded_without_a_failed_request(swarm: SwarmHosts, asked: Any) -> None:
    """Fault: all engines of a swarm are upgraded while a service with three replicas is asked all the time. Outcome:
    each node is drained before and activated afterwards, one by one, the leader last; every request is answered.
    """
    leader = next(line.split()[0] for line in swarm.nodes() if line.endswith("Leader"))
    run = ok(upgrade(swarm))
    result = asked()
    assert result["failed"] == 0, result
    assert result["answered"] > 1000
    assert versions(swarm) == [NEW] * 5
    assert all(" Ready Active" in line for line in swarm.nodes())
    order = [
        host
        for play in run.report["plays"]
        for task in play["tasks"]
        if task["task"]["name"].endswith("Drain | Move the services to other nodes")
        for host in task["hosts"]
    ]
    assert order[-1] == leader
    assert set(order[:2]) == {host.name for host in swarm.workers}
    assert swarm.managers[0].sh(RUNNING) == "3/3"


@pytest.mark.slow
def test_a_lost_manager_comes_back_and_one_that_is_gone_is_replaced(swarm: SwarmHosts) -> None:
    """Fault: a manager is lost for good, and its host is reinstalled. Outcome: it joins again, and its old node is
    removed where that was asked for; nothing is removed while a host does not answer.
    """
    lost = swarm.managers[2]
    lost.sh("systemctl stop docker.socket docker.service; rm --recursive /var/lib/docker/swarm")
    down = f"timeout 60 sh -c 'until {LIST} | grep -q \"{lost.name} Down\"; do sleep 0.5; done'"
    swarm.managers[0].sh(down)
    run = swarm.apply(docker_swarm_lost_nodes="remove")
    assert "run docker_engine first" in run.failure(lost.name)
    assert f"{lost.name} (down)" in run.output
    assert len(swarm.nodes()) == 5
    lost.sh("systemctl start docker")
    run = ok(swarm.apply(docker_swarm_lost_nodes="remove"))
    assert len(swarm.nodes()) == 5
    assert all(" Ready Active" in line for line in swarm.nodes())
    assert swarm.changed(swarm.apply(docker_swarm_lost_nodes="remove")) == []


@pytest.mark.slow
def test_a_run_that_was_killed_while_hosts_join_is_finished_by_the_next(swarm: SwarmHosts) -> None:
    """Fault: the play is killed while hosts join. Outcome: the next run finishes what it began."""
    leaving = {host.name.replace("-", "_"): {"docker_swarm_state": "absent"} for host in swarm.workers}
    ok(swarm.apply(by_host=leaving))
    assert len(swarm.nodes()) == 3
    swarm.apply_until(lambda line: "Let the other hosts join" in line)
    ok(swarm.apply())
    assert len(swarm.nodes()) == 5
    assert swarm.changed(swarm.apply()) == []
    wait_for_service(swarm)


@pytest.mark.slow
def test_a_lost_quorum_is_never_restored_unasked_and_the_command_that_is_shown_does(swarm: SwarmHosts) -> None:
    """Fault: two of three managers are lost, and with them the quorum. Outcome: refused with the recovery command;
    after it, the next run makes managers of the others again, and services run on.
    """
    first, *others = swarm.managers
    for host in others:
        host.sh("systemctl stop docker.socket docker.service")
    first.sh("timeout 60 sh -c 'while docker node ls; do sleep 0.5; done'")
    run = swarm.apply()
    failure = run.failure(first.name)
    command = re.search(rf"run (docker swarm init --force-new-cluster --advertise-addr \S+) on {first.name}", failure)
    assert command, failure
    assert "does not have a leader" in first.run("docker", "node", "ls")[1]
    first.sh(command.group(1))
    for host in others:
        host.sh("systemctl start docker; docker swarm leave --force")
    ok(swarm.apply(docker_swarm_lost_nodes="remove"))
    assert len(swarm.nodes()) == 5
    assert sum(line.endswith(("Leader", "Reachable")) for line in swarm.nodes()) == 3
    wait_for_service(swarm)


@pytest.mark.slow
def test_a_swarm_whose_managers_are_all_lost_comes_back_from_its_backup(swarm: SwarmHosts, tmp_path: Path) -> None:
    """Fault: all managers of a swarm are lost with their disks. Outcome: the backup on the controller makes the first
    one a manager again, with services and secrets; the others join it. A backup that could not be restored is refused.
    """
    password = tmp_path / "password"
    password.write_text("correct horse")
    vault = f"--vault-password-file={password}"
    kept: dict[str, Any] = {
        "docker_swarm_autolock": True,
        "docker_swarm_unlock_key_file": str(tmp_path / "key"),
        "docker_swarm_backup_file": str(tmp_path / "backup"),
    }
    ok(swarm.apply(vault, **kept))
    refused = swarm.refusal(swarm.playbook("swarm_backup.yml", vault, **kept))
    assert "docker_swarm_autolock: false" in refused
    kept["docker_swarm_autolock"] = False
    ok(swarm.apply(vault, **kept))
    swarm.managers[0].sh("echo secret | docker secret create password -")
    run = ok(swarm.playbook("swarm_backup.yml", vault, "-vvv", **kept))
    backup = tmp_path / "backup"
    assert backup.read_text().startswith("$ANSIBLE_VAULT;")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert max(len(line) for line in run.output.splitlines()) < 20_000, "the state is in the output"
    assert all(" Ready Active" in line for line in swarm.nodes())

    engine = {**ENGINE, "docker_engine_version": versions(swarm)[0]}
    for host in swarm.managers:
        host.sh("docker swarm leave --force")
    lost = ["inactive false"] * 3
    assert swarm.states()[:3] == lost
    first = f"--limit={swarm.managers[0].name}"  # a leader's state is not what is saved
    refused = swarm.refusal(swarm.playbook("swarm_restore.yml", first, vault, **kept, **engine))
    assert "has the address" in refused
    ok(swarm.playbook("swarm_restore.yml", "--check", vault, **kept, **engine))
    assert swarm.states()[:3] == lost
    ok(swarm.playbook("swarm_restore.yml", vault, **kept, **engine))
    assert sorted(swarm.states()[:3]) == ["active true", "inactive false", "inactive false"]
    assert swarm.changed(swarm.playbook("swarm_restore.yml", vault, **kept, **engine)) == []
    ok(swarm.apply(vault, **kept, docker_swarm_lost_nodes="remove"))
    assert len(swarm.nodes()) == 5
    assert swarm.managers[0].sh("docker secret ls --format '{{.Name}}'") == "password"
    wait_for_service(swarm)


@pytest.mark.slow
def test_only_nodes_reach_the_ports_of_a_swarm(swarm: SwarmHosts) -> None:
    """Fault: a machine that is no node reaches the ports of the managers and of overlay networks. Outcome: with the
    nodes' addresses in docker_firewall_swarm_nodes its packets are dropped, and the swarm works on.
    """
    manager = swarm.managers[0]
    base = "https://download.docker.com/baseos"
    repository = f"[baseos]\\nname=BaseOS\\nbaseurl={base}\\ngpgcheck=1\\ngpgkey={base}/gpg\\n"
    for host in swarm.hosts:
        host.sh(f"printf '{repository}' >/etc/yum.repos.d/baseos.repo")
    manager.sh(
        "ip netns add street; ip link add to-street type veth peer name eth0 netns street;"
        "ip address add 10.99.9.1/24 dev to-street; ip link set to-street up;"
        "ip netns exec street ip address add 10.99.9.2/24 dev eth0; ip netns exec street ip link set eth0 up;"
        "ip netns exec street ip route add default via 10.99.9.1"
    )
    reach = f"ip netns exec street timeout 2 bash -c '</dev/tcp/{manager.sh(ADDRESS)}/{{}}'"
    ports = ("2377", "7946")
    assert [manager.run("sh", "-c", reach.format(port))[0] for port in ports] == [0, 0]
    nodes = [host.sh(ADDRESS) for host in swarm.hosts]
    run = ok(swarm.apply(role="docker_firewall", docker_firewall_swarm_nodes=nodes))
    assert all(run.changed(host.name) for host in swarm.hosts)
    assert 0 not in [manager.run("sh", "-c", reach.format(port))[0] for port in ports]
    assert swarm.changed(swarm.apply(role="docker_firewall", docker_firewall_swarm_nodes=nodes)) == []
    # A manager's connections are made anew.
    swarm.managers[1].sh("systemctl restart docker")
    back = f"{swarm.managers[1].name} Ready Active Reachable"
    manager.sh(f"timeout 90 sh -c 'until {LIST} | grep -q \"{back}\"; do sleep 0.5; done'")
    assert swarm.changed(swarm.apply()) == []
    assert manager.sh("docker network create --driver overlay --attachable probe")
    serve = "docker run --detach --network probe --name probe slipway/hello httpd -f -p 80 -h /etc"
    swarm.workers[0].sh(serve)
    address = swarm.workers[0].sh("docker inspect --format '{{.NetworkSettings.Networks.probe.IPAddress}}' probe")
    ask = f"docker run --rm --network probe slipway/hello wget -q -O - http://{address}/hosts"
    assert "localhost" in swarm.workers[1].sh(ask)
