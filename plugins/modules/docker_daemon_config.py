#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_daemon_config
short_description: Prove and write the configuration of the Docker engine
version_added: 0.1.0
description:
  - Writes C(daemon.json), and a systemd drop-in where C(daemon.json) alone cannot say it (C(hosts) and the proxy).
  - Before a new C(daemon.json) is put in place, the installed dockerd is started with a copy of it, in namespaces of
    its own beside the live engine. What it refuses is never written.
  - The replaced files are recorded, so that M(slipway.platform.docker_service) can bring them back when a start fails.
options:
  options:
    description:
      - The whole content of C(daemon.json). Options that are null are left out.
      - The values of C(log-opts) become strings, because dockerd takes nothing else.
    type: dict
    default: {}
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
  timeout:
    description: How many seconds the proof may take. It takes one or two where it succeeds.
    type: int
    default: 30
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Runs the proof where dockerd is installed, because it changes nothing, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files, without the passwords of proxies.
    support: full
  idempotent:
    description: The second run reads the files and starts no process.
    support: full
seealso:
  - module: slipway.platform.docker_service
"""

EXAMPLES = r"""
- name: Limit the logs and keep containers alive while the engine restarts
  slipway.platform.docker_daemon_config:
    options:
      log-driver: json-file
      log-opts:
        max-size: 10m
        max-file: 3
      live-restore: true
    proxy:
      https: http://proxy.example.com:3128
      no_proxy: [localhost, .example.com]
  notify: docker_engine restart
"""

RETURN = r"""
proven:
  description:
    - Whether the installed dockerd accepts this C(daemon.json). One that is in place unchanged counts as accepted.
    - V(false) where dockerd is not installed, where no namespaces can be made, or without O(prove).
  returned: success
  type: bool
backup_file:
  description: Where the C(daemon.json) that this module did not write is kept.
  returned: when there was one
  type: str
restart_pending:
  description: Whether the engine has yet to be started with the files that are in place now.
  returned: success
  type: bool
log:
  description: The last lines of the log of the dockerd that refused.
  returned: failure
  type: list
  elements: str
"""

import hashlib
import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_config,
    daemon_options,
    file_io,
    rollback,
    shadow_start,
    url_secrets,
)

# What sha256sum would print about the daemon.json that we wrote; any other content is somebody else's.
RECORD = "/var/lib/slipway/daemon.json.sha256"


def wanted_files(params, options, command):
    """(path, text or None, mode) of every file; each refers at most to those before it."""
    proxy_env = daemon_config.render_proxy_env(params["proxy"])
    drop_in = daemon_config.render_drop_in(
        command if "hosts" in options else None, params["proxy_env"] if proxy_env else None
    )
    return [
        (params["proxy_env"], proxy_env, 0o600),
        (params["dropin"], drop_in, 0o644),
        (params["path"], daemon_options.render(options), 0o600 if url_secrets.secrets_of(options) else 0o644),
    ]


def unit_command(module):
    """The vendor's ExecStart; on a fresh host, the one that the package is going to bring."""
    unit = daemon_config.unit_text()
    if unit:
        return daemon_config.exec_start(unit)
    return module.params["dockerd"] + " -H fd:// --containerd=/run/containerd/containerd.sock"


def record_line(path, text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest}  {path}\n"


def prove(module, options, command):
    """Whether dockerd accepts the options; fails when it refuses them."""
    dockerd = module.params["dockerd"]
    if not module.params["prove"] or not os.path.exists(dockerd):
        return False
    flags = daemon_config.shadow_flags(command)
    result = shadow_start.prove(dockerd, options, flags, module.params["timeout"])
    if result.verdict == shadow_start.REFUSED:
        version = module.run_command([dockerd, "--version"])[1].partition("version ")[2].partition(",")[0]
        module.fail_json(
            msg="dockerd {} refuses the new {}: {}; nothing was changed. "
            "Remedy: correct docker_engine_daemon_options.".format(version, module.params["path"], result.reason),
            log=result.log,
        )
    if result.verdict == shadow_start.UNKNOWN:
        module.warn(
            "{} could not be proven here ({}): the restart will tell".format(module.params["path"], result.reason)
        )
    return result.verdict == shadow_start.ACCEPTED


def difference(path, text):
    before, after = file_io.read_text(path) or "", text or ""
    return {
        "before_header": path,
        "after_header": path,
        "before": url_secrets.redact(before),
        "after": url_secrets.redact(after),
    }


def back_up_foreign(module):
    """Keep a daemon.json that we did not write, or that was edited since."""
    path = module.params["path"]
    text = file_io.read_text(path)
    if text is None or file_io.read_text(RECORD) == record_line(path, text):
        return {}
    backup = module.backup_local(path)
    if not is_json(text):
        module.warn(f"{path} was not valid JSON and is replaced; it is kept as {backup}")
    return {"backup_file": backup}


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def needs_restart(changes):
    """Whether any text differs; owner and mode alone do not concern a running engine."""
    return any(file_io.read_text(path) != text for path, text, _ in changes)


def is_removal(change):
    """Removals come last: no file on disk may refer to one that is not there."""
    return change[1] is None


def write(module, changes, daemon_json):
    """Put the changed files in place, after what they replace is recorded."""
    if needs_restart(changes):
        rollback.save([module.params[key] for key in ("path", "dropin", "proxy_env")] + [RECORD])
    for path, text, mode in sorted(changes, key=is_removal):
        file_io.put(path, text, mode)
    file_io.put(RECORD, record_line(module.params["path"], daemon_json), 0o644)


def configure(module):
    options = daemon_options.normalise(module.params["options"])
    command = unit_command(module)
    files = wanted_files(module.params, options, command)
    changes = [item for item in files if not file_io.is_as_wanted(*item)]
    pending = rollback.load() is not None or needs_restart(changes)
    if not changes:
        return {"changed": False, "proven": module.params["prove"], "restart_pending": pending}
    path, text, _ = files[-1]
    proven = file_io.read_text(path) == text or prove(module, options, command)
    shown = [difference(*item[:2]) for item in changes if item[0] != module.params["proxy_env"]]
    result = {"changed": True, "proven": proven, "restart_pending": pending, "diff": shown}
    if not module.check_mode:
        if files[-1] in changes:
            result.update(back_up_foreign(module))
        write(module, changes, text)
    return result


def main():
    module = AnsibleModule(
        argument_spec={
            "options": {"type": "dict", "default": {}},
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
            "proxy_env": {"type": "path", "default": "/etc/docker/proxy.env"},
            "dockerd": {"type": "path", "default": "/usr/bin/dockerd"},
            "prove": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    module.no_log_values.update(url_secrets.secrets_of([module.params["options"], module.params["proxy"]]))
    try:
        module.exit_json(**configure(module))
    except daemon_config.DaemonConfigError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")


if __name__ == "__main__":
    main()
