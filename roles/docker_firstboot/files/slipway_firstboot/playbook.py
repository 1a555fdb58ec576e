# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Applies a site's own playbook with ansible-pull: once, and only from a commit that somebody trusted has signed."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager

from slipway_firstboot import files
from slipway_firstboot.errors import StepError

# What ansible prints of the task that fetches and verifies, before anything of the playbook.
FETCHED = re.compile(r"^localhost \| (?:SUCCESS|CHANGED)", re.MULTILINE)
REASON = re.compile(r'"msg": ("(?:[^"\\]|\\.)*")')
UNSIGNED = "Failed to verify GPG signature"
LONGEST_REASON = 300


class Playbook:
    """state: a folder of root's for the checkout, and for the stamp that says what was applied; both last."""

    def __init__(self, settings, state, runtime):
        self.settings = settings
        self.checkout = os.path.join(state, "checkout")
        self.stamp = os.path.join(state, "applied.json")
        self.runtime = runtime

    def apply(self):
        """Apply it unless that was done; return what was applied."""
        if not os.path.exists(self.stamp):
            # An old checkout stays at its branch, whatever the repository's default branch is by now.
            shutil.rmtree(self.checkout, ignore_errors=True)
            with self.trusted_keys() as keys:
                status, output = run(self.command(), environment(keys), self.settings["pull_seconds"])
            if status:
                raise StepError(sentence_of(status, output, self.settings))
            names = {name: self.settings["pull_" + name] for name in ("playbook", "url")}
            files.write_json(self.stamp, dict(names, commit=self.commit()))
        with open(self.stamp, encoding="utf-8") as file:
            return "{playbook} of {url} at {commit}".format(**json.load(file))

    def command(self):
        command = ["ansible-pull", "--url=" + self.settings["pull_url"], "--directory=" + self.checkout]
        if self.settings["pull_checkout"]:
            command.append("--checkout=" + self.settings["pull_checkout"])
        if self.settings["pull_trusted_keys"]:
            command.append("--verify-commit")
        return [*command, "--", self.settings["pull_playbook"]]

    @contextmanager
    def trusted_keys(self):
        """A keyring that holds the trusted keys and no other, so that git accepts no other signature."""
        folder = tempfile.mkdtemp(prefix="gnupg-", dir=self.runtime)
        try:
            if self.settings["pull_trusted_keys"]:
                import_keys(folder, self.settings["pull_trusted_keys"])
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def commit(self):
        command = ["git", "-C", self.checkout, "rev-parse", "HEAD"]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.strip()


def import_keys(folder, path):
    command = ["gpg", "--homedir", folder, "--batch", "--quiet", "--import", path]
    try:
        imported = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    except FileNotFoundError as error:
        raise StepError("there is no gpg, which verifies the playbook's commit: install gnupg2") from error
    if imported.returncode:
        raise StepError(f"gpg does not take the keys of {path} ({imported.stdout.strip()}): run docker_firstboot again")


def environment(keys):
    """Nobody is there to be asked, and what is printed is read."""
    return dict(
        os.environ,
        GNUPGHOME=keys,
        GIT_TERMINAL_PROMPT="0",
        ANSIBLE_NOCOLOR="1",
        PYTHONUNBUFFERED="1",
        HOME="/root",
        LC_ALL="C.UTF-8",
    )


def run(command, variables, seconds):
    """The exit status and the output of a command. It goes to the journal as it comes, and so do its errors.

    They are not read together: they come in the middle of a line.
    """
    try:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise StepError(f"there is no {command[0]}: run role docker_firstboot again, which installs it") from error
    late = threading.Event()
    timer = threading.Timer(seconds, end, [process, late])
    timer.start()
    lines = []
    try:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
        status = process.wait()
    finally:
        timer.cancel()
    if late.is_set():
        raise StepError(f"{command[0]} has not ended after {seconds} s: see the journal; docker_firstboot_pull_seconds")
    return status, "".join(lines)


def end(process, late):
    """End the command with all that it has started."""
    late.set()
    os.killpg(process.pid, signal.SIGKILL)


def sentence_of(status, output, settings):
    """Why ansible-pull failed. What the playbook itself says stays in the journal, which not everybody may read."""
    if FETCHED.search(output):
        return (
            f"the playbook {settings['pull_playbook']} failed, or is not in the repository (status {status}): the "
            "journal has its output, journalctl --unit docker-firstboot.service"
        )
    found = REASON.search(output)
    reason = " ".join((json.loads(found.group(1)) if found else output).split())[:LONGEST_REASON]
    if UNSIGNED in reason:
        return (
            f"{settings['pull_url']} is not trusted, and its playbook was not run: the commit is not signed by "
            "a key of docker_firstboot_pull_trusted_keys, or docker_firstboot_pull_checkout is not there. Sign it, or "
            "have the image trust the key"
        )
    return f"{settings['pull_url']} cannot be fetched ({reason}): see its address, and docker_firstboot_pull_checkout"
