# SPDX-License-Identifier: Apache-2.0
"""Builds the stand-in yum repository. Runs in a container of the tools image, without a network.

It packs Debian's engines as signed rpms with EL's names, in a tree with the layout of download.docker.com, and adds
trees that a careful client must reject. The signing and CA keys are deleted after the build: only their public
parts and the private key of the web servers remain.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).parent
SERVER = "https://download.docker.com"
FAMILIES = ("centos", "rhel")
RELEASES = ("9", "10")
CHANNELS = ("stable", "test")
Item = TypeVar("Item")
Result = TypeVar("Result")
HELLO = "Hello from a container on a Slipway host"


class AssembleError(Exception):
    """The build failed; the message names the program and quotes the end of its output."""


@dataclass(frozen=True)
class Rpm:
    """A spec file, the Debian suite with its files, the Debian package that provides the version, and macros."""

    spec: str
    suite: str
    debian: str
    macros: tuple[tuple[str, str], ...] = ()


NEWEST = "forky"
NEW = "trixie"
OLD = "bookworm"
# The release packages of the systems that the lab stands in for, by system: see slipway.lab.systems.
RELEASE_PACKAGES = {
    "el9": ("centos-stream-release", "9"),
    "el10": ("centos-stream-release", "10"),
    "fedora43": ("fedora-release", "43"),
}
RELEASE = {
    system: Rpm("release", OLD, "docker.io", (("release_package", name), ("release_version", version)))
    for system, (name, version) in RELEASE_PACKAGES.items()
}


def engine(suite: str) -> tuple[Rpm, ...]:
    """Return the packages of an engine of which Debian has all parts."""
    return (
        Rpm("docker-ce", suite, "docker.io", (("least_containerd", "1.6.24"),)),
        Rpm("containerd.io", suite, "containerd"),
        Rpm("docker-ce-cli", suite, "docker-cli"),
        Rpm("docker-buildx-plugin", suite, "docker-buildx"),
        Rpm("docker-compose-plugin", suite, "docker-compose"),
        Rpm("docker-ce-rootless-extras", suite, "docker.io"),
    )


# Links against a newer libc than EL 9 has.
NEWEST_ENGINE = engine(NEWEST)
ENGINE = engine(NEW)
OLDER_ENGINE = (
    Rpm("docker-ce", OLD, "docker.io"),
    Rpm("containerd.io", OLD, "containerd"),
    Rpm("docker-ce-cli", OLD, "docker.io"),
    Rpm("docker-ce-rootless-extras", OLD, "docker.io"),
)
HISTORIC_ENGINE = (Rpm("docker-engine", OLD, "docker.io"),)
DISTRIBUTION = (
    RELEASE["el9"],
    Rpm("nginx", OLD, "nginx"),
    Rpm("createrepo_c", OLD, "createrepo-c"),
    Rpm("dnf-plugins-core", OLD, "dnf-plugins-core"),
    Rpm("nftables", OLD, "nftables"),
    Rpm("epel-release", OLD, "docker.io"),
    Rpm("python3.11", OLD, "python3.11-venv"),
    Rpm("amazon-cloudwatch-agent", OLD, "docker.io"),
    Rpm("git", OLD, "git"),
    Rpm("passt", OLD, "passt"),
    Rpm("ansible-core", OLD, "ansible-core"),
    Rpm("audit", OLD, "auditd"),
)
PLACEHOLDERS = (Rpm("distribution", OLD, "docker.io"),)
EPEL = (Rpm("tini", OLD, "tini"),)
# Provided by the release package only to satisfy docker-ce.
ABSENT = {"container-selinux", "fuse-overlayfs", "libcgroup", "slirp4netns"}


@dataclass(frozen=True)
class SigningKey:
    """A key in the temporary keyring: its fingerprint, and the file with the public key."""

    fingerprint: str
    public: Path


def main() -> int:
    """Build everything; print a line when a step begins, and the reason if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debs", type=Path, required=True, help="folder with one folder of .deb files per suite")
    parser.add_argument("--specs", type=Path, default=HERE / "specs", help="folder with the spec files")
    parser.add_argument("--out", type=Path, required=True, help="root folder of the web server, to create")
    parser.add_argument("--keys", type=Path, required=True, help="folder for certificates and fingerprints, to create")
    options = parser.parse_args()
    os.umask(0o022)
    options.out.mkdir(parents=True)
    options.keys.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        os.environ["GNUPGHOME"] = f"{work}/gnupg"
        try:
            assemble(options.debs, options.specs, options.out, options.keys, Path(work))
        except AssembleError as error:
            print(error, flush=True)
            return 1
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=False)
    return 0


def assemble(debs: Path, specs: Path, www: Path, keys: Path, work: Path) -> None:
    """Run all steps in order."""
    say("Creating temporary keys and certificates")
    right = make_signing_key("Slipway lab", keys / "fingerprint", work)
    wrong = make_signing_key("Somebody else", keys / "wrong-fingerprint", work)
    make_certificates(keys, work)
    say("Unpacking Debian's packages")
    unpacked = unpack(debs, work)
    say("Packing and signing the rpms")
    newest, new, older, historic, distribution, placeholders, epel = (
        pack(rpms, debs, specs, unpacked, work, right)
        for rpms in (NEWEST_ENGINE, ENGINE, OLDER_ENGINE, HISTORIC_ENGINE, DISTRIBUTION, PLACEHOLDERS, EPEL)
    )
    (www.parent / "releases").mkdir()
    for system, rpm in RELEASE.items():
        (release,) = pack([rpm], debs, specs, unpacked, work / system, right)
        os.link(release, www.parent / f"releases/{system}.rpm")
    say("Laying out the repositories")
    lay_out(www, "linux", [*new, *older], right)
    lay_out_newest(www / "linux", [*newest, *new], newest, right)
    lay_out_flat(www / "historic/repo/main/centos/7", historic)
    shutil.copy(right.public, www / "historic/gpg")
    for name, rpms in (("baseos", [*distribution, *placeholders]), ("epel", epel)):
        lay_out_flat(www / name, rpms)
        shutil.copy(right.public, www / name / "gpg")
    (www.parent / "packages").write_text(installable([*distribution, *epel]))
    say("Laying out the repositories that clients must reject")
    lay_out_rejected(www, new, right, wrong, work)
    say("Creating the image for nested containers")
    hello = www / "images/hello.tar"
    make_hello_image(unpacked / OLD / "bin/busybox", hello)
    say("Filling the stand-in Docker Hub")
    run(sys.executable, HERE.parent / "hub/assemble.py", "--image", hello, "--out", www.parent / "hub")


def say(text: str) -> None:
    """Print a progress line immediately; the prefix marks it for the caller."""
    print(f"* {text}", flush=True)


def run(*command: str | Path) -> str:
    """Run a program and return its output. Raises AssembleError if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssembleError(f"{command[0]} failed with status {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function that waits for programs on all items, one per processor at a time; return ordered results."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


# --- Keys -------------------------------------------------------------------------------------------------------------


def make_signing_key(name: str, fingerprint_file: Path, work: Path) -> SigningKey:
    """Create a key without passphrase and expiry in the keyring, and write its fingerprint to a file."""
    Path(os.environ["GNUPGHOME"]).mkdir(mode=0o700, exist_ok=True)
    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", name, "rsa3072", "sign", "never")
    fingerprint = primary_fingerprint(run("gpg", "--batch", "--with-colons", "--list-keys", f"={name}"))
    fingerprint_file.write_text(f"{fingerprint}\n")
    public = work / f"{fingerprint}.asc"
    run("gpg", "--batch", "--armor", "--output", public, "--export", fingerprint)
    return SigningKey(fingerprint, public)


def primary_fingerprint(listing: str) -> str:
    """Return the fingerprint in gpg's machine-readable listing of one key."""
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def make_certificates(keys: Path, work: Path) -> None:
    """Create a private CA, whose key is deleted, and the certificate of all web servers."""
    authority_key = work / "ca.key"
    request = ("openssl", "req", "-x509", "-config", HERE / "tls.cnf", "-days", "3650", "-nodes")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    run(
        *(*request, *curve, "-extensions", "authority", "-subj", "/CN=Slipway lab CA"),
        *("-keyout", authority_key, "-out", keys / "ca.crt"),
    )
    run(
        *(*request, *curve, "-extensions", "server", "-subj", "/CN=download.docker.com"),
        *("-CA", keys / "ca.crt", "-CAkey", authority_key),
        *("-keyout", keys / "server.key", "-out", keys / "server.crt"),
    )


# --- Packages ---------------------------------------------------------------------------------------------------------


def unpack(debs: Path, work: Path) -> Path:
    """Unpack all packages into one root file system per suite; return their parent folder."""
    unpacked = work / "debs"

    def unpack_one(deb: Path) -> None:
        run("dpkg-deb", "--extract", deb, unpacked / deb.parent.name)

    for suite in (OLD, NEW, NEWEST):
        (unpacked / suite).mkdir(parents=True)
    in_parallel(unpack_one, sorted(debs.glob("*/*.deb"), key=lambda deb: -deb.stat().st_size))
    return unpacked


def pack(rpms: Iterable[Rpm], debs: Path, specs: Path, unpacked: Path, work: Path, key: SigningKey) -> list[Path]:
    """Build and sign rpms; return their paths. A spec may build several."""

    def pack_one(rpm: Rpm) -> list[Path]:
        version = upstream_version(run("dpkg-deb", "--field", find_deb(debs / rpm.suite, rpm.debian), "Version"))
        top = work / "rpmbuild" / f"{rpm.spec}-{version}"
        top.mkdir(parents=True)
        macros = {
            "_topdir": top,
            "_sourcedir": specs,
            "upstream": version,
            "suite": unpacked / rpm.suite,
            "bookworm": unpacked / OLD,
            # trixie's needs a newer libc than EL 9 has.
            "runc": unpacked / (NEWEST if rpm.suite == NEWEST else OLD) / "usr/sbin/runc",
            **dict(rpm.macros),
        }
        defines = [argument for name, value in macros.items() for argument in ("--define", f"{name} {value}")]
        run("rpmbuild", "-bb", "--load", specs / "macros", *defines, specs / f"{rpm.spec}.spec")
        shutil.rmtree(top / "BUILDROOT", ignore_errors=True)
        made = sorted((top / "RPMS").glob("*.rpm"))
        sign(made, key)
        return made

    return [path for made in in_parallel(pack_one, rpms) for path in made]


def find_deb(folder: Path, package: str) -> Path:
    """Return the path of a Debian package in a folder."""
    found = sorted(folder.glob(f"{package}_*.deb"))
    if len(found) != 1:
        raise AssembleError(f"{folder} must contain one package {package}, but contains {len(found)}")
    return found[0]


def upstream_version(debian_version: str) -> str:
    """Return the upstream part of a Debian version, such as 26.1.5 of 1:26.1.5+dfsg1-9."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", debian_version)
    if not match:
        raise AssembleError(f"{debian_version!r} is not a version")
    return match[1]


def sign(rpms: Iterable[Path], key: SigningKey) -> None:
    """Sign rpms in place, replacing existing signatures."""
    # Debian's rpm looks for gpg2, but the program is named gpg.
    run("rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {key.fingerprint}", "--resign", *rpms)


# --- Repositories -----------------------------------------------------------------------------------------------------


def lay_out(www: Path, name: str, rpms: Iterable[Path], key: SigningKey) -> None:
    """Create a tree with the layout of download.docker.com/linux, in which all releases share these packages."""
    linux = www / name
    lay_out_flat(linux / "centos/9" / platform.machine() / "stable", rpms)
    (linux / "centos/10").symlink_to("9")
    (linux / "rhel").mkdir()
    for release in RELEASES:
        (linux / "rhel" / release).symlink_to(f"../centos/{release}")
    for family in FAMILIES:
        shutil.copy(key.public, linux / family / "gpg")
        (linux / family / "docker-ce.repo").write_text(repo_file(f"{SERVER}/{name}/{family}"))


def lay_out_newest(linux: Path, el10: Iterable[Path], fedora: Iterable[Path], key: SigningKey) -> None:
    """Give the newer releases packages of their own, and add the trees that only real servers are asked for."""
    (linux / "centos/10").unlink()
    lay_out_flat(linux / "centos/10" / platform.machine() / "stable", el10)
    lay_out_flat(linux / "fedora/43" / platform.machine() / "stable", fedora)
    shutil.copy(key.public, linux / "fedora/gpg")
    (linux / "rhel/8").symlink_to("../centos/9")


def lay_out_flat(folder: Path, rpms: Iterable[Path]) -> None:
    """Create one repository. The rpms are hard links, so that the image stores them once for several trees."""
    packages = folder / "Packages"
    packages.mkdir(parents=True)
    for rpm in rpms:
        os.link(rpm, packages / rpm.name)
    run("createrepo_c", "--quiet", folder)


def installable(rpms: Iterable[Path]) -> str:
    """Return the names under which dnf can install the rpms, including real provides, one per line."""
    names = run("rpm", "--query", "--nosignature", "--queryformat", "[%{PROVIDENAME}\\n]", "--package", *rpms)
    return "\n".join(sorted(set(names.split()) - ABSENT))


def repo_file(tree: str) -> str:
    """Return the docker-ce.repo that upstream serves next to the key; some roles download it."""
    return "\n".join(
        repo_section(tree, channel, kind) for channel in CHANNELS for kind in ("$basearch", "debug-$basearch", "source")
    )


def repo_section(tree: str, channel: str, kind: str) -> str:
    """Return one section of the .repo file; only stable packages are enabled."""
    label, suffix = {
        "$basearch": ("$basearch", ""),
        "debug-$basearch": ("Debuginfo $basearch", "-debuginfo"),
        "source": ("Sources", "-source"),
    }[kind]
    enabled = int(channel == "stable" and not suffix)
    return (
        f"[docker-ce-{channel}{suffix}]\n"
        f"name=Docker CE {channel.capitalize()} - {label}\n"
        f"baseurl={tree}/$releasever/{kind}/{channel}\n"
        f"enabled={enabled}\ngpgcheck=1\ngpgkey={tree}/gpg\n"
    )


def lay_out_rejected(www: Path, rpms: list[Path], right: SigningKey, wrong: SigningKey, work: Path) -> None:
    """Create the trees that clients must reject. Each has one defect, and metadata that matches its packages.

    A defective package is always docker-ce-cli, which docker-ce requires.
    """
    good = next(rpm for rpm in rpms if rpm.name.startswith("docker-ce-cli-"))
    others = [rpm for rpm in rpms if rpm != good]

    def lay_out_bad(name: str, spoil: Callable[[Path], object]) -> None:
        (work / name).mkdir()
        bad = Path(shutil.copy(good, work / name))
        spoil(bad)
        lay_out(www, f"{name}/linux", [*others, bad], right)

    lay_out(www, "wrong-key/linux", rpms, wrong)
    lay_out_bad("other-signer", lambda rpm: sign([rpm], wrong))
    lay_out_bad("unsigned", lambda rpm: run("rpmsign", "--delsign", rpm))
    lay_out_bad("tampered", tamper)


def tamper(rpm: Path) -> None:
    """Change the payload at the end of an rpm; keep header and signature."""
    content = bytearray(rpm.read_bytes())
    middle_of_payload = len(content) * 3 // 4
    content[middle_of_payload] ^= 0xFF
    rpm.write_bytes(content)


# --- Image for nested containers --------------------------------------------------------------------------------------


def make_hello_image(busybox: Path, archive: Path) -> None:
    """Write slipway/hello:latest, busybox with a greeting, as an archive that any engine can `docker load`."""
    architecture = run("dpkg", "--print-architecture").strip()
    layer = hello_layer(busybox.read_bytes(), run(busybox, "--list").split())
    # Docker uses Go's names of architectures, which differ from Debian's only for this one.
    config = hello_config(layer, {"ppc64el": "ppc64le"}.get(architecture, architecture))
    archive.parent.mkdir()
    archive.write_bytes(hello_archive(layer, config))


def hello_layer(busybox: bytes, applets: Iterable[str]) -> bytes:
    """Return the layer: /bin/busybox with links for all applets."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("bin")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        add_file(tar, "bin/busybox", busybox, 0o755)
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
    return buffer.getvalue()


def hello_config(layer: bytes, architecture: str) -> bytes:
    """Return the image configuration. The greeting is the command, so that users can run other applets instead."""
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["echo", HELLO]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "Slipway's stand-in repository"}],
    }
    return json.dumps(config).encode()


def hello_archive(layer: bytes, config: bytes) -> bytes:
    """Return an archive in the format of `docker save`."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": ["slipway/hello:latest"], "Layers": ["layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_file(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
        add_file(tar, name, config, 0o644)
        add_file(tar, "layer.tar", layer, 0o644)
    return buffer.getvalue()


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    """Add a file to an archive."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
