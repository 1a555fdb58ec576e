# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Speaks with docker-credential-<helper> programs, as the user whose credentials they keep."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.acting_as import becoming
from ansible_collections.slipway.platform.plugins.module_utils.docker_config_redaction import forms_of, hide

Credentials = namedtuple("Credentials", ["username", "secret"])

NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z")
# The sentence is the protocol: docker itself compares it.
NOT_FOUND = "credentials not found in native keychain"
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT_SECONDS = 30
MESSAGE_LENGTH = 500


class HelperError(Exception):
    """The helper is missing or has failed; the text is the sentence for the user, without secrets."""


def search_path():
    return os.environ.get("PATH", "") + os.pathsep + STANDARD_PATH


def program(helper):
    return "docker-credential-" + helper


def require_name(helper):
    if not NAME.match(helper):
        raise HelperError(f"{helper!r} does not name a credential helper: write what follows docker-credential-")


def is_installed(helper):
    return find(helper) is not None


def find(helper):
    require_name(helper)
    return shutil.which(program(helper), path=search_path())


def require_installed(helper):
    if not is_installed(helper):
        raise HelperError(
            f"the credential helper {program(helper)} is not on this host: install it into /usr/local/bin, "
            "the secret is never written as plain text instead"
        )


def get(account, helper, key):
    """What the helper keeps for the registry, or None."""
    code, output = run(account, helper, "get", key)
    if code and NOT_FOUND in output:
        return None
    require_success(helper, "get", code, output, ())
    try:
        answer = json.loads(output)
        return Credentials(str(answer["Username"]), str(answer["Secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise HelperError(f"{program(helper)} get does not answer with a user name and a secret") from error


def put(account, helper, key, credentials):
    """Make the helper keep these credentials, or none."""
    if credentials is None:
        erase(account, helper, key)
    else:
        store(account, helper, key, credentials)


def store(account, helper, key, credentials):
    message = {"ServerURL": key, "Username": credentials.username, "Secret": credentials.secret}
    code, output = run(account, helper, "store", json.dumps(message))
    require_success(helper, "store", code, output, forms_of(*credentials))


def erase(account, helper, key):
    code, output = run(account, helper, "erase", key)
    if NOT_FOUND not in output:
        require_success(helper, "erase", code, output, ())


def require_success(helper, action, code, output, secrets):
    if code:
        message = hide(" ".join(output.split()), secrets)[:MESSAGE_LENGTH]
        raise HelperError(f"{program(helper)} {action} fails: {message or f'it ends with {code}'}")


def run(account, helper, action, text):
    """The exit status and what the helper prints, errors included: they come on either stream."""
    require_installed(helper)
    try:
        process = subprocess.Popen(
            [find(helper), action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"HOME": account.home, "USER": account.name, "LOGNAME": account.name, "PATH": search_path()},
            cwd="/",
            start_new_session=True,
            preexec_fn=becoming(account),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HelperError(f"{program(helper)} cannot be run as {account.name} ({error})") from error
    try:
        output, errors = process.communicate(text.encode("utf-8"), timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        end(process)
        raise HelperError(f"{program(helper)} {action} has not answered in {TIMEOUT_SECONDS} seconds") from error
    return process.returncode, (output or errors if process.returncode else output).decode("utf-8", "replace")


def end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
