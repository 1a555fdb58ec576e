# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Trial start of a user's engine, as the user, next to one that runs: daemon.trial_start without root.

It takes the way of the real engine, through RootlessKit, newuidmap and the network driver, so that it proves these too.
"""

import json
import os
import re
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.daemon import trial_start
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.host.files import nearest_existing_parent

# What dockerd-rootless.sh (set -x) and RootlessKit add to the words of dockerd, which say why.
NOISE = re.compile(r"\A(?:\++ |\[rootlesskit:(?:parent|child ?)\])")
EXIT_OF_CHILD = re.compile(r"error: (?:child exited|command \[)")


def validate(account, options, launcher, environment, timeout):
    """Start a trial engine as the user, wait until it serves its API or exits, and clean up; return an Outcome.

    options: those of daemon.json. launcher: path of dockerd-rootless.sh. environment: the variables of the user's
    engine. timeout: in seconds.
    """
    root = options.get("data-root") or os.path.join(account.home, ".local/share/docker")
    with run_as.acting_as(account):
        data = tempfile.mkdtemp(prefix=".slipway-trial-", dir=data_directory(root))
    run = tempfile.mkdtemp(prefix="slipway-trial-", dir="/run")  # short: sockets allow 107 characters
    try:
        os.chown(run, account.uid, account.gid)
        with run_as.acting_as(account):
            write_configuration(run, options)
        arguments = command(account, launcher, environment, data, run, timeout)
        return judged(trial_start.run_trial(arguments, run, timeout))
    finally:
        shutil.rmtree(run, ignore_errors=True)
        with run_as.acting_as(account):
            shutil.rmtree(data, ignore_errors=True)


def data_directory(root):
    """Return a directory on the file system of the data root, on which the storage driver depends, where the user may
    write: a root that was prepared for them may be all that is theirs. To be called with their identity.
    """
    root = os.path.realpath(root)
    parent = nearest_existing_parent(os.path.dirname(root))
    is_reachable = os.access(parent, os.W_OK | os.X_OK, effective_ids=True) and not os.path.ismount(root)
    return parent if is_reachable or not os.path.isdir(root) else root


def write_configuration(run, options):
    trial_start.write(
        os.path.join(run, "daemon.json"),
        json.dumps({key: value for key, value in options.items() if key not in trial_start.REPLACED}),
    )


def command(account, launcher, environment, data, run, timeout):
    """Return the command line of the trial engine: the user's privileges, a process namespace, and paths of its own."""
    variables = {**environment, "XDG_RUNTIME_DIR": run, "TMPDIR": run}
    variables.pop("DBUS_SESSION_BUS_ADDRESS", None)  # it starts no container, which would need the user's systemd
    own = ["--config-file", os.path.join(run, "daemon.json"), "--data-root", data]
    own += ["--exec-root", os.path.join(run, "exec"), "--pidfile", os.path.join(run, "pid")]
    own += ["--host", "unix://" + trial_start.socket_path(run)]
    # The outer timeout ends the trial engine even if this process is killed.
    isolate = ["timeout", "--signal=KILL", str(timeout + 5)]
    isolate += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    become = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--init-groups"]
    assigned = [f"{name}={value}" for name, value in sorted(variables.items())]
    return isolate + become + ["env", "--ignore-environment", *assigned, launcher, *own]


def judged(outcome):
    """Return the outcome with the engine's own reason, or that of RootlessKit if no engine was started."""
    if outcome.verdict != trial_start.REFUSED:
        return outcome
    lines = [line for line in outcome.log if not NOISE.match(line)]
    reason = daemon_log.reason(lines, of_daemon=True)
    if not reason:
        kept = [line for line in outcome.log if line.startswith("[rootlesskit") and not EXIT_OF_CHILD.search(line)]
        reason = NOISE.sub("", " ".join(kept[-1:])).strip() or outcome.reason
    return outcome._replace(reason=reason)
