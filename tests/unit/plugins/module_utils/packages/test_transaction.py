# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Parsing and options of a transaction; tests/lab runs dnf and rpm themselves."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import exclusions, transaction


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("docker-ce", "docker-ce"),
        ("docker-ce-3:26.1.5-1.el9", "docker-ce"),
        ("docker-buildx-plugin-0.13.1-1.el9", "docker-buildx-plugin"),
        ("policycoreutils-python-utils", "policycoreutils-python-utils"),
        ("java-11-openjdk", "java-11-openjdk"),
        ("python3.11", "python3.11"),
        ("/var/cache/agent-1-1.rpm", None),
    ],
)
def test_the_package_name_is_extracted_from_a_spec(spec: str, name: str | None) -> None:
    assert transaction.name_of(spec) == name


@pytest.mark.parametrize(
    ("program", "configuration", "cache"),
    [
        ("dnf-3", None, "/var/cache/dnf"),
        ("dnf5", "[main]\ngpgcheck=1\n", "/var/cache/libdnf5"),
        ("dnf5", "[main]\ncachedir = /srv/cache\n", "/srv/cache"),
        ("dnf-3", "[main]\n#cachedir=/a\ncachedir=/var/cache/yum/$basearch/$releasever\n", "/var/cache/dnf"),
    ],
)
def test_the_cache_directory_is_that_of_the_installed_dnf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, configuration: str | None, cache: str
) -> None:
    monkeypatch.setattr(transaction, "DNF_CONFIG", str(tmp_path / "dnf.conf"))
    if configuration:
        (tmp_path / "dnf.conf").write_text(configuration)
    (tmp_path / program).touch()
    (tmp_path / "dnf").symlink_to(tmp_path / program)
    assert transaction.cache_of(str(tmp_path / "dnf")) == cache


def test_the_exception_comes_after_the_pattern() -> None:
    """dnf applies options in order; the other way round, it would find no package at all."""
    options = transaction.only_from({"id": "docker-ce-stable", "packages": ["docker-ce", "containerd.io"]})
    assert options == ["--setopt=*.excludepkgs=docker-ce,containerd.io", "--setopt=docker-ce-stable.excludepkgs="]


# Recorded from dnf 4.23 and dnf5 5.4: what comes before the reason, the reason, and what follows it.
ERRORS = {
    "dnf 4, excluded": ("", "Error: Unable to find a match: docker-ce\n", ""),
    "dnf 4, unreadable repository": (
        "Errors during downloading metadata for repository 'third':\n  - Curl error (7): Could not connect\n",
        "Error: Failed to download metadata for repo 'third': All mirrors were tried\n",
        "",
    ),
    "dnf 4, another signer": (
        "",
        "Public key for docker-ce-26.1.5-1.el9.noarch.rpm is not installed. Failing package is: docker-ce\n"
        " GPG Keys are configured as: file:///etc/key\nError: GPG check FAILED\n",
        "",
    ),
    "dnf5, excluded": (
        "Updating and loading repositories:\nRepositories loaded.\n",
        "Failed to resolve the transaction:\nArgument 'docker-ce' matches only excluded packages.\n",
        "",
    ),
    "dnf5, missing requirement": (
        "Repositories loaded.\n",
        "Failed to resolve the transaction:\nProblem: package a requires b\n  - nothing provides b\n",
        "You can try to add to command line:\n  --no-best to not limit the transaction\n  --skip-broken to skip\n",
    ),
}


@pytest.mark.parametrize("parts", ERRORS.values(), ids=ERRORS.keys())
def test_the_reason_is_reported_without_progress_and_advice(parts: tuple[str, str, str]) -> None:
    """Fault: dnf cannot resolve the transaction. Outcome: its reason is in the message, with dnf 4 as with dnf5."""
    assert transaction.reason("", "".join(parts)) == " ".join(parts[1].split()).rstrip(".")


def test_any_other_error_is_reported_as_it_is() -> None:
    assert transaction.reason("some\noutput\n", "") == "some output"
    assert transaction.reason("", "unexpected.\n") == "unexpected"
    assert transaction.reason("", "") == "dnf gives no reason"


def test_a_scriptlet_that_fails_is_named() -> None:
    """Fault: a scriptlet of a package fails, such as that of container-selinux on a host without /etc/selinux/config.
    Outcome: its words are in the message.
    """
    errors = (
        "/var/tmp/rpm-tmp.F0rYeW: line 2: /etc/selinux/config: No such file or directory\n"
        "error: %prein(container-selinux-2:2.189.0-1.el8.noarch) scriptlet failed, exit status 1\n\n"
        "Error: Transaction failed\n"
    )
    output = "Running transaction\nError in PREIN scriptlet in rpm package container-selinux\n"
    assert transaction.reason(output, errors) == (
        "Error: Transaction failed; Error in PREIN scriptlet in rpm package container-selinux; "
        "/var/tmp/rpm-tmp.F0rYeW: line 2: /etc/selinux/config: No such file or directory; error: "
        "%prein(container-selinux-2:2.189.0-1.el8.noarch) scriptlet failed, exit status 1"
    )


class Host:
    """Stands in for a module on a host with two builds of docker-ce-cli; records the commands of dnf."""

    check_mode = False

    def __init__(self, result: tuple[int, str, str] = (0, "", "")) -> None:
        self.result = result
        self.commands: list[list[str]] = []

    def get_bin_path(self, program: str, **_: Any) -> str:
        return f"/usr/bin/{program}"

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        if command[0] == "rpm":
            return 1, "".join(f"docker-ce-cli\t1\t{version}\t1.el9\n" for version in ("20.10.24", "26.1.5")), ""
        self.commands.append(command)
        return self.result


@pytest.mark.parametrize("wanted", ["docker-ce-cli", "docker-ce-cli-1:20.10.24-1.el9"])
def test_only_installed_packages_are_removed(wanted: str) -> None:
    host = Host()
    assert transaction.remove(host, [wanted, "docker-ce", "docker-ce-cli-1:27.0.1-1.el9"]) == [wanted]
    ((program, command, *options, last),) = host.commands
    assert (program, command, last) == ("/usr/bin/dnf", "remove", wanted)
    assert "--setopt=clean_requirements_on_remove=0" in options
    assert transaction.remove(host, ["docker-ce"]) == []
    assert len(host.commands) == 1


def test_nothing_is_removed_in_check_mode() -> None:
    host = Host()
    host.check_mode = True
    assert transaction.remove(host, ["docker-ce-cli"]) == ["docker-ce-cli"]
    assert host.commands == []


def test_a_removal_that_fails_says_why() -> None:
    with pytest.raises(transaction.TransactionError, match="Problem: x is protected"):
        transaction.remove(
            Host((1, "", "Failed to resolve the transaction:\nProblem: x is protected.\n")), ["docker-ce-cli"]
        )


@pytest.mark.parametrize("state", ["is_needed", "install", "download"])
def test_the_command_comes_before_its_options(state: str) -> None:
    """dnf5 rejects --downloadonly before it."""
    host = Host((0, "Nothing to do.", ""))
    getattr(transaction.Transaction(host, ["docker-ce"], [], True, None), state)()
    assert [command[1] for command in host.commands] == ["install"]


UNRELATED = ("dnf 4, unreadable repository", "dnf 4, another signer")


@pytest.mark.parametrize(("name", "parts"), ERRORS.items())
def test_a_setting_that_hides_packages_is_in_the_message_if_it_can_be_the_reason(
    monkeypatch: pytest.MonkeyPatch, name: str, parts: tuple[str, str, str]
) -> None:
    monkeypatch.setattr(exclusions, "remedy", lambda names: f"{names} hidden")
    host = Host((1, "", "".join(parts)))
    with pytest.raises(transaction.TransactionError) as caught:
        transaction.Transaction(host, ["docker-ce-3:26.1.5-1.el9", "/a.rpm"], [], False, None).install()
    assert str(caught.value).endswith("; ['docker-ce'] hidden") == (name not in UNRELATED)


class Module:
    """A module whose dnf finds a bad signature only when it tests the transaction, as dnf5 does."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []

    def get_bin_path(self, name: str, **_: bool) -> str:
        return name

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        self.commands.append(command)
        bad = "install" in command and "--downloadonly" not in command
        return (1, "", "Error: GPG check FAILED") if bad else (0, "", "")


def test_signatures_are_checked_before_an_engine_is_stopped_for_the_packages() -> None:
    """Fault: a bad signature, in a repository of one's own, on packages that replace an engine. Outcome: refused before
    the engine is stopped, with dnf5 too.
    """
    module = Module()
    rehearsed = transaction.Transaction(module, ["docker-ce"], [], False, None)
    with pytest.raises(transaction.TransactionError, match="GPG check FAILED"):
        rehearsed.rehearse()
    assert "--setopt=tsflags=test" in module.commands[-1], "nothing is installed"
