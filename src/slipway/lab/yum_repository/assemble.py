# SPDX-License-Identifier: Apache-2.0
"""Makes the stand-in yum repository. Runs in a container of the tools image, where no network is.

Debian's engines become signed rpms under EL's names, in a tree with the layout of download.docker.com; beside it lie
trees that a careful client refuses. The keys are made here and thrown away here: only their public parts leave, and
the private key of the web servers.
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
    """A program failed; the message is its name and its last words."""


@dataclass(frozen=True)
class Rpm:
    """A spec file, the Debian suite whose files it packs, and the Debian package that gives the version."""

    spec: str
    suite: str
    debian: str


NEW = "trixie"
OLD = "bookworm"
ENGINE = (
    Rpm("docker-ce", NEW, "docker.io"),
    Rpm("containerd.io", NEW, "containerd"),
    Rpm("docker-ce-cli", NEW, "docker-cli"),
    Rpm("docker-buildx-plugin", NEW, "docker-buildx"),
    Rpm("docker-compose-plugin", NEW, "docker-compose"),
    Rpm("docker-ce-rootless-extras", NEW, "docker.io"),
)
OLDER_ENGINE = (
    Rpm("docker-ce", OLD, "docker.io"),
    Rpm("containerd.io", OLD, "containerd"),
    Rpm("docker-ce-cli", OLD, "docker.io"),
    Rpm("docker-ce-rootless-extras", OLD, "docker.io"),
)
HISTORIC_ENGINE = (Rpm("docker-engine", OLD, "docker.io"),)
DISTRIBUTION = (
    Rpm("centos-stream-release", OLD, "docker.io"),
    Rpm("nginx", OLD, "nginx"),
    Rpm("createrepo_c", OLD, "createrepo-c"),
    Rpm("dnf-plugins-core", OLD, "dnf-plugins-core"),
    Rpm("epel-release", OLD, "docker.io"),
    Rpm("python3.11", OLD, "python3.11-venv"),
    Rpm("git", OLD, "git"),
    Rpm("ansible-core", OLD, "ansible-core"),
)
PLACEHOLDERS = (Rpm("distribution", OLD, "docker.io"),)
EPEL = (Rpm("tini", OLD, "tini"),)
# What centos-stream-release provides for docker-ce's sake alone.
ABSENT = {"container-selinux", "fuse-overlayfs", "libcgroup", "slirp4netns"}


@dataclass(frozen=True)
class SigningKey:
    """A key in the throw-away keyring: its fingerprint, and the file that holds the public key."""

    fingerprint: str
    public: Path


def main() -> int:
    """Make everything; print a line when a step begins, and the reason when one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debs", type=Path, required=True, help="folder with one folder of .deb files per suite")
    parser.add_argument("--specs", type=Path, default=HERE / "specs", help="folder with the spec files")
    parser.add_argument("--out", type=Path, required=True, help="the web server's root, to be made")
    parser.add_argument("--keys", type=Path, required=True, help="folder for certificates and fingerprints, to be made")
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
    """Take all steps in their order."""
    say("Making the throw-away keys and certificates")
    right = make_signing_key("Slipway lab", keys / "fingerprint", work)
    wrong = make_signing_key("Somebody else", keys / "wrong-fingerprint", work)
    make_certificates(keys, work)
    say("Unpacking Debian's packages")
    unpacked = unpack(debs, work)
    say("Packing and signing the rpms")
    new, older, historic, distribution, placeholders, epel = (
        pack(rpms, debs, specs, unpacked, work, right)
        for rpms in (ENGINE, OLDER_ENGINE, HISTORIC_ENGINE, DISTRIBUTION, PLACEHOLDERS, EPEL)
    )
    release = next(path for path in distribution if path.name.startswith("centos-stream-release-"))
    os.link(release, www.parent / "centos-stream-release.rpm")
    say("Laying out the repositories")
    lay_out(www, "linux", [*new, *older], right)
    lay_out_flat(www / "historic/repo/main/centos/7", historic)
    shutil.copy(right.public, www / "historic/gpg")
    for name, rpms in (("baseos", [*distribution, *placeholders]), ("epel", epel)):
        lay_out_flat(www / name, rpms)
        shutil.copy(right.public, www / name / "gpg")
    (www.parent / "packages").write_text(installable([*distribution, *epel]))
    say("Laying out the repositories to be refused")
    lay_out_refused(www, new, right, wrong, work)
    say("Making the image for nested containers")
    hello = www / "images/hello.tar"
    make_hello_image(unpacked / OLD / "bin/busybox", hello)
    say("Filling the stand-in Docker Hub")
    run(sys.executable, HERE.parent / "hub/assemble.py", "--image", hello, "--out", www.parent / "hub")


def say(text: str) -> None:
    """Print a line of progress at once, marked as one."""
    print(f"* {text}", flush=True)


def run(*command: str | Path) -> str:
    """Run a program and return its output. Raises AssembleError when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssembleError(f"{command[0]} failed with status {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function that waits for programs on all items, one at a time per processor; keep their order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


# --- Keys -------------------------------------------------------------------------------------------------------------


def make_signing_key(name: str, fingerprint_file: Path, work: Path) -> SigningKey:
    """Make a key without passphrase and expiry in the keyring, and write its fingerprint to a file."""
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
    """Make a private CA, whose key is thrown away, and the certificate of all web servers."""
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
    """Unpack all packages into one root file system per suite; return the folder of these."""
    unpacked = work / "debs"

    def unpack_one(deb: Path) -> None:
        run("dpkg-deb", "--extract", deb, unpacked / deb.parent.name)

    for suite in (OLD, NEW):
        (unpacked / suite).mkdir(parents=True)
    in_parallel(unpack_one, sorted(debs.glob("*/*.deb"), key=lambda deb: -deb.stat().st_size))
    return unpacked


def pack(rpms: Iterable[Rpm], debs: Path, specs: Path, unpacked: Path, work: Path, key: SigningKey) -> list[Path]:
    """Build and sign rpms; return their paths. One spec may make several."""

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
        raise AssembleError(f"{folder} must hold one package {package}, and holds {len(found)}")
    return found[0]


def upstream_version(debian_version: str) -> str:
    """Return the upstream part of a Debian version: 26.1.5 of 1:26.1.5+dfsg1-9."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", debian_version)
    if not match:
        raise AssembleError(f"{debian_version!r} is no version")
    return match[1]


def sign(rpms: Iterable[Path], key: SigningKey) -> None:
    """Sign rpms in place; a signature that was there is replaced."""
    # Debian's rpm looks for gpg2, which Debian calls gpg.
    run("rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {key.fingerprint}", "--resign", *rpms)


# --- Repositories -----------------------------------------------------------------------------------------------------


def lay_out(www: Path, name: str, rpms: Iterable[Path], key: SigningKey) -> None:
    """Make a tree with the layout of download.docker.com/linux. All releases are served by the packages of el9."""
    linux = www / name
    lay_out_flat(linux / "centos/9" / platform.machine() / "stable", rpms)
    (linux / "centos/10").symlink_to("9")
    (linux / "rhel").mkdir()
    for release in RELEASES:
        (linux / "rhel" / release).symlink_to("../centos/9")
    for family in FAMILIES:
        shutil.copy(key.public, linux / family / "gpg")
        (linux / family / "docker-ce.repo").write_text(repo_file(f"{SERVER}/{name}/{family}"))


def lay_out_flat(folder: Path, rpms: Iterable[Path]) -> None:
    """Make one repository. The rpms are hard links: several trees hold them, the image holds them once."""
    packages = folder / "Packages"
    packages.mkdir(parents=True)
    for rpm in rpms:
        os.link(rpm, packages / rpm.name)
    run("createrepo_c", "--quiet", folder)


def installable(rpms: Iterable[Path]) -> str:
    """Return the names by which dnf installs rpms, what they truly provide included, one a line."""
    names = run("rpm", "--query", "--nosignature", "--queryformat", "[%{PROVIDENAME}\\n]", "--package", *rpms)
    return "\n".join(sorted(set(names.split()) - ABSENT))


def repo_file(tree: str) -> str:
    """Return the docker-ce.repo that upstream serves beside the key; some roles download it."""
    return "\n".join(
        repo_section(tree, channel, kind) for channel in CHANNELS for kind in ("$basearch", "debug-$basearch", "source")
    )


def repo_section(tree: str, channel: str, kind: str) -> str:
    """Return one section of the .repo file; only the stable packages are enabled."""
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


def lay_out_refused(www: Path, rpms: list[Path], right: SigningKey, wrong: SigningKey, work: Path) -> None:
    """Make the trees that must be refused: in each, one thing is wrong, and the metadata agree with the packages.

    What is wrong with a package is wrong with docker-ce-cli, which docker-ce requires.
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
    """Change the payload of an rpm, which lies at its end; header and signature stay as they are."""
    content = bytearray(rpm.read_bytes())
    middle_of_payload = len(content) * 3 // 4
    content[middle_of_payload] ^= 0xFF
    rpm.write_bytes(content)


# --- Image for nested containers --------------------------------------------------------------------------------------


def make_hello_image(busybox: Path, archive: Path) -> None:
    """Write slipway/hello:latest as an archive that `docker load` of any engine reads: busybox and a greeting."""
    architecture = run("dpkg", "--print-architecture").strip()
    layer = hello_layer(busybox.read_bytes(), run(busybox, "--list").split())
    # Go, and so Docker, has Debian's names of architectures, but for this one.
    config = hello_config(layer, {"ppc64el": "ppc64le"}.get(architecture, architecture))
    archive.parent.mkdir()
    archive.write_bytes(hello_archive(layer, config))


def hello_layer(busybox: bytes, applets: Iterable[str]) -> bytes:
    """Return the layer: /bin/busybox under all its names."""
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
    """Return the image's configuration. The greeting is its command, so that any other applet can be."""
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["echo", HELLO]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "Slipway's stand-in repository"}],
    }
    return json.dumps(config).encode()


def hello_archive(layer: bytes, config: bytes) -> bytes:
    """Return the archive as `docker save` writes it."""
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
