# SPDX-License-Identifier: Apache-2.0
"""Which playbooks an instance runs as root: git, gpg and ansible against a malicious repository server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp
from slipway_agent.boot import commands, playbook, settings
from slipway_agent.boot.errors import StepError
from slipway_agent.boot.playbook import Playbook

pytestmark = [
    pytest.mark.program,
    pytest.mark.skipif(
        not (shutil.which("gpg") and shutil.which("git")), reason="what an instance uses, git and gpg, is not installed"
    ),
]
PLAYBOOK = "- {{hosts: localhost, gather_facts: false, tasks: [ansible.builtin.copy: {{content: {}, dest: {}}}]}}\n"
GPG = ("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
NEVER = "f" * 40


@dataclass
class Person:
    """Somebody with an OpenPGP key in their own keyring."""

    home: Path

    def gpg(self, *arguments: str, **options: Any) -> str:
        environment = {**os.environ, "GNUPGHOME": str(self.home)}
        done = subprocess.run([*GPG, *arguments], env=environment, check=True, capture_output=True, **options)
        return str(done.stdout, "utf-8")

    @property
    def name(self) -> str:
        return f"{self.home.name}@site.test"

    @property
    def key(self) -> str:
        return self.gpg("--armor", "--export")

    def make_key(self, expires: str = "never", at: str = "") -> "Person":
        self.home.mkdir(mode=0o700)
        clock = [f"--faked-system-time={at}"] if at else []
        self.gpg(*clock, "--quick-generate-key", self.name, "ed25519", "sign", expires)
        return self


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Person]]:
    folder = tmp_path_factory.mktemp("g")  # short: a socket's path below it is limited
    people = {name: Person(folder / name) for name in ("trusted", "stranger", "expired", "revoked")}
    people["trusted"].make_key()
    people["stranger"].make_key()
    people["expired"].make_key(expires="2021-06-01", at="20210101T000000")
    people["revoked"].make_key()
    yield people
    for person in people.values():
        subprocess.run(["gpgconf", "--homedir", person.home, "--kill", "all"], check=False)


class Site:
    """A repository on its server, and an instance that applies its playbook."""

    def __init__(self, folder: Path, people: dict[str, Person]) -> None:
        self.people = people
        self.home = folder
        self.folder = folder / "site"
        self.marker = folder / "was-here"
        self.state, self.runtime = folder / "state", folder / "run"
        for made in (self.folder, self.state, self.runtime):
            made.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.first = self.commit("first", by="trusted")

    def git(self, *arguments: str, by: str = "trusted", folder: Path | None = None) -> str:
        identity = ["-c", "user.name=ops", "-c", f"user.email={by}@site.test"]
        environment = {**os.environ, "GNUPGHOME": str(self.people[by].home), "HOME": str(self.state)}
        command = ["git", *identity, "-C", str(folder or self.folder), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, content: str, by: str = "", extra: tuple[str, ...] = ()) -> str:
        """Commit a playbook that writes the content to the marker, signed or not; return the commit's ID."""
        (self.folder / "local.yml").write_text(PLAYBOOK.format(content, self.marker))
        self.git("add", "local.yml")
        signature = [f"--gpg-sign={by}@site.test"] if by else ["--no-gpg-sign"]
        self.git("commit", "--quiet", "--allow-empty", "--message=change", *signature, *extra, by=by or "trusted")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, commit: str) -> None:
        """Create a branch of any name, including those that git branch rejects."""
        self.git("update-ref", f"refs/heads/{name}", commit)

    def send_along(self, commit: str) -> None:
        """Make the server send a commit that was not requested."""
        hook = self.runtime / "pack-objects"
        hook.write_text(f'#!/bin/sh\n{{ echo {commit}; cat; }} | "$@"\n')
        hook.chmod(0o755)
        (self.home / ".gitconfig").write_text(f"[uploadpack]\npackObjectsHook = {hook}\n")

    def wanted(self, **differing: Any) -> dict[str, Any]:
        keys = self.runtime / "keys.asc"
        keys.write_text(self.people["trusted"].key)
        return {
            "pull_url": f"file://{self.folder}",
            "pull_playbook": "local.yml",
            "pull_checkout": "",
            "pull_minimum_commit": self.first,
            "pull_trusted_keys": str(keys),
            "pull_fingerprints": openpgp.fingerprints(keys.read_bytes()),
            "pull_seconds": 120,
            **differing,
        }

    def apply(self, **differing: Any) -> str:
        """Boot an instance that has not applied a playbook yet; return what was applied."""
        (self.state / "applied.json").unlink(missing_ok=True)
        self.marker.unlink(missing_ok=True)
        applied: str = Playbook(self.wanted(**differing), str(self.state), str(self.runtime)).apply()
        return applied

    def fetch(self, **differing: Any) -> tuple[str, str]:
        """Boot without running the playbook, which takes seconds; return the commit and the content for the marker."""
        playbook = Playbook(self.wanted(**differing), str(self.state), str(self.runtime))
        commit: str = playbook.fetch(commands.Deadline(60))
        return commit, (self.state / "checkout/local.yml").read_text().partition("content: ")[2].partition(",")[0]

    def refusal(self, **differing: Any) -> str:
        """Boot an instance that must reject the commit, without running or storing anything; return its message."""
        with pytest.raises(StepError) as refused:
            self.apply(**differing)
        assert not self.marker.exists(), f"it was run: {self.marker.read_text()}"
        assert sorted(path.name for path in self.state.iterdir()) == []
        return str(refused.value)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path_factory.mktemp("s")  # short, as above
    monkeypatch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / ".gitconfig"))
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)  # which names the lab's hosts, if `make up` has made some
    return Site(folder, people)


def test_a_signed_commit_is_applied_by_any_of_its_names(site: Site) -> None:
    second = site.commit("second", by="trusted")
    site.git("tag", "v2")
    site.git("tag", "--annotate", "--message=release", "v2-annotated")
    for name in ("", "main", "v2", "v2-annotated", second):
        assert site.fetch(pull_checkout=name) == (second, "second")
    assert site.fetch(pull_checkout=site.first) == (site.first, "first")
    assert site.apply() == f"local.yml of file://{site.folder} at {second}"
    assert site.marker.read_text() == "second"


def test_a_signed_tag_does_not_make_a_branch_of_its_name_trusted(site: Site) -> None:
    """git verify-commit resolves an ambiguous name to the tag, and git checkout to the branch."""
    site.send_along(site.first)
    site.git("tag", "release")
    site.branch("release", site.commit("unsigned"))
    assert "has no valid signature by a key" in site.refusal(pull_checkout="release")


@pytest.mark.parametrize("default", [False, True])
def test_a_branch_named_like_the_pinned_commit_is_not_used_instead(site: Site, default: bool) -> None:
    site.send_along(site.first)
    unsigned = site.commit("unsigned")
    site.branch(site.first, unsigned)
    if default:
        site.git("symbolic-ref", "HEAD", f"refs/heads/{site.first}")
    assert site.fetch(pull_checkout=site.first) == (site.first, "first")


def test_a_branch_named_like_a_missing_commit_is_not_used_instead(site: Site) -> None:
    site.branch(NEVER, site.first)
    assert f"has no branch, tag or commit {NEVER}" in site.refusal(pull_checkout=NEVER)


def test_the_default_branch_is_verified_too(site: Site) -> None:
    site.commit("unsigned")
    assert "has no valid signature" in site.refusal()


def test_a_signed_tag_does_not_make_an_unsigned_commit_trusted(site: Site) -> None:
    site.commit("unsigned")
    site.git("tag", "--local-user=trusted@site.test", "--message=release", "v1")
    assert "has no valid signature" in site.refusal(pull_checkout="v1")


@pytest.mark.parametrize("by", ["stranger", "expired", "revoked"])
def test_a_signature_by_an_untrusted_expired_or_revoked_key_is_rejected(site: Site, by: str) -> None:
    """Fault: a site's playbook whose commit is unsigned or signed by a stranger. Outcome: not run and not stored; the
    instance is not ready.
    """
    clock = site.runtime / "gpg"
    at = "20210201T000000" if by == "expired" else ""
    clock.write_text(f'#!/bin/sh\nexec gpg {f"--faked-system-time={at}" if at else ""} "$@"\n')
    clock.chmod(0o755)
    site.git("config", "gpg.program", str(clock))
    site.commit("theirs", by=by)
    keys, fingerprints = [site.people["trusted"].key], openpgp.fingerprints(site.people["trusted"].key.encode())
    if by != "stranger":
        person = site.people[by]
        if by == "revoked":
            revocation = (
                next((person.home / "openpgp-revocs.d").iterdir()).read_text().replace(":-----BEGIN", "-----BEGIN")
            )
            person.gpg("--import", input=revocation.encode())
        keys.append(person.key)
        fingerprints += openpgp.fingerprints(person.key.encode())
    bundle = site.runtime / "bundle.asc"
    bundle.write_text("\n".join(keys))
    sentence = site.refusal(pull_trusted_keys=str(bundle), pull_fingerprints=fingerprints)
    assert "has no valid signature" in sentence


def test_a_key_that_only_gpg_finds_in_the_key_file_is_not_trusted(site: Site) -> None:
    """The controller's parser of keys decides which keys the image trusts."""
    site.commit("theirs", by="stranger")
    hidden = site.runtime / "hidden.asc"
    hidden.write_text(site.people["trusted"].key + "\n" + site.people["stranger"].key)
    assert "has no valid signature" in site.refusal(pull_trusted_keys=str(hidden))


def test_a_commit_older_than_the_minimum_is_rejected(site: Site) -> None:
    """Fault: an old signed commit of a playbook is replayed. Outcome: not run and not stored."""
    second = site.commit("second", by="trusted")
    site.branch("main", site.first)
    sentence = site.refusal(pull_minimum_commit=second)
    assert f"{site.first} of file://{site.folder} is not trusted" in sentence
    assert f"does not descend from docker_firstboot_pull_minimum_commit {second}" in sentence
    assert site.fetch(pull_minimum_commit=site.first) == (site.first, "first")


def test_a_commit_by_the_same_signer_in_another_repository_is_rejected(site: Site) -> None:
    """Fault: a signed commit of another repository is served. Outcome: not run and not stored."""
    minimum = site.commit("second", by="trusted")
    site.git("checkout", "--quiet", "--orphan", "another-repository")
    site.commit("of another", by="trusted")
    assert "does not descend from" in site.refusal(pull_minimum_commit=minimum)


def test_without_a_minimum_commit_only_a_full_commit_id_is_applied(site: Site) -> None:
    assert "the image has no docker_firstboot_pull_minimum_commit" in site.refusal(
        pull_minimum_commit="", pull_checkout="main"
    )
    assert site.fetch(pull_minimum_commit="", pull_checkout=site.first) == (site.first, "first")


def test_without_verification_an_unsigned_commit_is_applied(site: Site) -> None:
    unsigned = site.commit("unsigned")
    nothing: dict[str, Any] = {"pull_trusted_keys": "", "pull_fingerprints": [], "pull_minimum_commit": ""}
    assert site.fetch(**nothing) == (unsigned, "unsigned")


@pytest.mark.parametrize("lies", [False, True])
def test_a_submodule_is_at_the_commit_that_the_repository_records(site: Site, lies: bool) -> None:
    """git checks out a submodule by its commit's ID, but prefers a branch of that name."""
    shared = site.home / "shared"
    site.git("init", "--quiet", "--initial-branch=main", str(shared), folder=site.home)
    site.git("commit", "--quiet", "--allow-empty", "--message=named", folder=shared)
    named = site.git("rev-parse", "HEAD", folder=shared)
    site.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{shared}", "shared")
    site.commit("with a submodule", by="trusted")
    (site.home / ".gitconfig").write_text('[protocol "file"]\nallow = always\n')
    if lies:
        site.git("commit", "--quiet", "--allow-empty", "--message=another", folder=shared)
        site.git("update-ref", f"refs/heads/{named}", "HEAD", folder=shared)
        site.git("symbolic-ref", "HEAD", f"refs/heads/{named}", folder=shared)
        assert "submodule shared" in site.refusal()
    else:
        site.fetch()
        assert site.git("rev-parse", "HEAD", folder=site.state / "checkout/shared") == named


def test_a_missing_repository_or_playbook_is_named(site: Site) -> None:
    assert "cannot be fetched (" in site.refusal(pull_url=f"file://{site.folder}-away")
    with pytest.raises(StepError, match=r"has no playbook other\.yml"):
        site.apply(pull_playbook="other.yml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pull_checkout", "unsigned verify_commit=no"),
        ("pull_checkout", 'main" -e "x'),
        ("pull_checkout", "main\nverify_commit=no"),
        ("pull_checkout", "--upload-pack=x"),
        ("pull_checkout", "refs/../x"),
        ("pull_playbook", "local.yml;touch x"),
        ("pull_playbook", "/etc/x.yml"),
        ("pull_playbook", "../x.yml"),
        ("wait_for", ["$(touch x):1"]),
        ("wait_for", ["registry.example.com:99999"]),
        ("wait_for", ["registry.example.com:\u00b2"]),
        ("wait_for", [443]),
        ("wait_for", "registry.example.com:443"),
    ],
)
def test_malformed_settings_of_an_instance_are_rejected_at_boot(
    site: Site, name: str, value: Any, tmp_path: Path
) -> None:
    """Fault: user data with values that could be more than a name reach an instance. Outcome: refused where they are
    read.
    """
    image, instance = tmp_path / "firstboot.json", tmp_path / "firstboot-instance.json"
    image.write_text(json.dumps(site.wanted(wait_for=[])))
    instance.write_text(json.dumps({name: value}))
    with pytest.raises(StepError) as refused:
        settings.read(str(image), str(instance))
    assert f"{name} in {instance}" in str(refused.value)
    assert "Correct the instance's user data" in str(refused.value)


@pytest.mark.parametrize(
    ("own", "full", "names"),
    [
        ("web-1", "web-1.example.com", ["web-1.example.com", "web-1"]),
        ("web-1.example.com", "web-1.example.com", ["web-1.example.com", "web-1"]),
        ("web-1", "db-1.example.com", ["web-1"]),
        ("web-1", "all.example.com", ["web-1"]),
        ("web-1", "all", ["web-1"]),
        ("all", "all.example.com", ["all.example.com"]),
        ("!web", "!web.example.com", []),
        ("@/etc/hosts", "~.*", []),
        ("", "", []),
    ],
)
def test_neither_dns_nor_dhcp_chooses_for_which_hosts_a_playbook_is_run(
    monkeypatch: pytest.MonkeyPatch, own: str, full: str, names: list[str]
) -> None:
    """Fault: DNS or DHCP gives an instance the name of another host of the site, or `all`. Outcome: the playbook runs
    for this instance alone.
    """
    monkeypatch.setattr("slipway_agent.boot.playbook.platform.node", lambda: own)
    monkeypatch.setattr("slipway_agent.boot.playbook.socket.getfqdn", lambda: full)
    assert playbook.names_of_this_host() == ["localhost", *names, "127.0.0.1"]
