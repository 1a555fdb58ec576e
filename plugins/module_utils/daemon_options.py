# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows the options of dockerd's daemon.json: their names, and values that it accepts and then regrets."""

import difflib
import json
import re

# The keys that dockerd 1.13 to 29 accepts on Linux. Singular flag names ("label", "dns-opt") are missing on purpose:
# the daemon takes them without a word and ignores them.
KNOWN = frozenset(
    """
    allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugins bip bip6 bridge
    bridge-accept-fwmark builder cdi-spec-dirs cgroup-parent cluster-advertise cluster-store cluster-store-opts
    containerd containerd-namespace containerd-plugins-namespace cpu-rt-period cpu-rt-runtime cri-containerd data-root
    debug default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode
    default-network-opts default-runtime default-shm-size default-ulimits deprecated-key-path disable-legacy-registry
    dns dns-opts dns-search exec-opts exec-root experimental features firewall-backend fixed-cidr fixed-cidr-v6 graph
    group host-gateway-ip host-gateway-ips hosts icc init init-path insecure-registries ip ip-forward
    ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels live-restore log-driver log-format log-level log-opts
    max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr min-api-version mtu
    network-control-plane-mtu network-diagnostic-port no-new-privileges node-generic-resources oom-score-adjust
    pidfile proxies raw-logs registry-mirrors rootless runtimes seccomp-profile selinux-enabled shutdown-timeout
    storage-driver storage-opts swarm-default-advertise-addr swarm-raft-election-tick swarm-raft-heartbeat-tick tls
    tlscacert tlscert tlskey tlsverify userland-proxy userland-proxy-path userns-remap
    """.split()  # noqa: SIM905  (a list of a hundred lines otherwise)
)
LOG_DRIVERS = frozenset(
    (
        "awslogs",
        "fluentd",
        "gcplogs",
        "gelf",
        "journald",
        "json-file",
        "local",
        "logentries",
        "none",
        "splunk",
        "syslog",
    )
)
FILE_LOG_DRIVERS = ("json-file", "local")
SIZE = re.compile(r"\A[1-9][0-9]*(?:\.[0-9]+)?[ ]?[kmgtp]?i?b?\Z", re.IGNORECASE)
LOCAL_SOCKETS = ("fd://", "unix://")
PREFIX = "docker_engine_daemon_options: "


def normalise(options):
    """The options as they are written: without null values, log-opts as strings, which dockerd insists on."""
    kept = {key: value for key, value in options.items() if value is not None}
    if isinstance(kept.get("log-opts"), dict):
        kept["log-opts"] = {key: as_string(value) for key, value in kept["log-opts"].items() if value is not None}
    return kept


def as_string(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(text):
    """The options in the text of a daemon.json; one that is absent or that dockerd cannot read holds none."""
    try:
        options = json.loads(text or "{}")
    except ValueError:
        return {}
    return options if isinstance(options, dict) else {}


def render(options):
    return json.dumps(options, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def problems(options, allow_unknown=False):
    """One sentence for every option that would be refused, ignored or regretted."""
    options = normalise(options)
    found = [] if allow_unknown else unknown_options(options)
    for check in CHECKS:
        found += check(options)
    return [PREFIX + sentence for sentence in found]


def unknown_options(options):
    return [unknown_option(name) for name in sorted(set(options) - KNOWN)]


def unknown_option(name):
    near = difflib.get_close_matches(name.replace("_", "-").lower(), sorted(KNOWN), n=1, cutoff=0.7)
    if near:
        return f"'{name}' is not an option of dockerd: did you mean '{near[0]}'?"
    return (
        f"'{name}' is not an option of dockerd 1.13 to 29: remove it, or, if your engine knows it, "
        "set docker_engine_daemon_options_unknown: true"
    )


def log_driver(options):
    """dockerd starts with any driver, and then no container does."""
    driver = str(options.get("log-driver", "json-file"))
    if driver in LOG_DRIVERS or ":" in driver or "/" in driver:
        return []
    near = difflib.get_close_matches(driver, sorted(LOG_DRIVERS), n=1)
    hint = f"did you mean '{near[0]}'?" if near else "name a plugin with its tag, such as loki:latest"
    return [f"log-driver '{driver}' is unknown: {hint}"]


def log_limits(options):
    """dockerd starts with any limit, and then no container does."""
    limits = options.get("log-opts")
    if options.get("log-driver", "json-file") not in FILE_LOG_DRIVERS or not isinstance(limits, dict):
        return []
    found = []
    if not SIZE.match(limits.get("max-size", "10m")) and limits["max-size"] != "-1":
        found.append("log-opts max-size '{}' is not a size: write it like 10m".format(limits["max-size"]))
    if not re.match(r"\A[1-9][0-9]*\Z", limits.get("max-file", "3")):
        found.append("log-opts max-file '{}' is not a count: write it like 3".format(limits["max-file"]))
    return found


def registry_mirrors(options):
    return [
        f"registry-mirrors '{mirror}' has no scheme: write https://{mirror}"
        for mirror in as_list(options, "registry-mirrors")
        if not str(mirror).startswith(("http://", "https://"))
    ]


def insecure_registries(options):
    return [
        "insecure-registries '{}' has a scheme, so it matches nothing: write {}".format(
            registry, str(registry).partition("://")[2].rstrip("/")
        )
        for registry in as_list(options, "insecure-registries")
        if "://" in str(registry)
    ]


def runtimes(options):
    names = options.get("runtimes")
    if isinstance(names, dict) and "runc" in names:
        return ["runtimes may not redefine runc: give the runtime another name and set default-runtime to it"]
    return []


def hosts(options):
    """Without a local socket the client, the API probe and socket activation have nothing to talk to."""
    if "hosts" not in options or any(str(host).startswith(LOCAL_SOCKETS) for host in as_list(options, "hosts")):
        return []
    return ["hosts has no local socket, so docker on the host itself would hang: add fd://"]


def roots(options):
    return [
        f"{name} moves the engine's data alone: use docker_engine_data_root, which moves containerd's data too"
        for name in ("data-root", "graph")
        if name in options
    ]


def as_list(options, key):
    value = options.get(key)
    return value if isinstance(value, list) else []


CHECKS = (log_driver, log_limits, registry_mirrors, insecure_registries, runtimes, hosts, roots)
