# SPDX-License-Identifier: Apache-2.0
"""What the lab reads from this machine's apt, here with the test's own sources and lists."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.lab import debian, disk
from slipway.lab.errors import LabError

pytestmark = pytest.mark.skipif(not shutil.which("apt-get"), reason="not a Debian machine")

UNREACHABLE = "http://127.0.0.1:9"  # nothing listens on the discard port
DEB822 = """\
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
deb cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_ - Official amd64 NETINST 20240210-11:27]/ bookworm main
deb-src http://sources.example/debian bookworm main
deb [arch=i386] http://flat.example/packages ./
deb http://other.example/apt bookworm contrib
deb http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian bookworm-updates main
deb http://mirror.example/security bookworm-security main
"""
MIRROR = "http://mirror.example/debian/"
# What apt-get 2.6 printed, and the cause and remedy.
DEB = "Failed to fetch http://mirror.example/debian/tini_0.19.0-1_amd64.deb  "
RECORDED = {
    "disk full during a download": (
        f"E: {DEB}Error writing to file - write (28: No space left on device) [IP: 192.0.2.1 80]\n",
        f"apt-get failed because the disk is full: free some space for {disk.PLACES}, then run again. "
        f"({DEB}Error writing to file - write (28: No space left on device) [IP: 192.0.2.1 80])",
    ),
    "disk full before a download": (
        "E: You don't have enough free space in /var/cache/apt/archives/.\n",
        f"apt-get failed because the disk is full: free some space for {disk.PLACES}, then run again. "
        "(You don't have enough free space in /var/cache/apt/archives/.)",
    ),
    "HTTP 404": (
        f"E: {DEB}404  Not Found [IP: 192.0.2.1 80]\n",
        "The mirror in /etc/apt/sources.list* lacks a release that the lab needs (bookworm, trixie and forky): "
        f"{DEB}404  Not Found [IP: 192.0.2.1 80] Configure a mirror that has them, then run again.",
    ),
    "failed fetch": (
        "E: Failed to fetch http://mirror.example/debian/dists/bookworm/InRelease  Could not resolve 'mirror.example'\n"
        "E: Some index files failed to download. They have been ignored, or old ones used instead.\n",
        "apt cannot download (Failed to fetch http://mirror.example/debian/dists/bookworm/InRelease  Could not resolve "
        "'mirror.example'): make `apt-get update` work here (network, proxy, clock), then run again.",
    ),
    "other": ("E: Unable to locate package tini\n", "apt-get failed: E: Unable to locate package tini"),
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Configure apt with the given sources and without lists."""
    lists = tmp_path / "lists"
    lists.mkdir()

    def known(sources: str, name: str = "debian.list", settings: str = "") -> None:
        folder = tmp_path / "sources.list.d"
        folder.mkdir()
        (folder / name).write_text(sources)
        configuration = tmp_path / "apt.conf"
        configuration.write_text(
            f'Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "{folder}"; Dir::State::Lists "{lists}";\n'
            'Dir::Etc::Parts "/dev/null";\n'
            f"{settings}\n"
        )
        monkeypatch.setenv("APT_CONFIG", str(configuration))

    debian.archive.cache_clear()
    yield known
    debian.archive.cache_clear()


def checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(("name", "sources"), [("debian.sources", DEB822), ("debian.list", ONE_LINE)])
def test_the_archive_is_found_without_any_apt_list(machine: Callable[..., None], name: str, sources: str) -> None:
    machine(sources, name)
    known = debian.archive()
    assert known.release == "bookworm"
    assert known.addresses == {"": MIRROR, "-updates": MIRROR, "-security": "http://mirror.example/security/"}


def test_the_sources_of_a_release_include_its_updates_for_one_architecture(machine: Callable[..., None]) -> None:
    machine(ONE_LINE)
    options = f"[arch=amd64 signed-by={debian.KEYRING}]"
    assert debian.archive().sources("trixie").splitlines() == [
        f"deb {options} {MIRROR} trixie main",
        f"deb {options} {MIRROR} trixie-updates main",
        f"deb {options} http://mirror.example/security/ trixie-security main",
    ]


def test_without_security_suites_only_the_release_is_used(machine: Callable[..., None]) -> None:
    machine("deb http://mirror.example/debian stable main\n")
    assert (debian.archive().release, debian.archive().addresses) == ("stable", {"": MIRROR})


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ("deb http://archive.example/ubuntu jammy main\n", "on this machine contains no Debian archive"),
        ("deb http://mirror.example/debian\n", "Malformed entry 1 in list file"),
    ],
)
def test_a_machine_without_a_debian_archive_is_rejected(
    machine: Callable[..., None], sources: str, sentence: str
) -> None:
    machine(sources)
    with pytest.raises(LabError, match=sentence):
        debian.archive()


@pytest.mark.usefixtures("machine")
def test_a_machine_without_debians_keyring_is_told_what_works_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "KEYRING", tmp_path / "missing.gpg")
    with pytest.raises(LabError) as raised:
        debian.archive()
    assert str(raised.value) == (
        "The offline lab and the private engine are built from Debian packages and need a Debian machine with apt-get "
        f"and {tmp_path}/missing.gpg (package debian-archive-keyring). Start a Docker engine and use LAB=online, or "
        "run the lab on such a machine."
    )


@pytest.mark.usefixtures("machine")
def test_a_machine_of_another_architecture_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dpkg = tmp_path / "bin/dpkg"
    dpkg.parent.mkdir()
    dpkg.write_text("#!/bin/sh\necho arm64\n")
    dpkg.chmod(0o755)
    monkeypatch.setenv("PATH", str(dpkg.parent), prepend=os.pathsep)
    with pytest.raises(LabError, match=r"a Debian machine of architecture amd64; this one is arm64\. Start a Docker"):
        debian.archive()


def test_a_user_without_newuidmap_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"without root, that needs newuidmap \(Debian package uidmap\) and a line for "):
        debian.bootstrap(["bash"], tmp_path / "root", [], "bookworm")


@pytest.mark.usefixtures("may_mount")
def test_mounts_of_an_mmdebstrap_that_dies_go_with_it(
    machine: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What removes the unfinished root would descend into them: /proc and /sys of this machine."""
    machine("deb http://deb.example/debian bookworm main\n")
    monkeypatch.setattr(debian, "LAB", tmp_path)  # which a clean clone lacks
    root = tmp_path / "root"
    program = tmp_path / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nmkdir {root} && mount -t tmpfs none {root} && touch {root}/proc && kill -KILL $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    with pytest.raises(LabError, match=r"^mmdebstrap failed"):
        debian.bootstrap(["bash"], root, [], "bookworm")
    assert root.is_dir()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(("stderr", "sentence"), RECORDED.values(), ids=RECORDED)
def test_the_reason_is_one_sentence_with_the_remedy(stderr: str, sentence: str) -> None:
    assert debian._reason("apt-get", stderr) == sentence


def test_the_error_for_an_unreachable_mirror_is_one_sentence_without_its_password(
    machine: Callable[..., None], tmp_path: Path
) -> None:
    address = UNREACHABLE.replace("//", "//alice:secret@")
    machine(f"deb {address}/debian bookworm main\n", settings='Acquire::Retries "0";')
    with pytest.raises(LabError) as raised:
        debian.download(["tini"], "bookworm", tmp_path / "debs")
    (sentence,) = str(raised.value).splitlines()
    assert "Could not connect to 127.0.0.1:9" in sentence
    assert "make `apt-get update` work here (network, proxy, clock)" in sentence
    assert "secret" not in sentence


@pytest.mark.program
@pytest.mark.skipif(not shutil.which("gpg"), reason="needs gpg to create the key")
class TestSignedArchives:
    @pytest.fixture
    def debian_archive(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """An archive in a folder, with a release bookworm signed by the key that this test uses as Debian's."""
        home = tmp_path / "gpg"
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-generate-key", "debian", "ed25519", "sign"], check=True, capture_output=True)
        monkeypatch.setattr(debian, "KEYRING", tmp_path / "keyring.gpg")
        subprocess.run([*gpg, "--output", debian.KEYRING, "--export"], check=True, capture_output=True)
        archive = tmp_path / "debian"
        packages = archive / "dists/bookworm/main/binary-amd64/Packages"
        packages.parent.mkdir(parents=True)
        packages.write_text(self.add_package(archive))
        release = archive / "dists/bookworm/Release"
        described = f"{checksum(packages)} {packages.stat().st_size} main/binary-amd64/Packages"
        release.write_text(
            "Origin: Debian\nSuite: bookworm\nCodename: bookworm\nDate: Sat, 01 Jan 2022 00:00:00 UTC\n"
            f"Architectures: amd64\nComponents: main\nSHA256:\n {described}\n"
        )
        signed = ["--output", str(release.with_name("InRelease")), "--clear-sign", str(release)]
        subprocess.run([*gpg, *signed], check=True, capture_output=True)
        yield archive
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)

    @staticmethod
    def add_package(archive: Path) -> str:
        """Add a nonexistent version of bash to the archive; return its entry for the Packages file."""
        tree = archive / "bash"
        (tree / "DEBIAN").mkdir(parents=True)
        control = "Package: bash\nVersion: 0.1\nArchitecture: amd64\nMaintainer: nobody\nDescription: of a test\n"
        (tree / "DEBIAN/control").write_text(control)
        (tree / "DEBIAN").chmod(0o755)
        file = archive / "bash_0.1_amd64.deb"
        subprocess.run(["dpkg-deb", "--build", tree, file], check=True, capture_output=True)
        return f"{control}Filename: {file.name}\nSize: {file.stat().st_size}\nSHA256: {checksum(file)}\n"

    def test_another_publishers_suite_of_the_same_name_is_ignored(
        self, machine: Callable[..., None], debian_archive: Path
    ) -> None:
        another = f"{UNREACHABLE}/tools"
        machine(
            f"deb {another} bookworm main\ndeb file:{debian_archive} bookworm main\n", settings='Acquire::Retries "0";'
        )
        assert debian.archive().addresses == {"": f"file:{debian_archive}/"}

    def test_a_package_is_downloaded_even_if_another_version_is_installed(
        self, machine: Callable[..., None], debian_archive: Path, tmp_path: Path
    ) -> None:
        machine(f"deb file:{debian_archive} bookworm main\n")
        debian.download(["bash"], "bookworm", tmp_path / "debs")
        assert [file.name for file in (tmp_path / "debs").iterdir()] == ["bash_0.1_amd64.deb"]

    def test_a_missing_package_is_named(
        self, machine: Callable[..., None], debian_archive: Path, tmp_path: Path
    ) -> None:
        machine(f"deb file:{debian_archive} bookworm main\n")
        with pytest.raises(LabError, match="apt-get failed: E: Unable to locate package tini"):
            debian.download(["tini"], "bookworm", tmp_path / "debs")

    def test_the_error_for_a_missing_release_is_one_sentence(
        self, machine: Callable[..., None], debian_archive: Path, tmp_path: Path
    ) -> None:
        machine(f"deb file:{debian_archive} bookworm main\n")
        with pytest.raises(LabError) as raised:
            debian.download(["tini"], "trixie", tmp_path / "debs")
        (sentence,) = str(raised.value).splitlines()
        assert "lacks a release that the lab needs (bookworm, trixie and forky): The repository" in sentence
