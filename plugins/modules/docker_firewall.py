#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_firewall
short_description: Restrict who reaches the ports that containers publish
version_added: 0.1.0
description:
  - Loads a table of nftables, C(inet slipway_docker), which drops connections to published ports that are not allowed,
    over IPv4 and IPv6. It has no effect on other traffic of the host, such as SSH, on connections from containers to
    other machines, and on connections between containers of one network.
  - The table is loaded in one transaction, and again at boot, before the engine starts, by
    C(slipway-docker-firewall.service). Neither the engine nor firewalld changes it.
  - Connections that are open and not allowed any more are cut as well.
  - It only drops. What it lets pass is still subject to the engine's rules and to those of the host's firewall.
  - Processes of the host reach all published ports. Containers with the host's network publish no port, so the host's
    firewall applies to them.
options:
  policy:
    description:
      - With V(closed), published ports are reachable for those whom O(allow) lists only.
      - With V(open), this is the case for ports that O(allow) lists; others are open to everyone, as the engine does.
    type: str
    choices: [open, closed]
    default: open
  allow:
    description:
      - Who may connect to which ports. What an entry leaves out does not matter to it.
      - An empty list of sources or interfaces is refused, since it would let everyone in.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description:
          - A port of the host, or a range such as V(8000-8010).
          - For packets to a container's own address, it is the container's port.
        type: raw
      protocol:
        description: If unset, V(tcp) with a port and any protocol without one.
        type: str
      sources:
        description: Addresses and networks of clients, IPv4 and IPv6.
        type: list
        elements: str
      interfaces:
        description: Interfaces at which connections arrive. V(*) at the end of a name stands for any rest.
        type: list
        elements: str
  swarm_nodes:
    description:
      - Addresses and networks of the nodes of a swarm. If there are any, nobody else reaches the ports at which this
        node listens for them, which are O(swarm_port) and 7946 with TCP, and O(data_path_port) and 7946 with UDP.
      - Unlike O(policy) and O(allow), this is about ports of the host itself, and works with the userland proxy.
    type: list
    elements: str
    default: []
  swarm_port:
    description: The port at which managers listen.
    type: int
    default: 2377
  data_path_port:
    description: The UDP port of overlay networks.
    type: int
    default: 4789
  daemon_options:
    description:
      - Options that the engine will have beside those of C(daemon.json), such as those of a dry run.
      - The module fails unless C(userland-proxy) is false, and if C(iptables) is.
    type: dict
    default: {}
  baking:
    description:
      - Whether an image is being built. The table is then loaded at the first boot of an instance.
      - If unset, it is true in a chroot.
    type: bool
  state:
    description: With V(absent), the table, its file and the unit are removed.
    type: str
    choices: [present, absent]
    default: present
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.attributes.docker_engine
attributes:
  check_mode:
    support: full
    details: Performs all checks, loading the rules in an empty network namespace.
  diff_mode:
    support: full
    details: Shows the rules and the files.
  idempotent:
    support: full
seealso:
  - name: Packet filtering and firewalls
    description: How the engine publishes ports.
    link: https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

EXAMPLES = r"""
- name: Open HTTPS to everyone, metrics to one network, and nothing else
  slipway.platform.docker_firewall:
    policy: closed
    allow:
      - port: 443
      - port: 9100-9110
        sources: [10.20.0.0/16, 2001:db8:20::/48]

- name: Let only nodes reach the ports of a swarm
  slipway.platform.docker_firewall:
    swarm_nodes: [10.0.0.0/28]

- name: Remove the restrictions
  slipway.platform.docker_firewall:
    state: absent
"""

RETURN = r"""
missing_packages:
  description: Packages that the module needs. Nothing is changed until they are installed.
  returned: success
  type: list
  elements: str
  sample: [nftables]
"""

import os

from ansible_collections.slipway.platform.plugins.module_utils.firewall import engine_options, rules, saved, table
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained

SHOWN = f"table inet {rules.TABLE}"


def refuse_invalid(module):
    """Fail if the settings are invalid, or do not suit the engine."""
    params = module.params
    found = rules.problems(params)
    if not found and rules.restricts_published(params["policy"], params["allow"]):
        found = engine_options.problems(engine_options.effective(params["daemon_options"]))
    if found:
        module.fail_json(msg=" ".join([*found, "Nothing was changed."]))


def difference(header, before, after):
    return {"before_header": header, "after_header": header, "before": before or "", "after": after or ""}


def file_differences(changes):
    return [difference(path, host_files.read_text(path), text) for path, text, _ in changes]


def restrict(module, nft, baking):
    """Make table, file and unit as the settings say."""
    names = ("policy", "allow", "swarm_nodes", "swarm_port", "data_path_port")
    text = rules.render(*(module.params[name] for name in names))
    if not nft:
        changes = saved.changes(saved.wanted("/usr/sbin/nft", text))
        return {"changed": module.check_mode, "missing_packages": ["nftables"], "diff": file_differences(changes)}
    before = after = ""
    if not baking:
        before, after = table.live(module, nft), table.predicted(module, nft, text)
    files = saved.wanted(nft, text)
    changes = saved.changes(files)
    is_saved = not changes and saved.is_in_use(module, baking)
    diff = file_differences(changes)
    if before != after:
        diff.insert(0, difference(SHOWN, before, after))
    if not module.check_mode:
        if before != after:
            table.load(module, nft, text)
        if not is_saved:
            saved.put(module, changes, baking)
    return {"changed": before != after or not is_saved, "missing_packages": [], "diff": diff}


def release(module, nft, baking):
    """Remove table, file and unit."""
    before = table.live(module, nft) if nft and not baking else ""
    changes = [(path, None, None) for path in (saved.UNIT, saved.RULES) if os.path.lexists(path)]
    diff = [difference(SHOWN, before, "")] if before else []
    diff += file_differences(changes)
    if diff and not module.check_mode:
        saved.remove(module, baking)
        if before and table.live(module, nft):
            table.delete(module, nft)
    return {"changed": bool(diff), "missing_packages": [], "diff": diff}


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "policy": {"type": "str", "choices": ["open", "closed"], "default": "open"},
            "allow": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "port": {"type": "raw"},
                    "protocol": {"type": "str"},
                    "sources": {"type": "list", "elements": "str"},
                    "interfaces": {"type": "list", "elements": "str"},
                },
            },
            "swarm_nodes": {"type": "list", "elements": "str", "default": []},
            "swarm_port": {"type": "int", "default": 2377},
            "data_path_port": {"type": "int", "default": 4789},
            "daemon_options": {"type": "dict", "default": {}},
            "baking": {"type": "bool"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    params = module.params
    nft, baking = module.get_bin_path("nft"), is_baking(params["baking"])
    try:
        if params["state"] == "absent" or not rules.is_active(params["policy"], params["allow"], params["swarm_nodes"]):
            result = release(module, nft, baking)
        else:
            refuse_invalid(module)
            result = restrict(module, nft, baking)
            for warning in engine_options.warnings():
                module.warn(f"{warning}.")
    except table.TableError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except host_files.WriteError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
