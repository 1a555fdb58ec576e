# SPDX-License-Identifier: Apache-2.0
"""Who reaches published ports: clients in network namespaces, whose packets a host forwards to its containers."""

import time
from typing import Any

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench

# An engine that publishes over IPv6, too; from 27 on, ip6tables is its default.
ENGINE = {
    "userland-proxy": False,
    "ipv6": True,
    "fixed-cidr-v6": "fd00:172:17::/64",
    "experimental": True,
    "ip6tables": True,
}
# The first packet after a boot may get lost while neighbours find each other.
SETTLED_SECONDS = 40
# A container has no IPv6 unless this runs before its engine starts.
IPV6 = """
mkdir --parents /etc/systemd/system/docker.service.d
cat >/etc/systemd/system/docker.service.d/ipv6.conf <<END
[Service]
ExecStartPre=/sbin/sysctl --quiet --write net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
END
"""
# The clients office and street, each behind an interface of its own, with a route to the containers' addresses as any
# neighbour can add one. Each has a server on port 80.
CLIENTS = """
for client in office:1 street:2; do
    name=${client%:*} number=${client#*:}
    ip netns add $name
    ip link add to-$name type veth peer name eth0 netns $name
    ip address add 10.99.$number.1/24 dev to-$name
    ip address add fd99:$number::1/64 dev to-$name nodad
    ip link set to-$name up
    inside="ip netns exec $name"
    $inside ip link set lo up
    $inside ip link set eth0 up
    $inside ip address add 10.99.$number.2/24 dev eth0
    $inside ip address add fd99:$number::2/64 dev eth0 nodad
    $inside ip route add default via 10.99.$number.1
    $inside ip -6 route add default via fd99:$number::1
    systemd-run --quiet --property=NetworkNamespacePath=/run/netns/$name --working-directory=/srv \
        python3 -m http.server --bind :: 80
done
"""
SERVERS = """
docker load --quiet --input /usr/share/slipway/hello.tar
docker run --detach --restart always --name web --publish 8080:80 --publish 8081:80 --publish 53:53/udp slipway/hello \
    sh -c 'mkdir -p /www; echo web >/www/index.html; exec httpd -f -p 80 -h /www'
docker run --detach --restart always --name other slipway/hello sleep infinity
"""
WEB = "docker inspect --format '{{.NetworkSettings.IPAddress}}' web"
# What engine 29's nftables backend does to a packet to a published port; the lab has no such engine.
NFTABLES_BACKEND = """nft -f - <<END
table ip docker-bridges {{
    chain nat-prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        fib daddr type local tcp dport 8082 dnat to {web}:80
    }}
}}
END"""
# Nothing listens on the container's port, so the answer to a packet that arrives is an ICMP error.
DATAGRAM = """
import socket, sys
client = socket.socket(type=socket.SOCK_DGRAM)
client.settimeout(1)
client.connect((sys.argv[1], 53))
client.send(b"x")
try:
    client.recv(1)
except ConnectionRefusedError:
    sys.exit(0)
"""
REACH = """
attempt() {{ label=$1; shift; ("$@" >/dev/null 2>&1 && echo "$label") & }}
for name in office street; do
    number=1; test $name = office || number=2
    get="ip netns exec $name curl --silent --globoff --max-time 2"
    for port in 8080 8081; do
        attempt "$name 4:$port" $get http://10.99.$number.1:$port/
        attempt "$name 6:$port" $get "http://[fd99:$number::1]:$port/"
    done
    attempt "$name udp" ip netns exec $name python3 -c "$DATAGRAM" 10.99.$number.1
    attempt "$name direct" $get http://{web}/
done
attempt ssh ip netns exec street timeout 2 bash -c '</dev/tcp/10.99.2.1/22'
attempt host curl --silent --max-time 2 http://10.99.1.1:8080/
attempt localhost curl --silent --max-time 2 http://localhost:8080/
attempt "out 4" timeout 3 docker exec other wget -q -O /dev/null http://10.99.2.2/
attempt "out 6" timeout 3 docker exec other wget -q -O /dev/null "http://[fd99:2::2]/"
attempt hairpin timeout 3 docker exec other wget -q -O /dev/null http://10.99.1.1:8080/
attempt container timeout 3 docker exec other wget -q -O /dev/null http://{web}/
wait
"""
# What no policy may cut.
ALWAYS = {"ssh", "host", "localhost", "out 4", "out 6", "container"}
WAYS = ("4:8080", "4:8081", "6:8080", "6:8081", "udp", "direct")
EVERYTHING = ALWAYS | {"hairpin"} | {f"{name} {way}" for name in ("office", "street") for way in WAYS}
CLOSED: dict[str, Any] = {
    "docker_firewall_policy": "closed",
    "docker_firewall_allow": [
        {"port": 8080, "sources": ["10.99.1.0/24", "fd99:1::/64"]},
        {"port": 53, "protocol": "udp", "interfaces": ["to-st*"]},
    ],
}
ALLOWED = ALWAYS | {"office 4:8080", "office 6:8080", "street udp"}
TABLE = "nft list table inet slipway_docker"
STATE = (
    "find /etc/slipway /etc/systemd /var/lib/rpm 2>&- | sort; iptables-save | grep --invert-match '^#\\|^:';"
    "ip6tables-save | grep --invert-match '^#\\|^:'"
)
RULESET = "nft --stateless list ruleset 2>&-;"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    host = workbench.make_converged("test-firewall", docker_engine_daemon_options=ENGINE)
    base = "https://download.docker.com/baseos"
    repository = f"[baseos]\nname=BaseOS\nbaseurl={base}\ngpgcheck=1\ngpgkey={base}/gpg\n"
    host.sh(f"printf '{repository}' >/etc/yum.repos.d/baseos.repo")
    host.sh(IPV6 + "systemctl enable --now ssh")
    host.reboot()
    host.sh(CLIENTS + SERVERS)
    return host


def apply(host: LabHost, *options: str, **settings: Any) -> list[str]:
    """Run the role; return the tasks that changed something."""
    return ok(host.apply("docker_firewall", *options, **settings)).changed(host.name)


def reach(host: LabHost) -> set[str]:
    """Return the connections that succeed."""
    return set(host.sh(f"DATAGRAM='{DATAGRAM}'" + REACH.format(web=host.sh(WEB))).splitlines())


def assert_reach(host: LabHost, expected: set[str]) -> None:
    """Claim that these connections succeed, within some seconds, and that no other one ever does."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while (found := reach(host)) != expected:
        assert found <= expected, f"open: {sorted(found - expected)}"
        assert time.monotonic() < deadline, f"cut: {sorted(expected - found)}"


def test_without_the_role_everyone_reaches_every_published_port(host: LabHost) -> None:
    """Without this, the other tests would prove nothing."""
    assert_reach(host, EVERYTHING)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "port": ({"docker_firewall_allow": [{"port": "8080:80"}]}, "neither a port nor a range"),
    "range": ({"docker_firewall_allow": [{"port": "8010-8000"}]}, "use 8000-8010"),
    "protocol": ({"docker_firewall_allow": [{"port": 80, "protocol": "icmp"}]}, "use tcp, udp or sctp"),
    "source": ({"docker_firewall_allow": [{"port": 1, "sources": ["example.com"]}]}, "neither an address nor"),
    "host bits": ({"docker_firewall_allow": [{"port": 1, "sources": ["10.1.2.3/8"]}]}, "use 10.0.0.0/8"),
    "interface": ({"docker_firewall_allow": [{"port": 80, "interfaces": ["eth 0"]}]}, "not the name of one"),
    "no effect": ({"docker_firewall_allow": [{"sources": ["10.0.0.0/8"]}]}, "has no effect"),
    "iptables off": (
        {"docker_firewall_policy": "closed", "docker_engine_daemon_options": {"iptables": False}},
        "iptables: false",
    ),
    "userland proxy": (
        {"docker_firewall_policy": "closed", "docker_engine_daemon_options": {"userland-proxy": True}},
        "set userland-proxy: false",
    ),
}


@pytest.fixture(scope="module")
def refusals(host: LabHost) -> dict[str, str]:
    """What docker_firewall says of each bad input; the host is as it was before them."""
    before = host.sh(STATE)
    said = host.refusals("docker_firewall", {case: settings for case, (settings, _) in REFUSED.items()})
    assert host.sh(STATE) == before
    return said


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_before_anything_is_changed(refusals: dict[str, str], case: str) -> None:
    """Fault: an invalid port, protocol, source or interface, or an engine whose packets pass the rules by. Outcome:
    refused; nothing changes.
    """
    assert REFUSED[case][1] in refusals[case]
    assert refusals[case].endswith("Nothing was changed.")
    assert len(refusals[case].split(". ")) == 2


def test_a_dry_run_shows_the_rules_on_a_host_without_nft(host: LabHost) -> None:
    before = host.sh(STATE)
    predicted = ok(host.apply("docker_firewall", "--check", "--diff", **CLOSED))
    assert predicted.changed(host.name)
    assert "ct original proto-dst 8080 accept" in predicted.output
    assert "nftables" in predicted.output
    assert host.sh(STATE) == before


def test_a_closed_policy_lets_the_allowed_in_and_cuts_only_published_ports(host: LabHost) -> None:
    """Fault: a container publishes a port to everyone. Outcome: only allowed clients reach it, over IPv4 and IPv6."""
    ok(host.converge(docker_engine_daemon_options=ENGINE, **CLOSED))
    assert_reach(host, ALLOWED)
    assert apply(host, **CLOSED) == []
    assert apply(host, "--check", **CLOSED) == []

    claims = host.verify("test_firewall.py", **CLOSED)
    assert claims.returncode == 0, claims.stdout
    assert "skipped" not in claims.stdout


def test_a_change_is_shown_first_and_cuts_connections_that_are_open(host: LabHost) -> None:
    """Fault: a client that is not allowed any more keeps its connection open. Outcome: its packets are dropped."""
    host.sh(
        """rm --force /tmp/go /tmp/answer; cat >/tmp/client.py <<'END'
import os, socket, time
client = socket.create_connection(("10.99.1.1", 8080), timeout=2)
open("/tmp/connected", "w").close()
while not os.path.exists("/tmp/go"):
    time.sleep(0.05)
client.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
try:
    answer = client.recv(4)
except socket.timeout:
    answer = b"none"
open("/tmp/answer.new", "wb").write(answer)
os.rename("/tmp/answer.new", "/tmp/answer")
END
systemd-run --quiet --property=NetworkNamespacePath=/run/netns/office python3 /tmp/client.py
timeout 5 sh -c 'until test -e /tmp/connected; do sleep 0.05; done'"""
    )
    narrowed = {**CLOSED, "docker_firewall_allow": [{"port": 8080, "sources": ["10.99.1.77", "fd99:1::/64"]}]}
    before = host.sh(TABLE)
    predicted = ok(host.apply("docker_firewall", "--check", "--diff", **narrowed))
    assert "10.99.1.77" in predicted.output
    assert "10.99.1.0/24" in predicted.output
    assert host.sh(TABLE).count("10.99.1.0/24") == before.count("10.99.1.0/24") == 1

    assert apply(host, **narrowed)
    host.sh("touch /tmp/go; timeout 5 sh -c 'until test -e /tmp/answer; do sleep 0.05; done'")
    assert host.sh("cat /tmp/answer") == "none"
    assert_reach(host, ALWAYS | {"office 6:8080"})


@pytest.mark.slow
def test_rules_that_somebody_changed_by_hand_are_restored(host: LabHost) -> None:
    """Fault: `nft flush ruleset`, or a rule by hand. Outcome: the next run restores the rules."""
    apply(host, **CLOSED)
    for command in ("nft delete table inet slipway_docker", "nft insert rule inet slipway_docker published accept"):
        host.sh(command)
        assert "street 4:8081" in reach(host)
        assert apply(host, **CLOSED)
        assert_reach(host, ALLOWED)


@pytest.mark.slow
def test_the_rules_are_back_after_a_restart_of_the_engine_a_reboot_and_a_reload_of_firewalld(host: LabHost) -> None:
    """Fault: the engine restarts, the host reboots, firewalld is reloaded. Outcome: the rules stay in force."""
    apply(host, **CLOSED)
    host.sh("systemctl reset-failed; systemctl restart docker")
    assert_reach(host, ALLOWED)

    # Their init processes ignore SIGTERM, so that the end of the host would wait for them.
    host.sh("systemctl enable firewalld; docker stop --time 0 web other")
    host.reboot()
    host.sh(CLIENTS)
    assert host.sh("systemctl is-active firewalld docker slipway-docker-firewall").split() == ["active"] * 3
    assert_reach(host, ALLOWED)
    host.sh("firewall-cmd --reload")
    assert_reach(host, ALLOWED)
    assert apply(host, **CLOSED) == []
    host.sh("systemctl disable --now firewalld; systemctl restart docker")


@pytest.mark.slow
def test_the_rules_survive_nftables_service_which_empties_the_kernel_s(host: LabHost) -> None:
    """Fault: nftables.service is restarted or reloaded, which removes all rules. Outcome: ours are loaded again."""
    # systemctl waits for the job of nftables.service, not for our unit's, which follows it.
    loaded = f"timeout 10 sh -c 'until {TABLE}; do sleep 0.05; done'"
    apply(host, **CLOSED)
    # Its first start leaves neither the engine's rules nor ours; the engine's next start brings both back.
    for event in ("start nftables", "restart nftables", "reload nftables"):
        host.sh(f"systemctl {event}; systemctl reset-failed; systemctl restart docker")
        assert_reach(host, ALLOWED)
        host.sh(TABLE)
    host.sh("systemctl restart nftables")
    host.sh(loaded)
    host.sh("systemctl reload nftables")
    host.sh(loaded)
    host.sh("systemctl stop nftables; systemctl reset-failed; systemctl restart docker")


@pytest.mark.slow
def test_an_engine_that_is_stopped_leaves_its_containers_behind_the_rules(host: LabHost) -> None:
    """Fault: the engine is stopped, and live-restore keeps its containers. Outcome: the rules stay in force."""
    apply(host, **CLOSED)
    host.sh("systemctl stop docker.socket docker.service")
    host.sh(TABLE)
    host.sh("systemctl start docker")
    assert_reach(host, ALLOWED)


@pytest.mark.slow
def test_ports_that_rules_of_nftables_publish_are_judged_alike(host: LabHost) -> None:
    apply(host, docker_firewall_state="absent")
    host.sh(NFTABLES_BACKEND.format(web=host.sh(WEB)))
    get = "ip netns exec {} curl --silent --max-time 2 http://10.99.{}.1:8082/"
    try:
        for client in (("office", 1), ("street", 2)):
            host.sh(get.format(*client))
        allow = [{"port": "8082-8083", "sources": ["10.99.1.2"]}]
        apply(host, docker_firewall_policy="closed", docker_firewall_allow=allow)
        host.sh(get.format("office", 1))
        assert host.run("sh", "-c", get.format("street", 2))[0] == 28  # timed out
    finally:
        host.sh("nft delete table ip docker-bridges")


@pytest.mark.slow
def test_an_open_policy_restricts_the_listed_ports_only(host: LabHost) -> None:
    apply(host, docker_firewall_allow=[{"port": 8080, "sources": ["10.99.1.0/24"]}])
    assert_reach(host, EVERYTHING - {"hairpin", "office 6:8080", "street 4:8080", "street 6:8080"})


@pytest.mark.slow
def test_removal_leaves_the_host_as_it_was(host: LabHost) -> None:
    apply(host, docker_firewall_state="absent")
    before = host.sh(RULESET + STATE)
    for removal in ({"docker_firewall_state": "absent"}, {}, {"docker_engine_state": "absent", **CLOSED}):
        assert apply(host, **CLOSED)
        assert apply(host, "--check", **removal)
        assert "slipway_docker" in host.sh(TABLE)
        assert apply(host, **removal)
        assert host.sh(RULESET + STATE) == before
        assert apply(host, **removal) == []
    assert_reach(host, EVERYTHING)


@pytest.mark.slow
def test_an_image_gets_file_and_unit_for_the_first_boot_of_an_instance(host: LabHost) -> None:
    baking = {"slipway_baking": True, **CLOSED}
    assert apply(host, **baking)
    assert apply(host, **baking) == []
    assert host.run("sh", "-c", TABLE)[0] != 0
    assert host.sh("systemctl is-enabled slipway-docker-firewall") == "enabled"
    host.sh("systemctl daemon-reload; systemctl start slipway-docker-firewall")
    assert_reach(host, ALLOWED)
    apply(host, docker_firewall_state="absent")
