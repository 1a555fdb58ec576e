# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find kernels without the module that dockerd's iptables rules need, and the packages that have it.

EL 10 moved it to kernel-modules-extra, which iptables-nft has not recommended since 1.8.11-15.el10 (June 2026).
"""

import collections
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm

# iptables matches container addresses with it.
MODULE = "xt_addrtype"
MODULES = "/lib/modules"

# A kernel without MODULE. decisive: it runs the engine first; the others do after a reboot, or if they are chosen.
Lack = collections.namedtuple("Lack", ["kernel", "package", "decisive"])


def lacking(running, baking, modules=MODULES, loaded="/proc/modules"):
    """Return a Lack for each kernel without MODULE, of those that may run the engine.

    On a host, these are the running kernel and the newest installed one; in an image, all that are installed. Modules
    that are not visible, as in a container, are nobody's lack.
    """
    installed = kernels(modules)
    if not baking:
        installed = [*installed[-1:], running] if running in installed else []
    first = installed[-1:]
    found = {
        kernel: has_module(os.path.join(modules, kernel), None if baking or kernel != running else loaded)
        for kernel in installed
    }
    return [Lack(kernel, package_of(kernel), kernel in first) for kernel, has in sorted(found.items()) if has is False]


def kernels(modules):
    """Return the releases of the installed kernels, the newest last."""
    names = os.listdir(modules) if os.path.isdir(modules) else []
    return sorted(
        (name for name in names if os.path.exists(os.path.join(modules, name, "modules.dep"))), key=by_version
    )


def by_version(kernel):
    return rpm.version_key(kernel)


def has_module(directory, loaded=None):
    """Return whether a kernel has MODULE; None if its modules are not visible."""
    if loaded and lists_module(read_text(loaded) or "", MODULE):
        return True
    lists = [read_text(os.path.join(directory, name)) for name in ("modules.dep", "modules.builtin")]
    return None if lists[0] is None else any(lists_module(text or "", MODULE) for text in lists)


def lists_module(text, name):
    """Return whether the text of /proc/modules, modules.dep or modules.builtin lists the module, compressed or not."""
    return bool(re.search(rf"^(?:[^\s:]*/)?{name}(?:\.ko(?:\.\w+)?:?)?(?:\s|$)", text, re.MULTILINE))


def package_of(kernel):
    """Return the build of the package with a kernel's further modules: kernel-modules-extra-6.12.0-55.el10.

    A variant is in the release after a plus sign, such as 64k; Oracle's is in the name of its build.
    """
    build, _, variant = kernel.partition("+")
    variant = variant or ("uek" if "uek" in build else "")
    return "kernel-{}modules-extra-{}".format(variant + "-" if variant else "", build.rpartition(".")[0])


def message(lack, hidden=""):
    """Return a message about a lack that no repository can make up for; hidden is what hides its package from dnf."""
    remedy = "run dnf update and boot the kernel that it installs" if lack.decisive else "remove this kernel"
    remedy = f"{hidden}, or {remedy}" if hidden else remedy
    return (
        f"kernel {lack.kernel}{'' if lack.decisive else ', which is installed too,'} has no module {MODULE}, without "
        f"which dockerd exits, and no enabled repository has {lack.package}: {remedy}, or set firewall-backend: "
        "nftables in docker_engine_daemon_options (engine 29 and later, without swarm, with net.ipv4.ip_forward=1)"
    )
