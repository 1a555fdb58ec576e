#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_access
short_description: Decide who may use the Docker engine
version_added: 0.1.0
description:
  - Keeps the group of the engine's socket, its members, the socket's mode, and an optional listener with TLS.
  - Whoever can open the socket is root on the host. The same goes for whoever holds a client certificate of the CA.
  - Refuses unknown users, and a mode that is open to others, before anything is changed.
  - A socket whose owner, group or mode has drifted is repaired in place. What needs the socket to be made anew is
    recorded, and M(slipway.platform.docker_daemon) with V(state=current) does it in its one restart.
options:
  group:
    description: The group that may open the socket. Created where it is missing.
    type: str
    default: docker
  gid:
    description: The group's number, for hosts that must agree on it. Without it, it is left as it is.
    type: int
  members:
    description: Users who belong to the group. They must exist, on the host or in its directory service.
    type: list
    elements: str
    default: []
  exclusive:
    description: Remove members who are not in O(members). Their other groups stay in any case.
    type: bool
    default: false
  socket_mode:
    description: Mode of the socket, as a string. One that is open to others is refused.
    type: str
    default: '0660'
  tls:
    description: The listener with TLS. Without it there is none, and one that was made earlier is removed.
    type: dict
    suboptions:
      ca:
        description: Certificate of the authority whose clients are let in, PEM text.
        type: str
        required: true
      cert:
        description: Certificate of the engine, PEM text.
        type: str
        required: true
      key:
        description: Key of the engine's certificate, PEM text without a passphrase.
        type: str
        required: true
      listen:
        description: Address and port.
        type: str
        default: 0.0.0.0:2376
  baking:
    description:
      - Whether this is an image in the making, where the socket that may be there belongs to another machine. It is not
        looked at, and what the image's own is going to be is read in the files of its unit.
    type: bool
    default: false
  state:
    description:
      - With V(absent), the drop-ins and certificates of this module are removed, and the groups that came with the
        engine. A group that was there before stays. Use it when the engine is stopped for good.
    type: str
    choices: [present, absent]
    default: present
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Checks everything and changes nothing.
    support: full
  diff_mode:
    description: Shows members, the socket and the drop-ins. Certificates and keys are never shown.
    support: full
  idempotent:
    description: The second run changes nothing.
    support: full
seealso:
  - module: slipway.platform.docker_daemon
"""

EXAMPLES = r"""
- name: Let alice and the CI user in, and nobody else
  slipway.platform.docker_access:
    members: [alice, ci]
    exclusive: true

- name: Forget all of it
  slipway.platform.docker_access:
    state: absent
"""

RETURN = r"""
members:
  description: Who belongs to the group now.
  returned: success
  type: list
  elements: str
new_members:
  description: Who belongs to it since this run, and needs a new login.
  returned: success
  type: list
  elements: str
restart_pending:
  description: Whether the running engine has yet to be restarted for its socket or its listener.
  returned: success
  type: bool
"""

import grp
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_config,
    daemon_options,
    file_io,
    owned_groups,
    rollback,
    socket_access,
    systemd_units,
    unit_files,
    unix_group,
)

SOCKET = "/run/docker.sock"
TLS_DROP_IN = "/etc/systemd/system/docker.service.d/tls.conf"
TLS_DIRECTORY = "/etc/docker/tls"
TLS_FILES = {
    "ca": (os.path.join(TLS_DIRECTORY, "ca.pem"), 0o444),
    "cert": (os.path.join(TLS_DIRECTORY, "cert.pem"), 0o444),
    "key": (os.path.join(TLS_DIRECTORY, "key.pem"), 0o400),
}
OWN_FILES = [systemd_units.SOCKET_DROP_IN, TLS_DROP_IN] + [path for path, _ in TLS_FILES.values()]
DAEMON_JSON = "/etc/docker/daemon.json"
DOCKERD = "/usr/bin/dockerd"


def refuse_unknown_users(members):
    unknown = unix_group.unknown_users(members)
    if unknown:
        raise socket_access.AccessError(
            "no such user: {}. Create them first (this role never does), or correct docker_access_members".format(
                ", ".join(unknown)
            )
        )


def refuse_two_lists_of_hosts(tls):
    if tls and "hosts" in daemon_options.parse(file_io.read_text(DAEMON_JSON)):
        raise socket_access.AccessError(
            f"hosts in {DAEMON_JSON} and docker_access_tls both say where the engine listens: "
            "take hosts out of docker_engine_daemon_options"
        )


def wanted_files(params, socket_unit, mode):
    """(path, text or None, mode) of every file whose change needs a restart."""
    tls = params["tls"] or {}
    files = [(path, tls.get(name), bits) for name, (path, bits) in TLS_FILES.items()]
    listener = None
    if tls:
        paths = {name: path for name, (path, _) in TLS_FILES.items()}
        listener = socket_access.render_tls_drop_in(daemon_config.vendor_command(DOCKERD), tls["listen"], paths)
    files.append((TLS_DROP_IN, listener, 0o644))
    # A unit that says the same by itself needs no drop-in; one that is there is kept up to date.
    agrees = not socket_unit or socket_access.unit_agrees(socket_unit, params["group"], mode)
    if os.path.exists(systemd_units.SOCKET_DROP_IN) or not agrees:
        files.append((systemd_units.SOCKET_DROP_IN, socket_access.render_socket_drop_in(params["group"], mode), 0o644))
    return files


def read_socket_unit(module):
    """What docker.socket says of the socket; empty where there is none, as with engines before 18.09."""
    if module.params["baking"]:
        return socket_access.parse_socket_unit(unit_files.texts("docker.socket"))
    properties = "--property=Id,LoadState,SocketGroup,SocketMode"
    output = module.run_command(["systemctl", "show", properties, "docker.socket"])[1]
    unit = systemd_units.parse_show(output).get("docker.socket", {})
    return unit if unit.get("LoadState") == "loaded" else {}


def drift(group, mode):
    """What is wrong with the live socket's group and mode, or None."""
    entry = unix_group.find(group)
    if entry is None or not os.path.exists(SOCKET):
        return None
    status = os.stat(SOCKET)
    if (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, entry.gr_gid, mode):
        return None
    return "{}:{} {:04o}".format(status.st_uid, name_of(status.st_gid), status.st_mode & 0o7777)


def awaiting_restart():
    """The files of this module that were changed, now or by a run that was cut short, since the engine started."""
    ours = {systemd_units.SOCKET_DROP_IN, TLS_DROP_IN}
    return ours & set((rollback.load() or {"files": {}})["files"])


def name_of(gid):
    return unix_group.owner_of(gid) or str(gid)


def repair_socket(group, mode):
    os.chown(SOCKET, 0, grp.getgrnam(group).gr_gid)
    os.chmod(SOCKET, mode)


def difference(path, text):
    secret = path.startswith(TLS_DIRECTORY)
    before, after = file_io.read_text(path), text
    if secret:
        before, after = before and "(a file)\n", after and "(another file)\n"
    return {"before_header": path, "after_header": path, "before": before or "", "after": after or ""}


def listed(header, before, after):
    return {"before_header": header, "after_header": header, "before": before + "\n", "after": after + "\n"}


def apply(module, commands, files):
    owned_groups.claim(module.params["group"])
    for command in commands:
        module.run_command(command, check_rc=True)
    if files and not module.params["baking"]:
        rollback.save([path for path, _, _ in files])
    file_io.put_all(files)


def run(module):
    params = module.params
    mode = socket_access.parse_mode(params["socket_mode"])
    refuse_unknown_users(params["members"])
    unix_group.refuse_taken(params["group"], params["gid"])
    refuse_two_lists_of_hosts(params["tls"])
    if params["tls"]:
        socket_access.prove_certificates(params["tls"])

    entry = unix_group.find(params["group"])
    before = sorted(entry.gr_mem) if entry else []
    members = unix_group.members_after(params["members"], params["exclusive"], entry)
    commands = unix_group.commands(params["group"], params["gid"], params["members"], params["exclusive"], entry)
    if module.check_mode and params["group"] == "docker" and not os.path.exists(DOCKERD):
        # A dry run before the packages are there, which bring the group.
        commands = [command for command in commands if command[0] != "groupadd"]
    files = [item for item in wanted_files(params, read_socket_unit(module), mode) if not file_io.is_as_wanted(*item)]
    if not module.check_mode:
        apply(module, commands, files)
    awaited = set() if params["baking"] else awaiting_restart() | {path for path, _, _ in files}
    # A socket that is about to be made anew has not drifted, and one that is seen while baking is not the image's.
    ignored = params["baking"] or systemd_units.SOCKET_DROP_IN in awaited
    drifted = None if ignored else drift(params["group"], mode)
    if drifted and not module.check_mode:
        repair_socket(params["group"], mode)

    diff = [difference(path, text) for path, text, _ in files]
    if commands:
        diff.append(listed(f"members of {params['group']}", " ".join(before), " ".join(members)))
    if drifted:
        diff.append(listed(SOCKET, drifted, "0:{} {:04o}".format(params["group"], mode)))
    return {
        "changed": bool(commands or files or drifted),
        "members": members,
        "new_members": [name for name in members if name not in before],
        "restart_pending": bool(awaited) and os.path.exists(SOCKET),
        "diff": diff,
    }


def remove(module):
    """Remove the files of this module, and the groups that came with the engine."""
    files = [path for path in OWN_FILES if os.path.lexists(path)]
    groups = owned_groups.present()
    if not module.check_mode:
        for path in files:
            file_io.remove(path)
            file_io.remove_if_empty(os.path.dirname(path))
        for group in groups:
            remove_group(module, group)
        owned_groups.forget()
    diff = [difference(path, None) for path in files] + [listed("groups", group, "") for group in groups]
    return {"changed": bool(files or groups), "members": [], "new_members": [], "restart_pending": False, "diff": diff}


def remove_group(module, group):
    code, _, errors = module.run_command(["groupdel", group])
    if code:
        module.warn(f"The group {group} stays: {errors.strip()}")


def main():
    module = AnsibleModule(
        argument_spec={
            "group": {"type": "str", "default": "docker"},
            "gid": {"type": "int"},
            "members": {"type": "list", "elements": "str", "default": []},
            "exclusive": {"type": "bool", "default": False},
            "socket_mode": {"type": "str", "default": "0660"},
            "baking": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tls": {
                "type": "dict",
                "options": {
                    "ca": {"type": "str", "required": True},
                    "cert": {"type": "str", "required": True},
                    "key": {"type": "str", "required": True, "no_log": True},
                    "listen": {"type": "str", "default": "0.0.0.0:2376"},
                },
            },
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**(remove if module.params["state"] == "absent" else run)(module))
    except (socket_access.AccessError, unix_group.GroupError, daemon_config.DaemonConfigError) as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except file_io.WriteError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
