# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Applies a site's playbook once, from a commit that a trusted key has signed."""

import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager

from slipway_agent.boot import commands, files, values
from slipway_agent.boot.errors import StepError
from slipway_agent.boot.repository import Repository

EVERY_HOST = ("all", "ungrouped")  # names of groups that every inventory has


class Playbook:
    """state: a persistent directory that root owns, for the checkout and for the record of what was applied."""

    def __init__(self, settings, state, runtime):
        self.settings = settings
        self.checkout = os.path.join(state, "checkout")
        self.stamp = os.path.join(state, "applied.json")
        self.runtime = runtime

    def apply(self):
        """Apply the playbook unless it was applied before; return a description of it."""
        if not os.path.exists(self.stamp):
            deadline = commands.Deadline(self.settings["pull_seconds"])
            commit = self.fetch(deadline)
            self.run(deadline)
            names = {name: self.settings["pull_" + name] for name in ("playbook", "url")}
            files.write_json(self.stamp, dict(names, commit=commit))
        with open(self.stamp, encoding="utf-8") as file:
            return "{playbook} of {url} at {commit}".format(**json.load(file))

    def fetch(self, deadline):
        """Check out the configured commit if it is trusted and return its ID; otherwise leave no file of it."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        try:
            with self.trusted_keys() as keys:
                repository = Repository(
                    self.settings["pull_url"], self.checkout, deadline, dict(environment(), GNUPGHOME=keys)
                )
                repository.clone()
                commit = repository.commit(self.settings["pull_checkout"])
                self.judge(repository, commit)
                repository.check_out(commit)
        except BaseException:
            shutil.rmtree(self.checkout, ignore_errors=True)
            raise
        return commit

    def judge(self, repository, commit):
        """Raise StepError unless a trusted key signed the commit and it is not older than the minimum."""
        reason = self.objection(repository, commit)
        if reason:
            raise StepError(f"{commit} of {repository.url} is not trusted, and its playbook was not run: {reason}")

    def objection(self, repository, commit):
        minimum, verified = self.settings["pull_minimum_commit"], bool(self.settings["pull_trusted_keys"])
        if verified and repository.signer(commit) not in self.settings["pull_fingerprints"]:
            return (
                "it has no valid signature by a key in docker_firstboot_pull_trusted_keys. Sign the commit, or add "
                "its key to the image"
            )
        if verified and not minimum and not values.is_full_commit(self.settings["pull_checkout"]):
            return (
                "it may be outdated, because the image has no docker_firstboot_pull_minimum_commit and pull_checkout "
                "is not a full commit ID. Set one of them"
            )
        if minimum and not repository.descends(commit, minimum):
            return (
                f"it does not descend from docker_firstboot_pull_minimum_commit {minimum}. It is older or belongs to "
                "another repository: check docker_firstboot_pull_checkout"
            )
        return ""

    def run(self, deadline):
        """Run the playbook as ansible-pull does. Its output goes to the journal only, which is not public."""
        name, url = self.settings["pull_playbook"], self.settings["pull_url"]
        path = os.path.join(self.checkout, name)
        if not os.path.isfile(path):
            raise StepError(f"{url} has no playbook {name}: check docker_firstboot_pull_playbook")
        command = ["ansible-playbook", "--connection=local", "--limit=" + ",".join(names_of_this_host()), path]
        status = commands.run(command, deadline, environment(), folder=self.checkout, captured=False).status
        if status:
            raise StepError(
                f"the playbook {name} failed (exit status {status}): see journalctl --unit docker-firstboot.service"
            )

    @contextmanager
    def trusted_keys(self):
        """Make a keyring of the trusted keys, so that git accepts no other signature."""
        folder = tempfile.mkdtemp(prefix="gnupg-", dir=self.runtime)
        try:
            if self.settings["pull_trusted_keys"]:
                import_keys(folder, self.settings["pull_trusted_keys"])
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def import_keys(folder, path):
    command = ["gpg", "--homedir", folder, "--batch", "--quiet", "--import", path]
    try:
        imported = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    except FileNotFoundError as error:
        raise StepError("gpg, which verifies the playbook's commit, is not installed: install gnupg2") from error
    if imported.returncode:
        raise StepError(
            f"gpg cannot import the keys in {path} ({imported.stdout.strip()}): run the role docker_firstboot again"
        )


def names_of_this_host():
    """Return the names that a site's inventory may use for this host, as ansible-pull tries them.

    DNS and DHCP choose some of them, and could name another host, or a pattern that matches all.
    """
    own = platform.node()
    short = own.partition(".")[0]
    names = [name for name in (socket.getfqdn(), own, short) if name.partition(".")[0] == short]
    return ["localhost", *dict.fromkeys(filter(is_name_of_a_host, names)), "127.0.0.1"]


def is_name_of_a_host(name):
    return values.is_host_name(name) and name not in EVERY_HOST


def environment():
    """Return the environment of all commands: no prompts, plain output, and no replaced git objects."""
    own = {
        "ANSIBLE_NOCOLOR": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    return dict({"HOME": "/root"}, **dict(os.environ, **own))
