# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Renders the systemd drop-in and the proxy environment of docker.service."""

import os
import shlex

from ansible_collections.slipway.platform.plugins.module_utils import data_root, systemd_quoting
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

# systemd's own order of precedence.
UNIT_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
HEADER = "# managed by slipway.platform.docker_daemon\n"
HOST_FLAGS = ("-H", "--host")


class DaemonConfigError(ValueError):
    """The configuration cannot be written; the text is the sentence for the user."""


def unit_text(name, directories=UNIT_DIRECTORIES):
    """The text of the unit as installed, or None."""
    texts = (read_text(os.path.join(directory, name)) for directory in directories)
    return next((text for text in texts if text), None)


def exec_start(text):
    """The unit's ExecStart command; an empty assignment resets the ones before it, as in systemd."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        key, separator, value = line.partition("=")
        if separator and key.strip() == "ExecStart":
            command = value.strip()
    if not command:
        raise DaemonConfigError("docker.service or containerd.service has no ExecStart: reinstall its package")
    return command


def vendor_command(dockerd):
    """The vendor's ExecStart; on a fresh host, the one that the package is going to bring."""
    unit = unit_text("docker.service")
    return exec_start(unit) if unit else dockerd + " -H fd:// --containerd=/run/containerd/containerd.sock"


def containerd_command():
    """The vendor's ExecStart of containerd, also before the packages are there; None beside an engine without one."""
    unit = unit_text("containerd.service")
    if unit:
        return exec_start(unit)
    return None if unit_text("docker.service") else "/usr/bin/containerd"


def refuse_second_command(drop_in, option, remedy):
    """Fail when a drop-in of somebody else sets ExecStart too: the last one wins, and one of the two is lost."""
    directory = os.path.dirname(drop_in)
    others = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    for path in (os.path.join(directory, name) for name in others):
        if path.endswith(".conf") and path != drop_in and "ExecStart=" in (read_text(path) or ""):
            raise DaemonConfigError(
                f"{path} sets ExecStart, and {option} needs that too: {remedy}, or remove that file first"
            )


def without_hosts(command):
    """The command's words without -H and --host, which daemon.json's hosts may not meet."""
    kept = []
    words = iter(shlex.split(command, posix=False))
    for word in words:
        if word in HOST_FLAGS:
            next(words, None)
        elif not word.startswith(HOST_FLAGS):
            kept.append(word)
    return kept


def shadow_flags(command):
    """The words that a daemon outside of systemd can be given: no hosts, no $VARIABLES."""
    return [word for word in without_hosts(command)[1:] if not word.startswith("$")]


def render_drop_in(command, proxy_env):
    """The drop-in's text, or None when nothing in the unit has to change; either argument may be None."""
    lines = []
    if proxy_env:
        lines.append("EnvironmentFile=" + proxy_env)
    if command:
        lines += [
            "# daemon.json names the hosts, and dockerd refuses them in two places.",
            "ExecStart=",
            "ExecStart=" + " ".join(without_hosts(command)),
        ]
    return HEADER + "[Service]\n" + "\n".join(lines) + "\n" if lines else None


def render_containerd_drop_in(command, root):
    """The drop-in's text, or None where containerd keeps its data where it does by default, or is not there."""
    if root == data_root.DEFAULT or not command:
        return None
    lines = [
        "[Unit]",
        "# Without its disk, it would begin anew in the empty mount point.",
        "RequiresMountsFor=" + root,
        "[Service]",
        "# The engine's data are at " + root + ", and containerd's go with them. --root wins over config.toml.",
        "ExecStart=",
        "ExecStart=" + command + " --root " + systemd_quoting.word(data_root.containerd_root(root)),
    ]
    return HEADER + "\n".join(lines) + "\n"


def proxy_variables(proxy):
    """The environment variables for the proxy settings that are not empty."""
    values = {
        "HTTP_PROXY": proxy.get("http"),
        "HTTPS_PROXY": proxy.get("https"),
        "NO_PROXY": ",".join(proxy.get("no_proxy") or []),
    }
    return {name: value for name, value in values.items() if value}


def render_proxy_env(proxy):
    """The text of the EnvironmentFile, or None without a proxy."""
    variables = proxy_variables(proxy)
    lines = [f"{name}={quote(value)}\n" for name, value in sorted(variables.items())]
    return HEADER + "".join(lines) if lines else None


def quote(value):
    """A double-quoted EnvironmentFile value; systemd unescapes the same four characters in it as a shell."""
    if not value.isprintable():
        raise DaemonConfigError("docker_engine_proxy holds a line break or another control character: remove it")
    for character in '\\"`$':
        value = value.replace(character, "\\" + character)
    return '"' + value + '"'
