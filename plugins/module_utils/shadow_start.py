# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Proves a daemon.json by starting the installed dockerd with a copy of it, beside the live engine.

The shadow has its own mount, network and process namespaces, data, sockets and containerd. It shares the kernel and
the file system of the data-root, because those are what a configuration fails on. dockerd --validate is no
substitute: it is absent before 23.0 and does not see half of what stops the daemon.
"""

import collections
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from ansible_collections.slipway.platform.plugins.module_utils import daemon_log, data_root, engine_api
from ansible_collections.slipway.platform.plugins.module_utils.file_io import nearest_existing_parent

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
Outcome = collections.namedtuple("Outcome", "verdict reason log")

POLL_SECONDS = 0.03
LOG_LINES = 20
TRUST_KEY = "/etc/docker/key.json"
# Replaced by the shadow's own, or without meaning under socket activation.
REPLACED = ("data-root", "graph", "exec-root", "pidfile", "hosts", "deprecated-key-path")
ON_THE_BRIDGE = ("bridge", "fixed-cidr", "fixed-cidr-v6", "default-gateway", "default-gateway-v6")
LOCAL_ADDRESSES = ("127.", "0.0.0.0:", "localhost:", "[::1]:", "[::]:", ":")

# A containerd of our own, ready before dockerd asks for it, because dockerd 23 and later waits a full second after
# its first failed attempt. The plugins that reach outside of the temporary directories are off.
CONTAINERD_CONFIG = """version = 2
root = "{data}/containerd"
state = "{run}/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
address = "{run}/containerd.sock"
"""
LOOPBACK_UP = "ip link set lo up; "
CONTAINERD_UP = (
    'containerd --log-level warn --config "$1" & until test -S "$2" || ! kill -0 $!; do sleep 0.01; done; shift 2; '
)


def shadow_options(options, interface_exists, managed_plugins):
    """The options that the shadow can be asked about: without those that only make sense in the host's own network,
    that would change the host, or that belong to the real data-root."""
    dropped = set(REPLACED)
    if "unix://" not in "".join(options.get("hosts") or []):
        dropped.add("group")
    bridge = options.get("bridge")
    if bridge and bridge != "none" and interface_exists(bridge):
        dropped.update(ON_THE_BRIDGE)
    if not str(options.get("metrics-addr", ":")).startswith(LOCAL_ADDRESSES):
        dropped.add("metrics-addr")
    if options.get("userns-remap") == "default":  # would create the user dockremap
        dropped.add("userns-remap")
    if options.get("storage-driver") == "devicemapper":  # its devices are the kernel's, not the namespace's
        dropped.update(("storage-driver", "storage-opts"))
    if managed_plugins:  # they live in the real data-root
        dropped.add("authorization-plugins")
    return {key: value for key, value in options.items() if key not in dropped}


def data_directory(root):
    """Where a temporary data-root is on the same file system as the real one."""
    return root if os.path.ismount(root) else nearest_existing_parent(os.path.dirname(root))


def interface_exists(name):
    return os.path.exists(os.path.join("/sys/class/net", name))


def prove(dockerd, options, unit_flags, timeout):
    """Start the shadow, wait until it serves its API or gives up, and remove every trace of it."""
    root = data_root.of(options)
    if os.path.exists(root) and not os.path.isdir(root):
        return Outcome(REFUSED, f"data-root {root} is not a directory", [])
    options = shadow_options(options, interface_exists, data_root.has_managed_plugins(root))
    data = tempfile.mkdtemp(prefix=".slipway-shadow-", dir=data_directory(root))
    run = tempfile.mkdtemp(prefix="slipway-shadow-", dir="/run")  # a short path: sockets allow 107 characters
    identity = [path for path in (TRUST_KEY, os.path.dirname(TRUST_KEY)) if not os.path.exists(path)]
    try:
        return run_shadow(command(dockerd, options, unit_flags, data, run, timeout), run, timeout)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)
        forget_identity(identity)


def forget_identity(paths):
    """Engines before 23.0 create a trust key on start, which must not appear in an image."""
    for path in paths:
        if os.path.isfile(path):
            os.unlink(path)
        elif os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)


def command(dockerd, options, unit_flags, data, run, timeout):
    """Write the shadow's configuration and return its command line."""
    config = os.path.join(run, "daemon.json")
    write(config, json.dumps(options))
    script = LOOPBACK_UP
    before = []
    own = ["--config-file", config, "--data-root", data, "--exec-root", os.path.join(run, "exec")]
    own += ["--pidfile", os.path.join(run, "pid"), "--host", "unix://" + socket_path(run)]
    if any(flag.startswith("--containerd") for flag in unit_flags) and shutil.which("containerd"):
        toml, address = os.path.join(run, "containerd.toml"), os.path.join(run, "containerd.sock")
        write(toml, CONTAINERD_CONFIG.format(data=data, run=run))
        script += CONTAINERD_UP
        before = [toml, address]
        own += ["--containerd", address]
    # The outer timeout ends the shadow even when this process is killed.
    isolate = ["timeout", "--signal=KILL", str(timeout + 5)]
    isolate += ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    shell = ["sh", "-c", script + 'exec "$@"', "sh"]
    return isolate + shell + before + [dockerd] + own + foreign_flags(unit_flags)


def foreign_flags(unit_flags):
    """The unit's flags that the shadow does not set itself; daemon.json may not repeat them."""
    return [flag for flag in unit_flags if not flag.startswith(("--containerd=", "--config-file"))]


def write(path, text):
    with open(path, "w") as stream:  # the directory is ours alone, mode 0700
        stream.write(text)


def socket_path(run):
    return os.path.join(run, "docker.sock")


def run_shadow(arguments, run, timeout):
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(UNKNOWN, str(error), [])
    log = bytearray()
    try:
        ready, died = follow(process.stdout, log, socket_path(run), time.monotonic() + timeout)
    finally:
        end(process, log)
    return outcome(ready, died, readable(log, run), timeout)


def follow(stream, log, api, deadline):
    """Collect the log until the shadow is ready, has died, or is out of time."""
    while time.monotonic() < deadline:
        if select.select([stream], [], [], POLL_SECONDS)[0]:
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                return False, True
            log += chunk
        # The log is silent about it at log-level warn and above; the socket is not.
        if b"API listen on" in log or (os.path.exists(api) and engine_api.ping(api, POLL_SECONDS)):
            return True, False
    return False, False


def end(process, log):
    """Kill the shadow; its log reaches the end of file when the last process of its namespace is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    log += process.stdout.read()
    process.stdout.close()
    process.wait()


def readable(log, run):
    text = log.decode("utf-8", "replace").replace(os.path.join(run, "daemon.json"), "daemon.json")
    return [line for line in text.splitlines() if line.strip() and not line.endswith("module=grpc")]


def outcome(ready, died, lines, timeout):
    if ready:
        return Outcome(ACCEPTED, "", lines[-LOG_LINES:])
    if not died:
        last_line = " ".join(lines[-1:])
        return Outcome(REFUSED, f"it was not ready after {timeout} seconds ({last_line})", lines[-LOG_LINES:])
    if lines and lines[-1].startswith(("unshare:", "timeout:", "sh:")):
        return Outcome(UNKNOWN, lines[-1], lines[-LOG_LINES:])
    return Outcome(REFUSED, daemon_log.reason(lines) or " ".join(lines[-1:]), lines[-LOG_LINES:])
