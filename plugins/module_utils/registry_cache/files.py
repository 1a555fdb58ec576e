# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the cache's host has: the registry's configuration, the program's settings, and units."""

import json
import os

from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import paths

HEADER = "# managed by slipway.platform.registry_cache\n"
PYTHONS = ("/usr/libexec/platform-python", "/usr/bin/python3")
BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
GIGABYTE = 10**9
# With the host's network, the host's firewall applies to the cache, which sees its clients' addresses, and the metrics
# are on the host's loopback. Root in the container has no capability but that of low ports; it owns the files.
SERVICE_TEXT = """[Unit]
Description=Registry cache
Documentation=https://distribution.github.io/distribution/recipes/mirror/
Requires=docker.service
After=docker.service network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
RuntimeDirectory=slipway-registry-cache
RuntimeDirectoryMode=0700
EnvironmentFile=-{environment}
Environment=HOME=/root
ExecStartPre=-/usr/bin/docker rm --force {container} {container}-fill
ExecStartPre={program} prepare
ExecStart=/usr/bin/docker run --rm --name {container} --network host --userns host --log-driver none \\
  --read-only --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges \\
  --env SSL_CERT_FILE={runtime}/trusted.crt --env OTEL_TRACES_EXPORTER=none --env-file {environment} \\
  --volume {runtime}:{runtime}:ro,Z --volume {directory}:{storage}:Z \\
  --entrypoint /bin/registry {image} serve {runtime}/config.json
ExecStop=/usr/bin/docker stop --time 10 {container}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target docker.service
"""
CHECK_TEXT = """[Unit]
Description=Check of the registry cache: its size, its health, its certificate
# No dependency: the check restarts the cache, which would stop it.
After={service}

[Service]
Type=oneshot
EnvironmentFile=-{environment}
ExecStart={program} check
"""
TIMER_TEXT = """[Unit]
Description=Check the registry cache
PartOf={service}

[Timer]
OnActiveSec=1min
OnUnitInactiveSec=1min
AccuracySec=10s

[Install]
WantedBy={service}
"""


def configuration(params, with_client_ca):
    """Return distribution's configuration, which is JSON, and so YAML."""
    tls = {
        "certificate": os.path.join(paths.RUNTIME, "tls.crt"),
        "key": os.path.join(paths.RUNTIME, "tls.key"),
        "minimumtls": "tls1.2",
        **({"clientcas": [os.path.join(paths.RUNTIME, "clients.crt")]} if with_client_ca else {}),
    }
    read_only = params["read_only"]
    storage = {
        "filesystem": {"rootdirectory": paths.STORAGE},
        # Without it, the registry would not remove what it has held for a week. A cache of descriptors is left out: it
        # would claim to have what a clean-up has removed.
        "delete": {"enabled": not read_only},
        **({"maintenance": {"readonly": {"enabled": True}}} if read_only else {}),
    }
    debug = {
        "addr": "127.0.0.1:{}".format(params["metrics_port"]),
        "prometheus": {"enabled": True, "path": "/metrics"},
    }
    return {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": storage,
        "http": {"addr": ":{}".format(params["port"]), "tls": tls, "debug": debug},
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
        **({} if read_only else {"proxy": upstream(params)}),
    }


def upstream(params):
    proxy = {"remoteurl": params["upstream"].rstrip("/")}
    if params["username"]:
        proxy.update(username=params["username"], password=params["password"])
    return proxy


def environment(params):
    """Return the file with the proxy of the registry and of the program, for root alone; proxies hold passwords."""
    values = proxies.environment(params["proxy"])
    return HEADER + "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def program(text):
    """Return the program for this host's own interpreter."""
    python = next((path for path in PYTHONS if os.path.exists(path)), PYTHONS[-1])
    return f"#!{python} -IB\n{text}"


def wanted(params, certificate):
    """Return (path, text, mode) of all files; certificate is (ca, ca_key, cert, key), without ca_key for the user's."""
    ca, ca_key, cert, key = certificate
    settings = {
        "directory": params["directory"],
        "limit": params["limit_gb"] * GIGABYTE,
        "port": params["port"],
        "metrics_port": params["metrics_port"],
        "helper": params["helper"],
    }
    names = {
        "environment": paths.setting("environment"),
        "container": paths.CONTAINER,
        "program": paths.PROGRAM,
        "runtime": paths.RUNTIME,
        "directory": params["directory"],
        "storage": paths.STORAGE,
        "image": params["image"],
        "service": paths.SERVICE,
    }
    texts = {
        paths.SERVICE: SERVICE_TEXT,
        paths.CHECK_SERVICE: CHECK_TEXT,
        paths.CHECK_TIMER: TIMER_TEXT,
    }
    return [
        (paths.setting("config.json"), shown(configuration(params, bool(params["client_ca"]))), 0o600),
        (paths.setting("settings.json"), shown(settings), 0o644),
        (paths.setting("environment"), environment(params), 0o600),
        (paths.setting("tls.crt"), ended(cert), 0o644),
        (paths.setting("tls.key"), ended(key), 0o600),
        (paths.setting("clients.crt"), ended(params["client_ca"]) or None, 0o644),
        (paths.authority("ca.crt"), ended(ca) if ca_key else None, 0o644),
        (paths.authority("ca.key"), ended(ca_key) if ca_key else None, 0o600),
        (paths.PROGRAM, program(params["program"]), 0o755),
        *((os.path.join(unit_files.OWN, name), HEADER + text.format(**names), 0o644) for name, text in texts.items()),
    ]


def shown(value):
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def ended(text):
    """Return a text with a line break at its end, "" as it is."""
    return text if not text or text.endswith("\n") else text + "\n"


# The files that the container reads when it starts; a change of another one needs no restart.
def needs_restart(changes):
    units = [os.path.join(unit_files.OWN, name) for name in (paths.CHECK_SERVICE, paths.CHECK_TIMER)]
    return any(path not in (*units, paths.authority("ca.crt"), paths.authority("ca.key")) for path, _, _ in changes)


def is_secret(path, text):
    """Return whether a diff must not show a file."""
    return path.endswith(".key") or path == paths.setting("environment") or '"password"' in (text or "")
