# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""All that the report asks a host, as a table: a fact is one line here, and one check on the controller.

Each function takes the deadline and the module's parameters, changes nothing, and returns a value of JSON without
secrets. It runs in a thread of its own: it must not change the identity, the umask or the folder of the process.
"""

from ansible_collections.slipway.platform.plugins.module_utils.report import (
    certificates,
    engine_facts,
    machine,
    workloads,
)

COLLECTORS = {
    "system": machine.system,
    "packages": engine_facts.packages,
    "newest": engine_facts.newest,
    "service": engine_facts.service,
    "socket": engine_facts.socket,
    "members": engine_facts.members,
    "drift": engine_facts.drift,
    "hardening": engine_facts.hardening,
    "certificates": certificates.ends,
    "disks": machine.disks,
    "reboot": machine.reboot,
    "containers": workloads.containers,
    "images": workloads.images,
    "services": workloads.services,
    "swarm": workloads.swarm,
    "last_run": machine.last_run,
}
