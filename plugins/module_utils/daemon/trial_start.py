# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Validation of a daemon.json by a trial start of the installed dockerd, next to the running engine.

The trial daemon has its own mount, network and process namespaces, data, sockets and containerd. It shares the kernel
and the file system of the data root, because those are what a configuration fails on. dockerd --validate is no
substitute: engines before 23.0 lack it, and it detects only half of what prevents a start.
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

from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root, engine_api
from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.host.files import nearest_existing_parent, read_text

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
Outcome = collections.namedtuple("Outcome", "verdict reason log")

POLL_SECONDS = 0.03
LOG_LINES = 20
TRUST_KEY = "/etc/docker/key.json"
# Flags of the unit in whose place the trial daemon has its own; the last one would win.
REPLACED_FLAGS = ("--config-file", "--containerd", "--data-root", "--exec-root", "--graph", "--pidfile", "-g", "-p")
# Options that are replaced by the trial daemon's own flags, or meaningless with socket activation.
REPLACED = ("data-root", "graph", "exec-root", "pidfile", "hosts", "deprecated-key-path")
BRIDGE_OPTIONS = ("bridge", "fixed-cidr", "fixed-cidr-v6", "default-gateway", "default-gateway-v6")
LOCAL_ADDRESSES = ("127.", "0.0.0.0:", "localhost:", "[::1]:", "[::]:", ":")

# A separate containerd, started before dockerd, because dockerd 23 and later waits a full second after a failed
# connection. Plugins that use paths outside the temporary directories are disabled.
CONTAINERD_CONFIG = """version = 2
root = "{data}/containerd"
state = "{run}/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
address = "{run}/containerd.sock"
"""
START_LOOPBACK = "ip link set lo up; "
# A new network namespace does not inherit this, and dockerd's nftables rules need it.
IPV6_FORWARDING = ("/proc/sys/net/ipv6/conf/all/forwarding", "/proc/sys/net/ipv6/conf/default/forwarding")
# Below a mount that is open to root alone, the remapped user cannot reach a temporary directory, which dockerd refuses.
SHOW_DATA = 'mount --bind "$1" "$2" || exit; shift 2; '
START_CONTAINERD = (
    'containerd --log-level warn --config "$1" & until test -S "$2" || ! kill -0 $!; do sleep 0.01; done; shift 2; '
)


def trial_options(options, interface_exists, managed_plugins):
    """Drop the options that need the host's network, that would change the host, or that belong to the real data root.

    interface_exists(name) tells whether the host has a network interface; managed_plugins, whether the data root has
    plugins.
    """
    dropped = set(REPLACED)
    if "unix://" not in "".join(options.get("hosts") or []):
        dropped.add("group")
    bridge = options.get("bridge")
    if bridge and bridge != "none" and interface_exists(bridge):
        dropped.update(BRIDGE_OPTIONS)
    if not str(options.get("metrics-addr", ":")).startswith(LOCAL_ADDRESSES):
        dropped.add("metrics-addr")
    if options.get("userns-remap") == "default":  # would create the user dockremap
        dropped.add("userns-remap")
    if options.get("storage-driver") == "devicemapper":  # its devices are not confined to a namespace
        dropped.update(("storage-driver", "storage-opts"))
    if managed_plugins:  # they are in the real data root
        dropped.add("authorization-plugins")
    return {key: value for key, value in options.items() if key not in dropped}


def data_directory(root):
    """A directory on the file system of the data root, for a temporary one; the root may be a symbolic link."""
    root = os.path.realpath(root)
    return root if os.path.ismount(root) else nearest_existing_parent(os.path.dirname(root))


def interface_exists(name):
    return os.path.exists(os.path.join("/sys/class/net", name))


def validate(dockerd, options, unit_flags, timeout):
    """Start a trial daemon, wait until it serves its API or exits, and clean up.

    dockerd is a path, unit_flags are those of docker.service, timeout is in seconds. Returns an Outcome.
    """
    root = data_root.from_options(options)
    if os.path.exists(root) and not os.path.isdir(root):
        return Outcome(REFUSED, f"data-root {root} is not a directory", [])
    options = trial_options(options, interface_exists, data_root.has_managed_plugins(root))
    data = tempfile.mkdtemp(prefix=".slipway-trial-", dir=data_directory(root))
    run = tempfile.mkdtemp(prefix="slipway-trial-", dir="/run")  # short: sockets allow 107 characters
    trust_key = [path for path in (TRUST_KEY, os.path.dirname(TRUST_KEY)) if not os.path.exists(path)]
    try:
        hidden = "userns-remap" in options and os.path.ismount(os.path.dirname(data))
        return run_trial(command(dockerd, options, unit_flags, data, run, timeout, hidden), run, timeout)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)
        remove_trust_key(trust_key)


def remove_trust_key(paths):
    """Remove the trust key that engines before 23.0 create at the start, because an image must not contain one."""
    for path in paths:
        if os.path.isfile(path):
            os.unlink(path)
        elif os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)


def forward_as_host():
    """Return shell commands that enable IPv6 forwarding in the namespace where the host has it."""
    return "".join(f"echo 1 >{path}; " for path in IPV6_FORWARDING if (read_text(path) or "").strip() == "1")


def command(dockerd, options, unit_flags, data, run, timeout, hidden):
    """Write the trial daemon's configuration and return its command line.

    hidden tells that the remapped user cannot reach the data directory, which is shown to the trial below run then.
    """
    config = os.path.join(run, "daemon.json")
    write(config, json.dumps(options))
    script = START_LOOPBACK + forward_as_host()
    before = []
    real = data
    if hidden:
        data = os.path.join(run, "data")
        os.mkdir(data)
        os.chmod(run, 0o711)  # its files have mode 0600
        script += SHOW_DATA
        before = [real, data]
    own = ["--config-file", config, "--data-root", data, "--exec-root", os.path.join(run, "exec")]
    own += ["--pidfile", os.path.join(run, "pid"), "--host", "unix://" + socket_path(run)]
    if any(flag.startswith("--containerd") for flag in unit_flags) and shutil.which("containerd"):
        toml, address = os.path.join(run, "containerd.toml"), os.path.join(run, "containerd.sock")
        write(toml, CONTAINERD_CONFIG.format(data=real, run=run))
        script += START_CONTAINERD
        before += [toml, address]
        own += ["--containerd", address]
    # The outer timeout ends the trial daemon even if this process is killed.
    isolate = ["timeout", "--signal=KILL", str(timeout + 5)]
    isolate += ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    shell = ["sh", "-c", script + 'exec "$@"', "sh"]
    return isolate + shell + before + [dockerd] + own + inherited_flags(unit_flags)


def inherited_flags(unit_flags):
    """The unit's flags that the trial daemon does not set itself; a value may be a word of its own."""
    kept, words = [], iter(unit_flags)
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in REPLACED_FLAGS:
            kept.append(word)
        elif not equals:
            next(words, None)
    return kept


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)


def socket_path(run):
    return os.path.join(run, "docker.sock")


def run_trial(arguments, run, timeout):
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
        ready, exited = follow(process.stdout, log, socket_path(run), time.monotonic() + timeout)
    finally:
        terminate(process, log)
    return outcome(ready, exited, log_lines(log, run), timeout)


def follow(stream, log, api, deadline):
    """Collect the log until the trial daemon is ready, exits, or times out; return (ready, exited)."""
    while time.monotonic() < deadline:
        if select.select([stream], [], [], POLL_SECONDS)[0]:
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                return False, True
            log += chunk
        # At log-level warn and above the log does not tell, but the socket does.
        if b"API listen on" in log or (os.path.exists(api) and engine_api.ping(api, POLL_SECONDS)):
            return True, False
    return False, False


def terminate(process, log):
    """Kill the trial daemon; its log ends when the last process of its namespace has exited."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    log += process.stdout.read()
    process.stdout.close()
    process.wait()


def log_lines(log, run):
    text = log.decode("utf-8", "replace").replace(os.path.join(run, "daemon.json"), "daemon.json")
    return [line for line in text.splitlines() if line.strip() and not line.endswith("module=grpc")]


def outcome(ready, exited, lines, timeout):
    if ready:
        return Outcome(ACCEPTED, "", lines[-LOG_LINES:])
    if not exited:
        last_line = " ".join(lines[-1:])
        return Outcome(UNKNOWN, f"not ready within {timeout} seconds ({last_line})", lines[-LOG_LINES:])
    if lines and lines[-1].startswith(("unshare:", "timeout:", "sh:", "mount:")):
        return Outcome(UNKNOWN, lines[-1], lines[-LOG_LINES:])
    return Outcome(REFUSED, daemon_log.reason(lines, of_daemon=True) or " ".join(lines[-1:]), lines[-LOG_LINES:])
