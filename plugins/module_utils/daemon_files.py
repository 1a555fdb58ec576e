# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Proves and writes the engine's files: daemon.json, the drop-in of docker.service, the environment of the proxy."""

import hashlib
import json
import os

from ansible.module_utils.facts.system.chroot import is_chroot
from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_config,
    daemon_options,
    daemon_validation,
    data_root,
    data_root_checks,
    file_io,
    rollback,
    selinux_context,
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
    containerd = daemon_config.render_containerd_drop_in(daemon_config.containerd_command(), data_root.of(options))
    return [
        (params["proxy_env"], proxy_env, 0o600),
        (params["dropin"], drop_in, 0o644),
        (params["containerd_dropin"], containerd, 0o644),
        (params["path"], daemon_options.render(options), 0o600 if url_secrets.secrets_of(options) else 0o644),
    ]


def record_line(path, text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest}  {path}\n"


def prove(module, options, command):
    """Whether dockerd accepts the options; fails when it refuses them."""
    dockerd = module.params["dockerd"]
    if not module.params["prove"] or not os.path.exists(dockerd):
        return False
    flags = daemon_config.shadow_flags(command)
    if module.params["baking"]:
        result = daemon_validation.prove(module, dockerd, options, flags)
    else:
        result = shadow_start.prove(dockerd, options, flags, module.params["prove_timeout"])
    if result.verdict == shadow_start.REFUSED:
        version = module.run_command([dockerd, "--version"])[1].partition("version ")[2].partition(",")[0]
        module.fail_json(
            msg="dockerd {} refuses the new {}: {}; nothing was changed. "
            "Remedy: correct docker_engine_daemon_options.".format(version, module.params["path"], result.reason),
            log=result.log,
        )
    if result.verdict == shadow_start.UNKNOWN:
        module.warn(
            "{} could not be proven here ({}): the next start will tell".format(module.params["path"], result.reason)
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


def is_ours(path):
    """Whether the daemon.json there is as we wrote it; one that is not there is nobody's."""
    text = file_io.read_text(path)
    return text is not None and file_io.read_text(RECORD) == record_line(path, text)


def back_up_foreign(module):
    """Keep a daemon.json that we did not write, or that was edited since."""
    path = module.params["path"]
    text = file_io.read_text(path)
    if text is None or is_ours(path):
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


def write(module, changes, daemon_json):
    """Put all changed files in place or none, after what they replace is recorded."""
    # While baking nothing starts that might have to go back, and /run may be that of the machine around the image.
    record = module.tmpdir if module.params["baking"] else rollback.DIRECTORY
    if needs_restart(changes):
        replaced = [module.params[key] for key in ("path", "dropin", "containerd_dropin", "proxy_env")]
        rollback.save([*replaced, RECORD], record)
    try:
        file_io.put_all(changes)
        file_io.put(RECORD, record_line(module.params["path"], daemon_json), 0o644)
    except file_io.WriteError:
        rollback.restore(rollback.load(record) or {"files": {}})
        rollback.clear(record)
        raise


def refuse_lost_commands(params, options):
    """Fail when somebody else's drop-in would win over one of ours."""
    if "hosts" in options:
        daemon_config.refuse_second_command(
            params["dropin"],
            "hosts in docker_engine_daemon_options",
            "take hosts out (tls.conf goes with docker_access_tls)",
        )
    if data_root.of(options) != data_root.DEFAULT:
        daemon_config.refuse_second_command(
            params["containerd_dropin"], "docker_engine_data_root", "say --root there alone and leave the data root"
        )


def refuse_useless_root(module, root):
    """What the preflight has found out already, unless the module is used without it."""
    params = module.params
    problems = data_root_checks.problems(
        module, root, params["data_root_leave_data"], params["path"], params["containerd_dropin"]
    )
    if problems:
        raise daemon_config.DaemonConfigError("; ".join(problems))


def label(module, root):
    """Have SELinux let the engine work at its root, before anything else is changed."""
    try:
        selinux_context.label(module, root)
    except selinux_context.LabelError as error:
        raise daemon_config.DaemonConfigError(f"{root} cannot be labelled for SELinux: {error}") from error


def configure(module):
    """Prove and write what differs; a refusal fails the module with the daemon's own words.

    Returns what the module is to return, and whether a running engine has to be restarted for it.
    """
    if module.params["options"] is None:
        return {"changed": False}, False
    options = daemon_options.normalise(module.params["options"])
    refuse_lost_commands(module.params, options)
    command = daemon_config.vendor_command(module.params["dockerd"])
    files = wanted_files(module.params, options, command)
    changes = [item for item in files if not file_io.is_as_wanted(*item)]
    root = data_root.of(options)
    # The SELinux that a chroot sees is that of the machine around it.
    unlabelled = selinux_context.is_wanted(root) and not is_chroot(module)
    if not changes and not unlabelled:
        return {"changed": False, "proven": module.params["prove"]}, False
    path, text, _ = files[-1]
    refuse_useless_root(module, root)
    proven = file_io.read_text(path) == text or prove(module, options, command)
    shown = [difference(*item[:2]) for item in changes if item[0] != module.params["proxy_env"]]
    result = {"changed": True, "proven": proven, "diff": shown}
    restart = needs_restart(changes)
    if not module.check_mode:
        if unlabelled:
            label(module, root)
        if files[-1] in changes:
            result.update(back_up_foreign(module))
        write(module, changes, text)
    return result, restart
