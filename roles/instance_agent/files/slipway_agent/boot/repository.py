# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A clone of a site's repository, whose server is not trusted: it controls names, but not object IDs.

A name is resolved once. Afterwards only the commit's ID is used, in forms that git cannot take for a branch or a tag.
"""

import os
import re

from slipway_agent.boot import commands, values
from slipway_agent.boot.errors import StepError

# Status lines of gpg (doc/DETAILS of GnuPG). The last field of VALIDSIG is the fingerprint of the primary key.
GOOD = re.compile(r"^\[GNUPG:\] GOODSIG ", re.MULTILINE)
VALID = re.compile(r"^\[GNUPG:\] VALIDSIG (?:\S+ )+(\S+)$", re.MULTILINE)
FATAL = re.compile(r"^(?:fatal|error): (.+)$", re.MULTILINE)
LONGEST_REASON = 300


class Repository:
    """folder: the directory of the clone. deadline, variables: time limit and environment of all commands."""

    def __init__(self, url, folder, deadline, variables):
        self.url = url
        self.folder = folder
        self.deadline = deadline
        self.variables = variables

    def clone(self):
        """Fetch all branches and tags without a checkout. Raises StepError with git's reason."""
        done = self._run("git", "clone", "--quiet", "--no-checkout", "--", self.url, self.folder)
        if done.status:
            raise StepError(f"{self.url} cannot be fetched ({reason_of(done.errors)}): check the address")

    def commit(self, name):
        """Return the ID of a commit by its full ID, by a branch, or else by a tag; "" is the default branch.

        Raises StepError if the repository has no such commit.
        """
        for revision in revisions(name):
            found = self._git("rev-parse", "--quiet", "--verify", revision + "^{commit}")
            if not found.status:
                return found.output.strip()
        missing = f"branch, tag or commit {name}" if name else "default branch"
        raise StepError(f"{self.url} has no {missing}, and nothing was run: check docker_firstboot_pull_checkout")

    def signer(self, commit):
        """Return the fingerprint of the primary key if the commit has exactly one good signature, else None."""
        verified = self._git("verify-commit", "--raw", commit)
        signers = VALID.findall(verified.errors)
        one = len(signers) == len(GOOD.findall(verified.errors)) == 1
        return signers[0] if one and not verified.status else None

    def descends(self, commit, ancestor):
        """Return whether the commit is the ancestor or one of its descendants."""
        return self._git("merge-base", "--is-ancestor", ancestor, commit).status == 0

    def check_out(self, commit):
        """Check out the commit and its submodules, all by their IDs.

        Raises StepError.
        """
        self._must("reset", "--quiet", "--hard", commit)
        if os.path.lexists(os.path.join(self.folder, ".gitmodules")):
            self._must("submodule", "--quiet", "update", "--init", "--recursive")
            # git checks out a submodule by its ID, but prefers a branch of that name.
            for line in self._must("submodule", "status", "--recursive").splitlines():
                if not line.startswith(" "):
                    raise StepError(
                        f"submodule {line.split()[1]} of {self.url} is not at the commit recorded in {commit}, and "
                        "nothing was run: check the repository's server"
                    )

    def _must(self, *arguments):
        done = self._git(*arguments)
        if done.status:
            raise StepError(f"{self.url} cannot be checked out ({reason_of(done.errors)}), and nothing was run")
        return done.output

    def _git(self, *arguments):
        return self._run("git", "-C", self.folder, *arguments)

    def _run(self, *command):
        return commands.run(command, self.deadline, self.variables)


def revisions(name):
    """Return the unambiguous revisions that a name may stand for, in order."""
    if values.is_full_commit(name):
        return [name]
    if not name:
        return ["HEAD"]
    return ["refs/remotes/origin/" + name, "refs/tags/" + name]


def reason_of(errors):
    """Return git's last error message in one line. The rest, including the server's, goes to the journal only."""
    print(errors, flush=True)
    found = FATAL.findall(errors)
    return " ".join((found[-1] if found else errors).split())[:LONGEST_REASON]
