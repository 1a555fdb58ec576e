#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_daemon
short_description: Prove and write the configuration of the Docker engine, and bring the engine to a state
version_added: 0.1.0
description:
  - Writes C(daemon.json), and a systemd drop-in where C(daemon.json) alone cannot say it (C(hosts) and the proxy).
  - Before a new C(daemon.json) is put in place, the installed dockerd is started with a copy of it, in namespaces of
    its own beside the live engine. What it refuses is never written.
  - Starts, stops or restarts the engine and waits until its API answers.
  - When it does not come up with new files, the previous ones are put back, the engine is started with them if it ran
    before, and the module fails with the journal's lines.
options:
  options:
    description:
      - The whole content of C(daemon.json). Options that are null are left out.
      - Without it, the engine's files are left as they are.
      - The values of C(log-opts) become strings, because dockerd takes nothing else.
    type: dict
  proxy:
    description: The proxy of the engine itself, for pulling images. Written to O(proxy_env), which only root may read.
    type: dict
    default: {}
    suboptions:
      http:
        description: The address of the proxy for HTTP, with credentials if needed.
        type: str
      https:
        description: The address of the proxy for HTTPS, with credentials if needed.
        type: str
      no_proxy:
        description: Hosts and networks that are reached directly.
        type: list
        elements: str
  path:
    description:
      - Where the options are written. A file that this module did not write is kept as a backup.
    type: path
    default: /etc/docker/daemon.json
  dropin:
    description: The drop-in of docker.service. Absent when neither C(hosts) nor a proxy is set.
    type: path
    default: /etc/systemd/system/docker.service.d/slipway.conf
  containerd_dropin:
    description:
      - The drop-in of containerd.service, by which containerd's data go along to C(data-root) in O(options), as
        C(<data-root>/containerd/daemon).
      - Absent without C(data-root), and beside an engine that brings no containerd.service.
    type: path
    default: /etc/systemd/system/containerd.service.d/slipway.conf
  data_root_leave_data:
    description:
      - With V(false), a C(data-root) that would leave images, containers or volumes behind is refused.
      - An engine that moves stops with its containers first.
    type: bool
    default: false
  proxy_env:
    description: The environment file of docker.service. Absent without a proxy.
    type: path
    default: /etc/docker/proxy.env
  dockerd:
    description: The engine that the configuration is proven with. Where it is not installed, nothing is proven.
    type: path
    default: /usr/bin/dockerd
  prove:
    description: When V(false), a C(daemon.json) that stops the engine is noticed at its next start only.
    type: bool
    default: true
  prove_timeout:
    description: How many seconds the proof may take. It takes less than one or two where it succeeds.
    type: int
    default: 30
  prune:
    description:
      - A systemd timer that removes what the engine no longer needs, with C(docker system prune). Empty removes it.
      - Without it, the timer is left as it is. The engine is not restarted for it.
    type: dict
    suboptions:
      schedule:
        description: When, as systemd's OnCalendar takes it, such as V(weekly) or V(Sun 03:30).
        type: str
      filters:
        description:
          - What is spared, as filters of C(docker system prune). V([until=168h]) if unset, what is younger than a week.
        type: list
        elements: str
      all:
        description: Whether images that have a name go too, when no container uses them.
        type: bool
      volumes:
        description:
          - Whether anonymous volumes go too, and all volumes before engine 23.
          - Docker refuses it beside an until filter.
        type: bool
  state:
    description:
      - With V(started), a running engine is left alone; RV(restart_pending) tells whether it should not be.
      - With V(current), an engine that runs with older files than those in place is restarted, and only then.
      - With V(restarted), the engine is always restarted. Containers keep running under live-restore.
      - With V(stopped), the socket is stopped first, because it would start the service again. Under live-restore,
        containers run on.
      - With V(drained), the containers stop too, live-restore or not, and restart policies hold at the next start.
      - With V(absent), the engine is drained and disabled, containerd is stopped, and the files of this module are
        removed. A C(daemon.json) that was edited since stays. Packages and data stay.
    type: str
    choices: [started, current, stopped, drained, restarted, absent]
    default: started
  baking:
    description:
      - Whether this is an image in the making, in a chroot, a container or an instance. Files are written, and units
        enabled for its first boot. Nothing is started, stopped or asked, and O(state) has no effect but for V(absent).
      - A new C(daemon.json) is given to C(dockerd --validate) instead of being proven by a start. That finds what
        dockerd cannot read, about half of what would stop it. Engines before 23.0 lack it, which is a warning.
      - An engine that runs all the same keeps its old configuration until its machine is booted anew.
    type: bool
    default: false
  enabled:
    description: Whether the engine, its socket and containerd start at boot. Without it, that is left as it is.
    type: bool
  socket:
    description: The unix socket of the API.
    type: path
    default: /run/docker.sock
  timeout:
    description: How many seconds a start or a stop may take, and then the API until it answers.
    type: int
    default: 60
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Runs the proof where dockerd is installed, because it changes nothing. Writes and starts nothing.
    support: full
  diff_mode:
    description: Shows the files, without the passwords of proxies, and the state.
    support: full
  idempotent:
    description: The second run reads the files, and asks systemd and the API. Not for O(state=restarted).
    support: partial
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

- name: Make the engine of an image ready for its first boot
  slipway.platform.docker_daemon:
    options: {live-restore: true}
    enabled: true
    baking: true

- name: Restart it if it runs with an older configuration
  slipway.platform.docker_daemon:
    state: current
"""

RETURN = r"""
proven:
  description:
    - Whether the installed dockerd accepts this C(daemon.json), with O(baking) as far as C(dockerd --validate) tells.
    - One that is in place unchanged counts as accepted.
    - V(false) where dockerd is not installed, where no namespaces can be made, or without O(prove).
  returned: with O(options)
  type: bool
backup_file:
  description: Where the C(daemon.json) that this module did not write is kept.
  returned: when there was one
  type: str
log:
  description: The last lines of the log of the dockerd that refused.
  returned: refusal
  type: list
  elements: str
before:
  description: The state of the service when the module began, as systemd names it. V(unknown) with O(baking).
  returned: success
  type: str
  sample: inactive
state:
  description: The state of the service now. V(unknown) with O(baking).
  returned: success
  type: str
  sample: active
pid:
  description: The process id of the engine, 0 when it does not run.
  returned: success
  type: int
api_version:
  description: The newest API version that the engine speaks, empty when it does not run.
  returned: success
  type: str
  sample: '1.45'
engine_version:
  description: The version of the engine, empty when it does not run.
  returned: success
  type: str
  sample: 26.1.5
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_config,
    daemon_files,
    engine_baking,
    engine_removal,
    engine_service,
    engine_units,
    file_io,
    prune_timer,
    url_secrets,
)

STATES = ["started", "current", "stopped", "drained", "restarted", "absent"]


def run(module):
    """The timer is planned first, because a plan can be refused, and carried out last, because it needs no rollback."""
    absent = module.params["state"] == "absent"
    planned = prune_timer.plan(module, {} if absent else module.params["prune"])
    if absent:
        result = engine_removal.run(module)
    elif module.params["baking"]:
        result = engine_baking.run(module)
    else:
        result = engine_service.run(module, lambda: daemon_files.configure(module))
    result["diff"] += [daemon_files.difference(path, text) for path, text, _ in planned.changes]
    result["changed"] |= prune_timer.carry_out(module, planned)
    return result


def main():
    module = AnsibleModule(
        argument_spec={
            "options": {"type": "dict"},
            "proxy": {
                "type": "dict",
                "default": {},
                "options": {
                    "http": {"type": "str", "no_log": True},
                    "https": {"type": "str", "no_log": True},
                    "no_proxy": {"type": "list", "elements": "str"},
                },
            },
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
            "state": {"type": "str", "choices": STATES, "default": "started"},
            "baking": {"type": "bool", "default": False},
            "enabled": {"type": "bool"},
            "socket": {"type": "path", "default": "/run/docker.sock"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    module.no_log_values.update(url_secrets.secrets_of([module.params["options"], module.params["proxy"]]))
    try:
        module.exit_json(**run(module))
    except daemon_config.DaemonConfigError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except engine_units.ServiceError as error:
        module.fail_json(msg=str(error))
    except file_io.WriteError as error:
        module.fail_json(msg=f"{error}. The previous configuration is in place.")


if __name__ == "__main__":
    main()
