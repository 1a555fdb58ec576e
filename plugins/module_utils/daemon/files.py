# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The engine's files are validated and written together, or none of them."""

import hashlib
import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    access_policy,
    daemon_json,
    data_root,
    data_root_checks,
    foreign_flags,
    selinux,
    trial_start,
    validation,
    versions,
)
from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.daemon.shown_options import show_options
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import groups, owned_groups, rollback
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_chroot
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies, url_secrets

# The checksum of the daemon.json that this collection wrote, in the format of sha256sum.
RECORD = "/var/lib/slipway/daemon.json.sha256"


def record_line(path, text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest}  {path}\n"


def validate(module, options, command):
    """Return whether dockerd accepted the options, False if unknown. Fails the module if it rejected them."""
    dockerd = module.params["dockerd"]
    if not module.params["prove"] or not os.path.exists(dockerd):
        return False
    flags = daemon_config.trial_flags(command)
    if module.params["baking"]:
        result = validation.validate(module, dockerd, options, flags)
    else:
        result = trial_start.validate(dockerd, options, flags, module.params["prove_timeout"])
    if result.verdict == trial_start.REFUSED:
        module.fail_json(
            msg="dockerd {} rejects the new {} ({}): correct docker_engine_daemon_options. Nothing was changed.".format(
                versions.installed(module, dockerd), module.params["path"], result.reason
            ),
            log=result.log,
        )
    if result.verdict == trial_start.UNKNOWN:
        module.warn(
            "{} could not be validated on this host ({}): errors will show at the engine's next start".format(
                module.params["path"], result.reason
            )
        )
    return result.verdict == trial_start.ACCEPTED


def difference(path, text):
    show = show_options if path.endswith(".json") else url_secrets.redact
    return {
        "before_header": path,
        "after_header": path,
        "before": show(host_files.read_text(path) or ""),
        "after": show(text or ""),
    }


def is_ours(path):
    """Whether the daemon.json exists and is unchanged since this collection wrote it."""
    text = host_files.read_text(path)
    return text is not None and host_files.read_text(RECORD) == record_line(path, text)


def back_up_foreign(module, options):
    """Back up a daemon.json that this collection did not write, or that was edited since, and name what goes."""
    path = module.params["path"]
    text = host_files.read_text(path)
    if text is None or is_ours(path):
        return {}
    backup = None if module.check_mode else module.backup_local(path)
    kept = f"see the backup {backup}" if backup else "a real run keeps a backup"
    replaced = daemon_json.load(text)
    if replaced is None:
        module.warn(f"{path} was not valid JSON and is replaced: {kept}")
        return {"backup_file": backup} if backup else {}
    gone = sorted(key for key in replaced if key not in options or options[key] != replaced[key])
    if gone:
        module.warn(
            f"{path} was not written by this collection, or was edited since, and is replaced. Its options "
            f"{', '.join(gone)} are lost or change: set those to keep in docker_engine_daemon_options, and {kept}"
        )
    return {"backup_file": backup} if backup else {}


def needs_restart(changes):
    """Whether the text of a file changes; a running engine does not need a restart for owner and mode."""
    return any(host_files.read_text(path) != text for path, text, _ in changes)


def write(module, changes, text):
    """Write all changed files or none, after recording what they replace; text is daemon.json's. Raises WriteError."""
    # While baking, no engine starts that may need a rollback, and /run may be that of the build host.
    record = module.tmpdir if module.params["baking"] else rollback.DIRECTORY
    if needs_restart(changes):
        replaced = [module.params[key] for key in ("path", "dropin", "containerd_dropin", "proxy_env")]
        rollback.save([*replaced, RECORD], record)
    try:
        host_files.put_all(changes)
        host_files.put(RECORD, record_line(module.params["path"], text), 0o644)
    except host_files.WriteError:
        rollback.restore(rollback.replaced(record))
        rollback.clear(record)
        raise


def refuse_invalid(params, options):
    """Repeat the role's checks, for use of the module without the role. Raises DaemonConfigError."""
    problems = [proxies.problem(params["proxy"]), proxies.problem_of_daemon(options)]
    problems += access_policy.problems(options, params["open_api"])
    group = str(options.get("group") or "docker")
    name = (groups.owner_of(int(group)) or group) if group.isdigit() else group
    # The package uses the group docker as it finds it, also one of a directory service.
    if name != "docker" and not groups.is_own(name, owned_groups.recorded()):
        problems.append(
            f"group {group} existed before the engine, and access to the engine would make its members root: remove it "
            "from docker_engine_daemon_options, and set docker_access_socket_group"
        )
    if any(problems):
        raise daemon_config.DaemonConfigError("; ".join(problem.rstrip(".") for problem in problems if problem))


def refuse_conflicting_drop_ins(params, options):
    """Raise DaemonConfigError if another drop-in overrides one of this collection's, or clashes with the options."""
    by_hand = foreign_flags.problems(options)
    if by_hand:
        raise daemon_config.DaemonConfigError("; ".join(by_hand))
    if "hosts" in options:
        daemon_config.refuse_conflicting_drop_in(
            params["dropin"],
            "hosts in docker_engine_daemon_options",
            "remove hosts from it (tls.conf belongs to docker_access_tls)",
        )
    if data_root.from_options(options) != data_root.DEFAULT:
        daemon_config.refuse_conflicting_drop_in(
            params["containerd_dropin"],
            "docker_engine_data_root",
            "set --root there only and unset docker_engine_data_root",
        )


def refuse_unusable_root(module, root, options):
    """Repeat the preflight's checks of the data root, for use of the module without the role."""
    params = module.params
    problems = data_root_checks.problems(
        module, root, options, params["data_root_leave_data"], params["path"], params["containerd_dropin"]
    )
    if problems:
        raise daemon_config.DaemonConfigError("; ".join(problems))


def label(module, root):
    """Set the SELinux labels of the data root. Raises DaemonConfigError."""
    try:
        selinux.label(module, root)
    except selinux.LabelError as error:
        raise daemon_config.DaemonConfigError(f"{root} cannot be labelled for SELinux: {error}") from error


def configure(module):
    """Validate the configuration and write what differs. Raises DaemonConfigError and WriteError.

    Returns the module's result, and whether a running engine needs a restart.
    """
    if module.params["options"] is None:
        return {"changed": False}, False
    options = daemon_json.normalise(module.params["options"])
    refuse_invalid(module.params, options)
    refuse_conflicting_drop_ins(module.params, options)
    command = daemon_config.vendor_command(module.params["dockerd"])
    files = daemon_config.wanted_files(module.params, options, command)
    changes = [item for item in files if not host_files.is_up_to_date(*item)]
    root = data_root.from_options(options)
    # A chroot sees the SELinux state of the build host.
    unlabelled = selinux.is_pending(root) and not is_chroot()
    if not changes and not unlabelled:
        return {"changed": False, "proven": module.params["prove"]}, False
    path, text, _ = files[-1]
    refuse_unusable_root(module, root, options)
    proven = host_files.read_text(path) == text or validate(module, options, command)
    shown = [difference(*item[:2]) for item in changes if item[0] != module.params["proxy_env"]]
    result = {"changed": True, "proven": proven, "diff": shown}
    restart = needs_restart(changes)
    if files[-1] in changes:
        result.update(back_up_foreign(module, options))
    if not module.check_mode:
        if unlabelled:
            label(module, root)
        write(module, changes, text)
    return result, restart
