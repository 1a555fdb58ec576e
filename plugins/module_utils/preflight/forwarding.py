# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check what dockerd's nftables rules need from a host: with these, dockerd does not enable forwarding itself.

Source: moby's pull request 50646, and setup_ip_forwarding.go of 29.
"""

import glob
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

IPV4 = ("net.ipv4.ip_forward",)
IPV6 = ("net.ipv6.conf.all.forwarding", "net.ipv6.conf.default.forwarding")
FILES = ("etc/sysctl.d/*.conf", "run/sysctl.d/*.conf", "usr/local/lib/sysctl.d/*.conf", "usr/lib/sysctl.d/*.conf")
SAVED = "/etc/sysctl.d/90-docker-forwarding.conf"


def needed(options):
    """Return the kernel's settings without which dockerd exits; [] with iptables."""
    nftables = options.get("firewall-backend") == "nftables" and options.get("iptables") is not False
    if not nftables or options.get("ip-forward") is False or options.get("bridge") == "none":
        return []
    return list(IPV4 + IPV6 if options.get("ipv6") else IPV4)


def problems(options, baking, root="/"):
    """Return a message if the engine would not start: on a host now, of an image once it boots."""
    missing = [key for key in needed(options) if not (is_saved(key, root) if baking else is_on(key, root))]
    if not missing:
        return []
    return [
        "firewall-backend: nftables makes dockerd exit where the system does not forward packets, and it does not set "
        "{}: check the firewall, then run {}{}, or set ip-forward: false in docker_engine_daemon_options".format(
            " and ".join(missing), save(missing), "" if baking else " && sysctl --system"
        )
    ]


def warnings(options, baking, root="/"):
    """Return a message if the engine starts now, and would not after a reboot."""
    keys = needed(options)
    if baking or not all(is_on(key, root) for key in keys):
        return []
    unsaved = [key for key in keys if not is_saved(key, root)]
    if not unsaved:
        return []
    return [
        "firewall-backend: nftables makes dockerd exit where the system does not forward packets, and no file of "
        "sysctl.d sets {}, which {} on now: run {}, lest the engine stays down after a reboot".format(
            " and ".join(unsaved), "are" if unsaved[1:] else "is", save(unsaved)
        )
    ]


def is_on(key, root):
    return (read_text(os.path.join(root, "proc/sys", key.replace(".", "/"))) or "").strip() == "1"


def is_saved(key, root):
    """Return whether a file that systemd-sysctl reads at boot sets the key."""
    assignment = re.compile(r"^\s*-?\s*{}\s*=\s*1\s*$".format(key.replace(".", "[./]")), re.MULTILINE)
    paths = [path for pattern in FILES for path in glob.glob(os.path.join(root, pattern))]
    return any(assignment.search(read_text(path) or "") for path in paths)


def save(keys):
    return "printf '{}' >{}".format("".join(key + "=1\\n" for key in keys), SAVED)
