#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_access
short_description: Control who may use the Docker engine
version_added: 0.1.0
description:
  - Manages the group of the engine's socket, its members, the socket's mode, and an optional TLS listener.
  - Anyone who can open the socket is root on the host. So is anyone who holds a client certificate of the CA.
  - Rejects unknown users, a mode that grants access to others, and a group that is not the engine's, before it changes
    anything.
  - A socket whose owner, group or mode has drifted, or that has an access control list, is repaired in place. A
    change that needs a new socket is recorded; M(slipway.platform.docker_daemon) with V(state=current) applies it in
    its single restart.
options:
  group:
    description: The group that may open the socket. Created if it is missing.
    type: str
    default: docker
  shared:
    description:
      - Whether O(group) existed before the engine, such as C(wheel) or a group of a directory service. Without this,
        only C(docker) and groups that this module created are accepted.
      - The members and the GID of a shared group are not managed, so O(members), O(exclusive) and O(gid) are rejected.
    type: bool
    default: false
  gid:
    description: The GID of the group, for hosts that must agree on it. If unset, the GID is left as it is.
    type: int
  members:
    description: Users who belong to the group. They must exist, on the host or in its directory service.
    type: list
    elements: str
    default: []
  exclusive:
    description:
      - Remove everyone who is not in O(members) from the group's members and administrators, and remove its password.
        Their other groups are kept.
      - Users who have it as their primary group, members of a second group with the same GID, and those whom a
        directory service makes members, are rejected by name. Users whom a directory service does not enumerate are
        not seen.
    type: bool
    default: false
  socket_mode:
    description: Mode of the socket, as a string. A mode that grants access to others is rejected.
    type: str
    default: '0660'
  tls:
    description: The TLS listener. If unset, there is none, and one that was set up earlier is removed.
    type: dict
    suboptions:
      ca:
        description: Certificate of the authority that issues the accepted client certificates, PEM text.
        type: str
        required: true
      cert:
        description: Certificate of the engine, PEM text.
        type: str
        required: true
      key:
        description: Private key of the engine's certificate, PEM text without a passphrase.
        type: str
        required: true
      listen:
        description: Address and port to listen on.
        type: str
        default: 0.0.0.0:2376
  baking:
    description:
      - Whether an image is being built, where any existing socket belongs to another machine. The socket is ignored,
        and its future owner and mode are read from the files of its unit.
      - If unset, it is true in a chroot.
    type: bool
  keep_key:
    description: Accept O(tls.key) while an image is built, whose instances all share it then.
    type: bool
    default: false
  state:
    description:
      - With V(absent), the drop-ins and certificates of this module are removed, and the groups that were created for
        the engine. A group that existed before is kept. Use it when the engine is stopped for good.
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
    details: Performs all checks.
  diff_mode:
    support: full
    details: Shows members, the socket and the drop-ins, never certificates and keys.
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_daemon
  - name: Protect the Docker daemon socket
    description: How the engine and its clients verify each other with TLS.
    link: https://docs.docker.com/engine/security/protect-access/
"""

EXAMPLES = r"""
- name: Give alice and the CI user access, and nobody else
  slipway.platform.docker_access:
    members: [alice, ci]
    exclusive: true

- name: Remove the access settings
  slipway.platform.docker_access:
    state: absent
"""

RETURN = r"""
members:
  description: Users who have the group's rights now, by any means.
  returned: success
  type: list
  elements: str
new_members:
  description: Users who were added in this run, and need to log in again.
  returned: success
  type: list
  elements: str
restart_pending:
  description: Whether the running engine must be restarted to apply changes to its socket or its listener.
  returned: success
  type: bool
baking:
  description: Whether this is an image that is being made.
  returned: with O(state=present)
  type: bool
"""

import grp
import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    access_policy,
    daemon_json,
    engine_api,
    foreign_flags,
)
from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.engine import socket_access
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import groups as host_groups
from ansible_collections.slipway.platform.plugins.module_utils.host import owned_groups, rollback, systemd, unit_files
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained

SOCKET = engine_api.SOCKET
TLS_DROP_IN = "/etc/systemd/system/docker.service.d/tls.conf"
TLS_DIRECTORY = "/etc/docker/tls"
TLS_FILES = {
    "ca": (os.path.join(TLS_DIRECTORY, "ca.pem"), 0o444),
    "cert": (os.path.join(TLS_DIRECTORY, "cert.pem"), 0o444),
    "key": (os.path.join(TLS_DIRECTORY, "key.pem"), 0o400),
}
OWN_FILES = [systemd.SOCKET_DROP_IN, TLS_DROP_IN] + [path for path, _ in TLS_FILES.values()]
DAEMON_JSON = daemon_json.PATH
DOCKERD = "/usr/bin/dockerd"


def refuse_unknown_users(members):
    unknown = host_groups.unknown_users(members)
    if unknown:
        raise access_policy.AccessError(
            "no such user: {}. Create them first (this role never does), or correct docker_access_members".format(
                ", ".join(unknown)
            )
        )


def refuse_secrets(params):
    for problem in access_policy.problems_while_baking(params):
        raise access_policy.AccessError(problem.rstrip("."))


def refuse_two_lists_of_hosts(tls):
    if tls and "hosts" in daemon_json.parse(host_files.read_text(DAEMON_JSON)):
        raise access_policy.AccessError(
            f"hosts in {DAEMON_JSON} and docker_access_tls both set where the engine listens: "
            "remove hosts from docker_engine_daemon_options"
        )


def refuse_commands_by_hand(tls):
    """Refuse drop-ins whose dockerd command, with its flags, the one of the listener would replace."""
    for problem in foreign_flags.overridden("docker_access_tls", foreign_flags.drop_ins()) if tls else []:
        raise access_policy.AccessError(problem)


def wanted_files(params, socket_unit, mode):
    """Path, text or None, and mode of every file whose change requires a restart."""
    tls = params["tls"] or {}
    files = [(path, tls.get(name), bits) for name, (path, bits) in TLS_FILES.items()]
    listener = None
    if tls:
        paths = {name: path for name, (path, _) in TLS_FILES.items()}
        listener = socket_access.render_tls_drop_in(daemon_config.vendor_command(DOCKERD), tls["listen"], paths)
    files.append((TLS_DROP_IN, listener, 0o644))
    # A unit that has the same settings needs no drop-in; an existing one is kept up to date.
    agrees = not socket_unit or socket_access.unit_agrees(socket_unit, params["group"], mode)
    if os.path.exists(systemd.SOCKET_DROP_IN) or not agrees:
        files.append((systemd.SOCKET_DROP_IN, socket_access.render_socket_drop_in(params["group"], mode), 0o644))
    return files


def read_socket_unit(module):
    """The properties of docker.socket; empty if the unit does not exist, as with engines before 18.09."""
    if module.params["baking"]:
        return socket_access.parse_socket_unit(unit_files.texts("docker.socket"))
    properties = "--property=Id,LoadState,SocketGroup,SocketMode"
    output = module.run_command(["systemctl", "show", properties, "docker.socket"])[1]
    unit = systemd.parse_show(output).get("docker.socket", {})
    return unit if unit.get("LoadState") == "loaded" else {}


def drift(group, mode):
    """The owner, group and mode of the live socket if they are not as wanted, or None."""
    entry = host_groups.find(group)
    if entry is None or not os.path.exists(SOCKET):
        return None
    status = os.stat(SOCKET)
    acl = " and an access control list" if socket_access.has_acl(SOCKET) else ""
    if (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, entry.gr_gid, mode) and not acl:
        return None
    return "{}:{} {:04o}{}".format(status.st_uid, name_of(status.st_gid), status.st_mode & 0o7777, acl)


def awaiting_restart():
    """The files of this module that changed since the engine started, now or in an interrupted run."""
    ours = {systemd.SOCKET_DROP_IN, TLS_DROP_IN}
    return ours & set(rollback.replaced())


def name_of(gid):
    return host_groups.owner_of(gid) or str(gid)


def repair_socket(group, mode):
    socket_access.remove_acl(SOCKET)  # first: with one, chmod changes its mask
    os.chown(SOCKET, 0, grp.getgrnam(group).gr_gid)
    os.chmod(SOCKET, mode)


def difference(path, text):
    secret = path.startswith(TLS_DIRECTORY)
    before, after = host_files.read_text(path), text
    if secret:
        before, after = before and "(a file)\n", after and "(another file)\n"
    return {"before_header": path, "after_header": path, "before": before or "", "after": after or ""}


def listed(header, before, after):
    return {"before_header": header, "after_header": header, "before": before + "\n", "after": after + "\n"}


def apply(module, commands, files):
    owned_groups.claim(module.params["group"])
    for command in commands:
        code, output, errors = module.run_command(command)
        if code:
            reason = " ".join((errors or output).split())
            module.fail_json(msg=f"{' '.join(command)} fails ({reason}): fix this and run again.")
    if files and not module.params["baking"]:
        rollback.save([path for path, _, _ in files])
    host_files.put_all(files)


def run(module):
    params = module.params
    params["baking"] = is_baking(params["baking"])
    if params["baking"]:
        refuse_secrets(params)
    mode = access_policy.parse_mode(params["socket_mode"])
    refuse_unknown_users(params["members"])
    wanted = [params[name] for name in ("members", "exclusive", "gid")]
    host_groups.refuse_foreign(params["group"], owned_groups.recorded(), *wanted, params["shared"])
    host_groups.refuse_taken(params["group"], params["gid"])
    refuse_two_lists_of_hosts(params["tls"])
    refuse_commands_by_hand(params["tls"])
    if params["tls"]:
        socket_access.validate_certificates(params["tls"])

    entry = host_groups.find(params["group"])
    access = host_groups.access_to(entry)
    if params["exclusive"]:
        host_groups.refuse_irremovable(params["group"], params["members"], access)
    before = host_groups.effective_members(access)
    members = host_groups.members_after(params["members"], params["exclusive"], access)
    commands = host_groups.commands(
        params["group"], params["gid"], params["members"], params["exclusive"], entry, access
    )
    host_groups.refuse_remote(params["group"], commands)
    if module.check_mode and params["group"] == "docker" and not os.path.exists(DOCKERD):
        # A dry run before the engine is installed, whose package creates the group.
        commands = [command for command in commands if command[0] != "groupadd"]
    files = [
        item for item in wanted_files(params, read_socket_unit(module), mode) if not host_files.is_up_to_date(*item)
    ]
    if not module.check_mode:
        apply(module, commands, files)
    awaited = set() if params["baking"] else awaiting_restart() | {path for path, _, _ in files}
    # A socket that is about to be recreated has not drifted, and the one that exists while baking is not the image's.
    ignored = params["baking"] or systemd.SOCKET_DROP_IN in awaited
    drifted = None if ignored else drift(params["group"], mode)
    if drifted and not module.check_mode:
        repair_socket(params["group"], mode)

    diff = [difference(path, text) for path, text, _ in files]
    if commands:
        lines = host_groups.difference(before, members, params["exclusive"], access)
        diff.append(listed(f"members of {params['group']}", *lines))
    if drifted:
        diff.append(listed(SOCKET, drifted, "0:{} {:04o}".format(params["group"], mode)))
    return {
        "changed": bool(commands or files or drifted),
        "members": members,
        "new_members": [name for name in members if name not in before],
        "restart_pending": bool(awaited) and os.path.exists(SOCKET),
        "baking": params["baking"],
        "diff": diff,
    }


def remove(module):
    """Remove the files of this module, and the groups that came with the engine."""
    files = [path for path in OWN_FILES if os.path.lexists(path)]
    groups = owned_groups.present()
    if not module.check_mode:
        for path in files:
            host_files.remove(path)
            host_files.remove_if_empty(os.path.dirname(path))
        host_files.remove_if_empty(os.path.dirname(DAEMON_JSON))
        for group in groups:
            remove_group(module, group)
        owned_groups.forget()
    diff = [difference(path, None) for path in files] + [listed("groups", group, "") for group in groups]
    return {"changed": bool(files or groups), "members": [], "new_members": [], "restart_pending": False, "diff": diff}


def remove_group(module, group):
    code, _, errors = module.run_command(["groupdel", group])
    if code:
        module.warn(f"The group {group} was not removed: {errors.strip()}")


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "group": {"type": "str", "default": "docker"},
            "gid": {"type": "int"},
            "shared": {"type": "bool", "default": False},
            "members": {"type": "list", "elements": "str", "default": []},
            "exclusive": {"type": "bool", "default": False},
            "socket_mode": {"type": "str", "default": "0660"},
            "baking": {"type": "bool"},
            "keep_key": {"type": "bool", "default": False, "no_log": False},
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
    except (access_policy.AccessError, host_groups.GroupError, daemon_config.DaemonConfigError) as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except host_files.WriteError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
