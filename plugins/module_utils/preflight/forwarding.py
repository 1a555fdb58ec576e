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
# Keys by which the kernel sets others, too (Documentation/networking/ip-sysctl.rst).
IMPLIED = {
    "net.ipv4.conf.all.forwarding": ("net.ipv4.ip_forward",),
    "net.ipv6.conf.all.forwarding": ("net.ipv6.conf.default.forwarding",),
}
# In the order of precedence of sysctl.d(5).
DIRECTORIES = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d")
ASSIGNMENT = re.compile(r"^\s*-?\s*(net[./]ip[\w./]+?)\s*=\s*(\S*)\s*$", re.MULTILINE)
SAVED = "/etc/sysctl.d/90-docker-forwarding.conf"


def needed(options):
    """Return the kernel's settings without which dockerd exits; [] with iptables."""
    nftables = options.get("firewall-backend") == "nftables" and options.get("iptables") is not False
    if not nftables or options.get("ip-forward") is False or options.get("bridge") == "none":
        return []
    return list(IPV4 + IPV6 if options.get("ipv6") else IPV4)


def problems(options, baking, root="/"):
    """Return a message if the engine would not start: on a host now, of an image once it boots."""
    saved = at_boot(root) if baking else {}
    missing = [key for key in needed(options) if not (saved.get(key) == "1" if baking else is_on(key, root))]
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
    saved = at_boot(root)
    unsaved = [key for key in keys if saved.get(key) != "1"]
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


def at_boot(root):
    """Return what systemd-sysctl sets at boot, by key.

    Files are read in the order of their names; of two with one name, the first directory's counts. Later lines win.
    """
    files = {}
    for directory in reversed(DIRECTORIES):
        for path in glob.glob(os.path.join(root, directory, "*.conf")):
            files[os.path.basename(path)] = path
    saved = {}
    for _, path in sorted(files.items()):
        for key, value in ASSIGNMENT.findall(read_text(path) or ""):
            key = key.replace("/", ".")
            saved.update(dict.fromkeys((key, *IMPLIED.get(key, ())), value))
    return saved


def save(keys):
    return "printf '{}' >{}".format("".join(key + "=1\\n" for key in keys), SAVED)
