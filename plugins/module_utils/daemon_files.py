# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Proves and writes the engine's files: daemon.json, the drop-in of docker.service, the environment of the proxy."""

import hashlib
import json
import os

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


def record_line(path, text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest}  {path}\n"


def prove(module, options, command):
    """Whether dockerd accepts the options; fails when it refuses them."""
    dockerd = module.params["dockerd"]
    if not module.params["prove"] or not os.path.exists(dockerd):
        return False
    flags = daemon_config.shadow_flags(command)
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
    """Put the changed files in place, after what they replace is recorded."""
    if needs_restart(changes):
        rollback.save([module.params[key] for key in ("path", "dropin", "proxy_env")] + [RECORD])
    file_io.put_all(changes)
    file_io.put(RECORD, record_line(module.params["path"], daemon_json), 0o644)


def configure(module):
    """Prove and write what differs; a refusal fails the module with the daemon's own words.

    Returns what the module is to return, and whether a running engine has to be restarted for it.
    """
    if module.params["options"] is None:
        return {"changed": False}, False
    options = daemon_options.normalise(module.params["options"])
    if "hosts" in options:
        daemon_config.refuse_second_command(module.params["dropin"])
    command = daemon_config.vendor_command(module.params["dockerd"])
    files = wanted_files(module.params, options, command)
    changes = [item for item in files if not file_io.is_as_wanted(*item)]
    if not changes:
        return {"changed": False, "proven": module.params["prove"]}, False
    path, text, _ = files[-1]
    proven = file_io.read_text(path) == text or prove(module, options, command)
    shown = [difference(*item[:2]) for item in changes if item[0] != module.params["proxy_env"]]
    result = {"changed": True, "proven": proven, "diff": shown}
    restart = needs_restart(changes)
    if not module.check_mode:
        if files[-1] in changes:
            result.update(back_up_foreign(module))
        write(module, changes, text)
    return result, restart
