# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the files of the engine are to hold: daemon.json, drop-ins of its units, the proxy environment."""

import os
import shlex

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, data_root, foreign_flags
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd_quoting, unit_files
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets

HEADER = "# managed by slipway.platform.docker_daemon\n"
HOST_FLAGS = ("-H", "--host")


class DaemonConfigError(ValueError):
    """The configuration is invalid; the message is for the user."""


def wanted_files(params, options, command):
    """Return (path, text or None, mode) of all files, daemon.json last."""
    proxy_env = render_proxy_env(params["proxy"])
    drop_in = render_drop_in(command if "hosts" in options else None, params["proxy_env"] if proxy_env else None)
    containerd = render_containerd_drop_in(containerd_command(), data_root.from_options(options))
    return [
        (params["proxy_env"], proxy_env, 0o600),
        (params["dropin"], drop_in, 0o644),
        (params["containerd_dropin"], containerd, 0o644),
        (params["path"], daemon_json.render(options), 0o600 if parameter_secrets.holds_secret(options) else 0o644),
    ]


def exec_start(text):
    """Return the ExecStart command in the text of a unit."""
    command = foreign_flags.last_command(text)
    if not command:
        raise DaemonConfigError("docker.service or containerd.service has no ExecStart: reinstall its package")
    return command


def vendor_command(dockerd):
    """The ExecStart of docker.service, or the package's default if it is not installed yet."""
    unit = unit_files.text("docker.service")
    return exec_start(unit) if unit else dockerd + " -H fd:// --containerd=/run/containerd/containerd.sock"


def containerd_command():
    """The ExecStart of containerd.service, or the package's default; None for an engine without that unit."""
    unit = unit_files.text("containerd.service")
    if unit:
        return exec_start(unit)
    return None if unit_files.text("docker.service") else "/usr/bin/containerd"


def refuse_conflicting_drop_in(drop_in, option, remedy):
    """Raise DaemonConfigError if another drop-in sets ExecStart too, because only the last one takes effect."""
    directory = os.path.dirname(drop_in)
    others = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    for path in (os.path.join(directory, name) for name in others):
        if path.endswith(".conf") and path != drop_in and "ExecStart=" in (read_text(path) or ""):
            raise DaemonConfigError(
                f"{path} sets ExecStart, which {option} needs to override: {remedy}, or remove that file"
            )


def without_hosts(command):
    """The command's words without -H and --host, which conflict with hosts in daemon.json."""
    kept = []
    words = iter(shlex.split(command, posix=False))
    for word in words:
        if word in HOST_FLAGS:
            next(words, None)
        elif not word.startswith(HOST_FLAGS):
            kept.append(word)
    return kept


def trial_flags(command):
    """The flags that also work outside of systemd: no hosts, no $VARIABLES."""
    return [word for word in without_hosts(command)[1:] if not word.startswith("$")]


def render_drop_in(command, proxy_env):
    """Return the text of docker.service's drop-in, or None if the unit needs no change.

    command is None if ExecStart need not change, proxy_env (a path) is None without a proxy.
    """
    lines = []
    if proxy_env:
        lines.append("EnvironmentFile=" + proxy_env)
    if command:
        lines += [
            "# daemon.json sets hosts; dockerd does not start if its command line sets them too.",
            "ExecStart=",
            "ExecStart=" + " ".join(without_hosts(command)),
        ]
    return HEADER + "[Service]\n" + "\n".join(lines) + "\n" if lines else None


def render_containerd_drop_in(command, root):
    """Return the text of containerd.service's drop-in, or None with the default data root or without containerd."""
    if root == data_root.DEFAULT or not command:
        return None
    lines = [
        "[Unit]",
        "# Do not start with an empty data root if its disk is not mounted.",
        "RequiresMountsFor=" + root,
        "[Service]",
        "# Keep containerd's data below the engine's data root. --root overrides config.toml.",
        "ExecStart=",
        "ExecStart=" + command + " --root " + systemd_quoting.word(data_root.containerd_root(root)),
    ]
    return HEADER + "\n".join(lines) + "\n"


def proxy_variables(proxy):
    """Return a dict of environment variables for the proxy settings that are not empty."""
    values = {
        "HTTP_PROXY": proxy.get("http"),
        "HTTPS_PROXY": proxy.get("https"),
        "NO_PROXY": ",".join(proxy.get("no_proxy") or []),
    }
    return {name: value for name, value in values.items() if value}


def render_proxy_env(proxy):
    """Return the text of the EnvironmentFile, or None without a proxy. Raises DaemonConfigError."""
    variables = proxy_variables(proxy)
    lines = [f"{name}={quote(value)}\n" for name, value in sorted(variables.items())]
    return HEADER + "".join(lines) if lines else None


def quote(value):
    """Quote a value for an EnvironmentFile, where systemd unescapes the same four characters as a shell."""
    if not value.isprintable():
        raise DaemonConfigError("docker_engine_proxy contains a line break or another control character: remove it")
    for character in '\\"`$':
        value = value.replace(character, "\\" + character)
    return '"' + value + '"'
