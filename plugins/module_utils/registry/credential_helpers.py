# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Client for docker-credential-<helper> programs, run as the user whose credentials they store."""

import contextlib
import json
import os
import re
import select
import selectors
import shutil
import signal
import subprocess
import time
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import drop_privileges_to
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.registry.redaction import forms_of, hide

Credentials = namedtuple("Credentials", ["username", "secret"])

NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z")
# Part of the protocol: the Docker CLI compares this text.
NOT_FOUND = "credentials not found in native keychain"
# Variables of a session, not of a task.
SESSION = re.compile(r"SUDO_|SSH_|DBUS_|XDG_(?:RUNTIME|SESSION)_|(?:KRB5CCNAME|SHELL|MAIL|PWD|OLDPWD|_)\Z")
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT_SECONDS = 30
KILL_SECONDS = 5  # how long to wait for a killed process; one in uninterruptible sleep does not exit
MESSAGE_LENGTH = 500
LARGEST_OUTPUT = 1 << 20


class HelperError(Exception):
    """The helper is missing or failed; the message is for the user and holds no secrets."""


def search_path():
    return os.environ.get("PATH", "") + os.pathsep + STANDARD_PATH


def program(helper):
    return "docker-credential-" + helper


def require_name(helper):
    if not NAME.match(helper):
        raise HelperError(f"{helper!r} is not the name of a credential helper: use the part after docker-credential-")


def is_installed(helper):
    return find(helper) is not None


def find(helper):
    require_name(helper)
    return shutil.which(program(helper), path=search_path())


def require_installed(helper):
    if not is_installed(helper):
        raise HelperError(
            f"the credential helper {program(helper)} is not installed: install it in /usr/local/bin; secrets are "
            "never stored as plain text instead"
        )


def way_out(config, path, key):
    """A sentence on how to stop using the helper that the user's file names for the registry."""
    helpers = config.get("credHelpers") or {}
    if key not in helpers:
        return (
            f"If it should not be used, remove credsStore from {path}, as a login with registry '*', helper "
            f"{config.get('credsStore')} and state absent does"
        )
    sentence = f"If it should not be used, remove {key} from credHelpers in {path}"
    if not NAME.match(helpers[key]) or is_installed(helpers[key]):
        return sentence
    return f"{sentence}, as a login with this registry, helper {helpers[key]} and state absent does"


def get(account, helper, key, proxy=None):
    """Return the Credentials that the helper stores for the registry, or None. Raises HelperError."""
    code, output = run(account, helper, "get", key, proxy)
    if code and NOT_FOUND in output:
        return None
    require_success(helper, "get", code, output, ())
    try:
        answer = json.loads(output)
        found = Credentials(answer["Username"], answer["Secret"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HelperError(f"{program(helper)} get returned no user name and secret") from error
    if not all(isinstance(value, str) for value in found):
        raise HelperError(f"{program(helper)} get returned no user name and secret")
    return found


def put(account, helper, key, credentials, proxy=None):
    """Store the credentials in the helper, or erase them if None. Raises HelperError."""
    if credentials is None:
        erase(account, helper, key, proxy)
    else:
        store(account, helper, key, credentials, proxy)


def store(account, helper, key, credentials, proxy=None):
    message = {"ServerURL": key, "Username": credentials.username, "Secret": credentials.secret}
    code, output = run(account, helper, "store", json.dumps(message), proxy)
    require_success(helper, "store", code, output, forms_of(*credentials))


def erase(account, helper, key, proxy=None):
    code, output = run(account, helper, "erase", key, proxy)
    if NOT_FOUND not in output:
        require_success(helper, "erase", code, output, ())


def require_success(helper, action, code, output, secrets):
    if code:
        message = hide(" ".join(output.split()), secrets)[:MESSAGE_LENGTH]
        raise HelperError(f"{program(helper)} {action} failed: {message or f'exit status {code}'}")


def environment(account, proxy=None):
    """The environment of the helper: that of the task, with this proxy and the user's home.

    What belongs to the session of another user is left out, such as its agents' sockets.
    """
    own = account.uid == os.geteuid()
    found = {name: value for name, value in os.environ.items() if own or not SESSION.match(name)}
    for name, value in proxies.environment(proxy or {}).items():
        found.pop(name, None)
        found.update({name: value} if value else {})
    found.update({"HOME": account.home, "USER": account.name, "LOGNAME": account.name, "PATH": search_path()})
    return found


def run(account, helper, action, text, proxy=None):
    """Run the helper; return its exit status and output. Error messages are taken from either stream."""
    require_installed(helper)
    try:
        message = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise HelperError("a registry's name in the user's file is not UTF-8: correct the file") from error
    try:
        process = subprocess.Popen(
            [find(helper), action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(account, proxy),
            cwd="/",
            start_new_session=True,
            preexec_fn=drop_privileges_to(account),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HelperError(f"{program(helper)} cannot be run as {account.name} ({error})") from error
    try:
        output, errors = communicate(process, message)
    except subprocess.TimeoutExpired as error:
        raise HelperError(f"{program(helper)} {action} did not finish within {TIMEOUT_SECONDS} seconds") from error
    except OverflowError as error:
        raise HelperError(f"{program(helper)} {action} printed more than {LARGEST_OUTPUT >> 10} KiB") from error
    finally:
        terminate(process)
    return process.returncode, (output or errors if process.returncode else output).decode("utf-8", "replace")


def communicate(process, message):
    """Send the message to the process; return its stdout and stderr.

    communicate() would not do: it reads without a limit, and after a timeout it waits for processes that the helper
    started, which may have left its process group and hold the streams open.
    """
    printed = {process.stdout: bytearray(), process.stderr: bytearray()}
    streams = {stream.fileno(): stream for stream in (process.stdin, *printed)}
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        for stream in printed:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready:
                raise subprocess.TimeoutExpired(process.args, TIMEOUT_SECONDS)
            for key, _ in ready:
                stream = streams[key.fd]
                if stream is process.stdin:
                    message = send(key.fd, message)
                    more = bool(message)
                else:
                    more = receive(key.fd, printed[stream])
                if not more:
                    selector.unregister(stream)
                    stream.close()
    process.wait(max(deadline - time.monotonic(), 0))
    return printed[process.stdout], printed[process.stderr]


def send(descriptor, message):
    """Write up to PIPE_BUF bytes, which never blocks; return the rest, or nothing if the reader is gone."""
    try:
        return message[os.write(descriptor, message[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return b""


def receive(descriptor, printed):
    """Read a chunk; return whether more may follow."""
    chunk = os.read(descriptor, select.PIPE_BUF)
    printed += chunk
    if len(printed) > LARGEST_OUTPUT:
        raise OverflowError
    return bool(chunk)


def terminate(process):
    """Kill the helper's process group, without waiting for processes that left it."""
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    if process.returncode is None:  # its PID cannot be reused before it is reaped
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_SECONDS)
