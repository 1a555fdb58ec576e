# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Flags of dockerd in unit files by hand, which daemon.json or a drop-in of this collection would clash with."""

import os
import shlex

from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

OWN = ("slipway.conf", "tls.conf")
SHORT = {
    "-b": "bridge",
    "-D": "debug",
    "-g": "graph",
    "-G": "group",
    "-H": "host",
    "-l": "log-level",
    "-p": "pidfile",
    "-s": "storage-driver",
}
# The packaged unit has these; hosts are for the drop-in of hosts.
PACKAGED = ("host", "containerd")
DATA_ROOT = ("data-root", "graph")
# They decide where the engine finds its data, and are refused even if daemon.json does not set them.
PLACES = (*DATA_ROOT, "config-file", "containerd-namespace", "exec-root", "storage-driver", "userns-remap")
IRREGULAR = {"add-runtime": "runtimes", "graph": "data-root", "http-proxy": "proxies", "https-proxy": "proxies"}


def last_command(text):
    """Return the command of ExecStart in the text of a unit; as in systemd, an empty assignment resets earlier ones."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        key, separator, value = line.partition("=")
        if separator and key.strip() == "ExecStart":
            command = value.strip()
    return command


def of_command(command):
    """Map the flags of dockerd in a command to their values, by their long names."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:  # an unbalanced quote
        words = command.split()[1:]
    found = {}
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        name = SHORT.get(name, name[2:] if name.startswith("--") else "")
        if name:
            following = words[position + 1 : position + 2]
            found[name] = value if equals else "".join(item for item in following if not item.startswith("-"))
    return found


def drop_ins():
    """Return the drop-ins of docker.service by hand that set ExecStart, with their flags."""
    paths = [path for path in unit_files.drop_ins("docker.service") if os.path.basename(path) not in OWN]
    commands = [(path, last_command(read_text(path) or "")) for path in paths]
    return [(path, of_command(command)) for path, command in commands if command]


def keys_of(flag):
    """Return the keys of daemon.json that may be those of a flag, most of which are plurals."""
    return {flag, flag + "s", flag[:-1] + "ies", IRREGULAR.get(flag, flag)}


def problems(options):
    """Return a message about each flag by hand that the options of daemon.json clash with, or would overlook."""
    by_hand = drop_ins()
    found = overridden("hosts in docker_engine_daemon_options", by_hand) if "hosts" in options else []
    unit = unit_files.OWN + "/docker.service"
    units = [(unit, of_command(last_command(read_text(unit) or "")))]
    commands = [*units, *by_hand]
    found += [clash(path, flag, options) for path, flags in commands for flag in sorted(flags)]
    found += [overlooked(path, flag, flags[flag]) for path, flags in commands for flag in PLACES if flag in flags]
    return [message for message in found if message]


def overridden(option, by_hand):
    """Return a message about each drop-in whose command, with its flags, a drop-in for an option would replace."""
    return [
        "{} sets ExecStart{}, which {} needs to override: set its options in docker_engine_daemon_options and remove "
        "that file, or leave {} out".format(
            path, " with " + " ".join(f"--{flag}" for flag in sorted(flags)) if flags else "", option, option
        )
        for path, flags in by_hand
    ]


def clash(path, flag, options):
    key = next(iter(sorted(keys_of(flag) & set(options))), None)
    if key is None or flag in PACKAGED or flag in PLACES:
        return None
    return (
        f"{path} starts dockerd with --{flag}, and daemon.json sets {key}, which dockerd accepts in one place only: "
        f"remove the flag from that file, or set {key}: null in docker_engine_daemon_options"
    )


def overlooked(path, flag, value):
    remedy = f"set {flag}: {value} in docker_engine_daemon_options and remove the flag from that file"
    if flag in DATA_ROOT:
        remedy = f"set docker_engine_data_root: {value} and remove the flag from that file"
    elif flag == "config-file":
        remedy = "remove the flag from that file, and set docker_engine_daemon_options as in the file that it names"
    return f"{path} starts dockerd with --{flag}, which decides where the engine finds its data: {remedy}"
