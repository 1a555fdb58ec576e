# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Options of daemon.json: their names, and checks for values that dockerd accepts but that fail later."""

import difflib
import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import access_policy, daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets

# The keys that dockerd 1.13 to 29 accepts on Linux (`python -m slipway.engine_options` reads its sources). Names of
# flags that are no key ("label", "containerd-plugins-namespace") are omitted on purpose: dockerd silently ignores them.
KNOWN = frozenset(
    """
    allow-direct-routing allow-nondistributable-artifacts api-cors-header api-enable-cors authorization-plugins bip
    bip6 bridge bridge-accept-fwmark builder cdi-spec-dirs cgroup-parent cluster-advertise cluster-store
    cluster-store-opts containerd containerd-namespace cpu-rt-period cpu-rt-runtime cri-containerd data-root debug
    default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode
    default-network-opts default-runtime default-shm-size default-stop-timeout default-ulimits deprecated-key-path
    disable-legacy-registry dns dns-opts dns-search exec-opts exec-root experimental features firewall-backend
    fixed-cidr fixed-cidr-v6 graph group host-gateway-ip host-gateway-ips hosts icc init init-path insecure-registries
    ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels live-restore log-driver log-format
    log-level log-opts max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr
    min-api-version mtu network-control-plane-mtu network-diagnostic-port no-new-privileges node-generic-resources
    nri-opts oom-score-adjust pidfile proxies raw-logs registry-mirrors rootless runtimes seccomp-profile
    selinux-enabled shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr tls tlscacert tlscert
    tlskey tlsverify userland-proxy userland-proxy-path userns-remap
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


def problems(options, allow_unknown=False, open_api=False):
    """Return a list of messages about options that dockerd would reject or ignore, or that fail later."""
    options = daemon_json.normalise(options)
    found = [] if allow_unknown else unknown_options(options)
    found += access_policy.problems(options, open_api)
    for check in CHECKS:
        found += check(options)
    return [PREFIX + message for message in found]


def unknown_options(options):
    return [unknown_option(name) for name in sorted(set(options) - KNOWN)]


def unknown_option(name):
    near = difflib.get_close_matches(name.replace("_", "-").lower(), sorted(KNOWN), n=1, cutoff=0.7)
    if near:
        return f"'{name}' is not an option of dockerd: did you mean '{near[0]}'?"
    return (
        f"'{name}' is not an option of dockerd 1.13 to 29: remove it, or, if your engine supports it, "
        "set docker_engine_daemon_options_unknown: true"
    )


def log_driver(options):
    """Check log-driver: dockerd starts with an unknown driver, but containers do not."""
    driver = str(options.get("log-driver", "json-file"))
    if driver in LOG_DRIVERS or ":" in driver or "/" in driver:
        return []
    near = difflib.get_close_matches(driver, sorted(LOG_DRIVERS), n=1)
    hint = f"did you mean '{near[0]}'?" if near else "use the name of a plugin with its tag, such as loki:latest"
    return [f"log-driver '{driver}' is unknown: {hint}"]


def log_limits(options):
    """Check max-size and max-file: dockerd starts with invalid values, but containers do not."""
    limits = options.get("log-opts")
    if options.get("log-driver", "json-file") not in FILE_LOG_DRIVERS or not isinstance(limits, dict):
        return []
    found = []
    if not SIZE.match(limits.get("max-size", "10m")) and limits["max-size"] != "-1":
        found.append("log-opts max-size '{}' is not a size: use one such as 10m".format(limits["max-size"]))
    if not re.match(r"\A[1-9][0-9]*\Z", limits.get("max-file", "3")):
        found.append("log-opts max-file '{}' is not a count: use one such as 3".format(limits["max-file"]))
    return found


def registry_mirrors(options):
    return [
        "registry-mirrors '{}' has no scheme: use {}".format(address.partition("://")[2], address)
        for address in (
            url_secrets.redact_value(f"https://{mirror}")
            for mirror in as_list(options, "registry-mirrors")
            if not str(mirror).startswith(("http://", "https://"))
        )
    ]


def insecure_registries(options):
    return [
        "insecure-registries '{}' has a scheme, so it matches no registry: use {}".format(
            registry, registry.partition("://")[2].rstrip("/")
        )
        for registry in map(url_secrets.redact_value, map(str, as_list(options, "insecure-registries")))
        if "://" in registry
    ]


def runtimes(options):
    names = options.get("runtimes")
    if isinstance(names, dict) and "runc" in names:
        return ["runtimes cannot redefine runc: use another name, and set default-runtime to it"]
    return []


def hosts(options):
    """Check for a local socket, which the client, the API probe and socket activation need."""
    if "hosts" not in options or any(str(host).startswith(LOCAL_SOCKETS) for host in as_list(options, "hosts")):
        return []
    return ["hosts has no local socket, so the docker command on the host cannot connect: add fd://"]


def roots(options):
    return [
        f"{name} moves only the engine's data: use docker_engine_data_root, which moves containerd's data too"
        for name in ("data-root", "graph")
        if name in options
    ]


def as_list(options, key):
    value = options.get(key)
    return value if isinstance(value, list) else []


CHECKS = (log_driver, log_limits, registry_mirrors, insecure_registries, runtimes, hosts, roots)
