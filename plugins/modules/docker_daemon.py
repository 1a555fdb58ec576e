#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_daemon
short_description: Validate and write the Docker engine's configuration, and manage its state
version_added: 0.1.0
description:
  - Writes C(daemon.json), and a systemd drop-in for settings that C(daemon.json) alone cannot express (C(hosts) and the
    proxy).
  - Before a new C(daemon.json) is put in place, the installed dockerd is started with a copy of it, in namespaces of
    its own beside the live engine. A configuration that it rejects is never written.
  - Starts, stops or restarts the engine and waits until its API answers.
  - If the engine does not start with new files, the previous ones are restored, the engine is started with them if it
    was running before, and the module fails with the lines of the journal.
options:
  options:
    description:
      - The whole content of C(daemon.json). Options that are null are omitted.
      - If unset, the engine's files are left as they are.
      - The values of C(log-opts) are converted to strings, because dockerd accepts nothing else.
      - On a node of a swarm, C(live-restore) is left out, because dockerd does not start with it there. So is
        C(selinux-enabled) without SELinux.
    type: dict
  proxy:
    description:
      - The proxy that the engine itself uses to pull images. Written to O(proxy_env), which only root can read.
  open_api:
    description:
      - Accept C(hosts) in O(options) that other machines can reach without a client certificate. Anyone who reaches
        such a port is root on the host.
    type: bool
    default: false
  path:
    description:
      - Where the options are written. A file that this module did not write is kept as a backup, and a warning lists
        the options that are lost.
    type: path
    default: /etc/docker/daemon.json
  dropin:
    description: The drop-in of docker.service. Absent when neither C(hosts) nor a proxy is set.
    type: path
    default: /etc/systemd/system/docker.service.d/slipway.conf
  containerd_dropin:
    description:
      - The drop-in of containerd.service that moves containerd's data to C(<data-root>/containerd/daemon), below the
        C(data-root) in O(options).
      - Absent without C(data-root), and with an engine that does not ship containerd.service.
    type: path
    default: /etc/systemd/system/containerd.service.d/slipway.conf
  data_root_leave_data:
    description:
      - With V(false), a C(data-root) that would leave images, containers or volumes behind is rejected. So is a change
        of C(userns-remap), C(storage-driver), C(features.containerd-snapshotter), C(containerd-namespace) or
        C(exec-root) that would hide them, or that would leave running containers without their engine.
      - Otherwise such an engine is stopped first, together with its containers.
    type: bool
    default: false
  proxy_env:
    description: The environment file of docker.service. Absent without a proxy.
    type: path
    default: /etc/docker/proxy.env
  dockerd:
    description: The dockerd that validates the configuration. If it is not installed, nothing is validated.
    type: path
    default: /usr/bin/dockerd
  prove:
    description: With V(false), a C(daemon.json) that stops the engine is not noticed before its next start.
    type: bool
    default: true
  prove_timeout:
    description: Time limit of the validation in seconds. A successful one takes a second or two.
    type: int
    default: 30
  prune:
    description:
      - A systemd timer that runs C(docker system prune). An empty dictionary removes it.
      - If unset, the timer is left as it is. A change of the timer does not restart the engine.
    type: dict
    suboptions:
      schedule:
        description: When to prune, in the format of systemd's OnCalendar, such as V(weekly) or V(Sun 03:30).
        type: str
      filters:
        description:
          - What to keep, as filters of C(docker system prune). The default is V([until=168h]), which keeps everything
            younger than a week.
        type: list
        elements: str
      all:
        description: Whether to remove unused images that have a name too.
        type: bool
      volumes:
        description:
          - Whether to remove anonymous volumes too, and with engines before 23 all unused volumes.
          - Docker rejects this together with an until filter.
        type: bool
  audit_rules:
    description:
      - Whether the kernel's audit records what touches the engine's programs, units, configuration and sockets. The
        rules are loaded where auditd runs; a warning says where it does not.
      - If unset, the rules are left as they are.
    type: bool
  strict_modes:
    description: Whether to remove what the CIS Docker Benchmark does not allow from the modes of the engine's files.
    type: bool
    default: false
  state:
    description:
      - With V(started), a running engine is left alone; RV(restart_pending) says whether it needs a restart.
      - With V(current), the engine is restarted only if it runs with older files than those in place.
      - With V(restarted), the engine is always restarted. Containers keep running with live-restore.
      - With V(stopped), the socket is stopped first, because it would start the service again. With live-restore,
        containers keep running.
      - With V(drained), the containers are stopped too, with or without live-restore, and restart policies apply at the
        next start.
      - With V(absent), the engine is drained and disabled, containerd is stopped, and the files of this module are
        removed. A C(daemon.json) that was edited since is kept, and so are packages and data.
    type: str
    choices: [started, current, stopped, drained, restarted, absent]
    default: started
  baking:
    description:
      - Whether an image is being built, in a chroot, a container or an instance. Files are written, and units are
        enabled for its first boot. Nothing is started, stopped or queried. V(absent) is a failure, any other O(state)
        has no effect.
      - A new C(daemon.json) is validated with C(dockerd --validate) instead of a trial start. That detects what dockerd
        cannot parse, which is about half of what would stop it. Engines before 23.0 do not support it, which is a
        warning.
      - An engine that is running nevertheless keeps its old configuration until its machine is rebooted.
      - If unset, it is true in a chroot.
    type: bool
  enabled:
    description: Whether the engine, its socket and containerd start at boot. If unset, that is left as it is.
    type: bool
  timeout:
    description: Time limit in seconds of a stop or a reload.
    type: int
    default: 60
  start_timeout:
    description:
      - Time limit in seconds of a start. An engine with many containers or a slow disk takes minutes.
      - The journal has a line of progress every 30 seconds. An engine that is still starting when the time is up is a
        failure without a rollback, because it may come up yet.
    type: int
    default: 600
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.attributes.docker_engine
  - slipway.platform.engine_socket
  - slipway.platform.proxies
attributes:
  check_mode:
    support: full
    details: Validates the configuration where dockerd is installed, because that changes nothing.
  diff_mode:
    support: full
    details: Shows the files, without the passwords of proxies, and the state.
  idempotent:
    support: partial
    details: All states except O(state=restarted). A second run reads the files, and queries systemd and the API.
seealso:
  - module: slipway.platform.docker_access
  - module: slipway.platform.docker_package_repository
  - name: dockerd
    description: The options of C(daemon.json).
    link: https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

EXAMPLES = r"""
- name: Run the engine, now and at boot, with bounded logs
  slipway.platform.docker_daemon:
    options:
      log-driver: json-file
      log-opts:
        max-size: 10m
        max-file: 3
      live-restore: true
    proxy:
      https: http://proxy.example.com:3128
      no_proxy: [localhost, .example.com]
    prune:
      schedule: weekly
      filters: [until=168h, label!=keep]
    state: started
    enabled: true
  register: engine

- name: Prepare the engine of an image for its first boot
  slipway.platform.docker_daemon:
    options: {live-restore: true}
    enabled: true
    baking: true

- name: Restart the engine if it runs with an older configuration
  slipway.platform.docker_daemon:
    state: current
"""

RETURN = r"""
proven:
  description:
    - Whether the installed dockerd accepts this C(daemon.json); with O(baking), whether C(dockerd --validate) does.
    - A file that is in place unchanged counts as accepted.
    - V(false) if dockerd is not installed, if namespaces cannot be created, or without O(prove).
  returned: with O(options)
  type: bool
backup_file:
  description: Where the C(daemon.json) that this module did not write is kept.
  returned: when there was one
  type: str
log:
  description: The last lines of the log of the dockerd that rejected the configuration.
  returned: when the configuration was rejected
  type: list
  elements: str
before:
  description: The state of the service when the module started, as systemd names it. V(unknown) with O(baking).
  returned: success
  type: str
  sample: inactive
state:
  description: The state of the service now. V(unknown) with O(baking).
  returned: success
  type: str
  sample: active
pid:
  description: The process ID of the engine, 0 when it is not running.
  returned: success
  type: int
api_version:
  description: The newest API version that the engine supports, empty when it is not running.
  returned: success
  type: str
  sample: '1.55'
engine_version:
  description: The version of the engine, empty when it is not running.
  returned: success
  type: str
  sample: 29.7.2
restart_pending:
  description: Whether the engine runs with an older configuration than the one in place.
  returned: success
  type: bool
journal:
  description: The last lines of the service's journal.
  returned: failure of the service
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root, selinux
from ansible_collections.slipway.platform.plugins.module_utils.daemon import files as daemon_files
from ansible_collections.slipway.platform.plugins.module_utils.engine import (
    audit_rules,
    baking,
    prune_timer,
    removal,
    service,
    strict_modes,
    units,
)
from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained

STATES = ["started", "current", "stopped", "drained", "restarted", "absent"]


def run(module):
    """Plan the timer first, because a plan can be rejected, and apply it last, because it needs no rollback."""
    module.params["baking"] = is_baking(module.params["baking"])
    absent = module.params["state"] == "absent"
    if absent and module.params["baking"]:
        raise units.ServiceError(
            "docker_engine_state: absent stops an engine, and while an image is baked nothing is stopped: begin with "
            "an image that has no engine, or run this on the running machine without slipway_baking. "
            "Nothing was changed."
        )
    module.params["options"], lost = data_root.without_live_restore(module.params["options"])
    if lost:
        module.warn("live-restore is left out: this host is a node of a swarm, where dockerd does not start with it.")
    module.params["options"], lost = selinux.without_selinux(module.params["options"], module.params["baking"])
    if lost:
        module.warn("selinux-enabled is left out: SELinux is disabled on this host. Enable it, and run again.")
    options = module.params["options"] or {}
    planned = prune_timer.plan(module, {} if absent else module.params["prune"])
    audited = audit_rules.plan(
        module, False if absent else module.params["audit_rules"], data_root.from_options(options)
    )
    if absent:
        result = removal.run(module)
    elif module.params["baking"]:
        result = baking.run(module)
    else:
        result = service.run(module, lambda: daemon_files.configure(module))
    result["diff"] += [daemon_files.difference(path, text) for path, text, _ in planned.changes]
    result["diff"] += [daemon_files.difference(path, text) for path, text, _ in audited.changes]
    result["changed"] |= prune_timer.carry_out(module, planned)
    result["changed"] |= audit_rules.carry_out(module, audited)
    tightened = strict_modes.tighten(module, options) if module.params["strict_modes"] and not absent else []
    result["diff"] += tightened
    result["changed"] |= bool(tightened)
    return result


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "options": {"type": "dict"},
            **shared_options.PROXIES,
            "open_api": {"type": "bool", "default": False},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "dropin": {"type": "path", "default": "/etc/systemd/system/docker.service.d/slipway.conf"},
            "containerd_dropin": {"type": "path", "default": "/etc/systemd/system/containerd.service.d/slipway.conf"},
            "data_root_leave_data": {"type": "bool", "default": False},
            "proxy_env": {"type": "path", "default": "/etc/docker/proxy.env"},
            "dockerd": {"type": "path", "default": "/usr/bin/dockerd"},
            "prove": {"type": "bool", "default": True},
            "prove_timeout": {"type": "int", "default": 30},
            "prune": {
                "type": "dict",
                "options": {
                    "schedule": {"type": "str"},
                    "filters": {"type": "list", "elements": "str"},
                    "all": {"type": "bool"},
                    "volumes": {"type": "bool"},
                },
            },
            "audit_rules": {"type": "bool"},
            "strict_modes": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": STATES, "default": "started"},
            "baking": {"type": "bool"},
            "enabled": {"type": "bool"},
            **shared_options.ENGINE_SOCKET,
            "timeout": {"type": "int", "default": 60},
            "start_timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module))
    except daemon_config.DaemonConfigError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except units.ServiceError as error:
        module.fail_json(msg="{}.".format(str(error).rstrip(".")))
    except files.WriteError as error:
        module.fail_json(msg=f"{error}. The previous configuration is in place.")


if __name__ == "__main__":
    main()
