# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What dnf 4.23 and dnf5 5.4 say about repositories was recorded on Debian's."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import dnf_query

DNF4 = (
    "Failed loading plugin \"a\": no module\nError: Failed to download metadata for repo 'third': Cannot download "
    "repomd.xml: All mirrors were tried"
)
DNF5 = 'Failed to download metadata (baseurl: "http://127.0.0.1:9/") for repository "third": Usable URL not found'


@pytest.mark.parametrize(
    ("errors", "reason"),
    [(DNF4, "Cannot download repomd.xml: All mirrors were tried"), (DNF5, "Usable URL not found")],
)
def test_the_repository_that_cannot_be_read_is_found(errors: str, reason: str) -> None:
    error = dnf_query.RepositoryError(" ".join(errors.split()))
    assert (error.repository, str(error)) == ("third", reason)


def test_any_other_reason_is_kept() -> None:
    error = dnf_query.RepositoryError("dnf exited with status 3")
    assert (error.repository, str(error)) == (None, "dnf exited with status 3")


class Dnf:
    """Stands in for a module; answers queries with one build."""

    def __init__(self, tmp_path: Path, baseurl: str | None) -> None:
        self.tmpdir = str(tmp_path)
        self.params = {"baseurl": baseurl, "repo_id": "docker-ce-stable", "proxy": ""}
        self.command: list[str] = []

    def get_bin_path(self, program: str, **_: Any) -> str:
        return program

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        self.command = command
        return 0, "docker-ce\t3\t26.1.5\t1.el9\n", ""


def test_without_a_managed_repository_builds_may_come_from_any(tmp_path: Path) -> None:
    """A repository of the user's own may have any ID."""
    dnf = Dnf(tmp_path, None)
    (build,) = dnf_query.builds_of(dnf, ["docker-ce"])
    assert build.spec == "docker-ce-3:26.1.5-1.el9"
    assert "--repo" not in dnf.command
    assert "docker-ce-stable" not in dnf.command


def test_with_a_managed_repository_builds_come_from_it_alone(tmp_path: Path) -> None:
    dnf = Dnf(tmp_path, "https://x/9")
    dnf_query.builds_of(dnf, ["docker-ce"])
    assert dnf.command[dnf.command.index("--repo") + 1] == "docker-ce-stable"
    assert "--setopt=reposdir=/dev/null" in dnf.command


class PrivateDnf(Dnf):
    """Keeps what dnf could read, and what everybody can see of it."""

    def run_command(self, command: list[str], **keywords: Any) -> tuple[int, str, str]:
        self.seen = str(keywords)
        self.config = Path(command[command.index("--config") + 1])
        self.mode, self.text = stat.S_IMODE(self.config.stat().st_mode), self.config.read_text()
        return super().run_command(command)


def test_credentials_reach_dnf_in_a_private_file_that_does_not_stay(tmp_path: Path) -> None:
    """Fault: the proxy and the repository need passwords. Outcome: only root can read them, and they are in no argv."""
    dnf = PrivateDnf(tmp_path, "https://ci:t0ken@packages.internal/9")
    dnf.params["proxy"] = "http://me:s3cret%21@proxy:3128"
    before = os.umask(0)
    try:
        dnf_query.builds_of(dnf, ["docker-ce"])
    finally:
        os.umask(before)
    assert dnf.mode == 0o600
    assert "\nproxy_password=s3cret!\n" in dnf.text
    assert "\npassword=t0ken\n" in dnf.text
    for secret in ("s3cret", "t0ken"):
        assert secret not in " ".join(dnf.command)
        assert secret not in dnf.seen
    assert not dnf.config.exists()
    assert list(tmp_path.iterdir()) == []
