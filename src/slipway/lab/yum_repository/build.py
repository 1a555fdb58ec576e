# SPDX-License-Identifier: Apache-2.0
"""Builds the stand-in repository. Runs in a container of the tools image, with Python's standard library alone.

Reads .deb files below DEBS; leaves below WWW what nginx serves, and below KEYS the certificate authority's certificate
and the fingerprint of the key that signs the packages. All keys are made here, and thrown away with the image.
"""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import certificates
import hello_image
import packages
from commands import output, run

BASE = Path("/srv/slipway")
DEBS, SOURCE, WWW, KEYS = BASE / "debs", BASE / "source", BASE / "www", BASE / "keys"
WORK = Path("/tmp/slipway-build")
SIGNER, STRANGER = "Slipway stand-in repository", "Somebody else"
ARCHITECTURE = output("rpm", "--eval", "%_arch").strip()
STABLE = f"centos/9/{ARCHITECTURE}/stable"
RELEASE_PACKAGE = "centos-stream-release"


def main() -> None:
    """Build everything, a line of progress a step."""
    os.umask(0o022)
    KEYS.mkdir()
    say("unpacking Debian's engines")
    unpacked = {suite.name: unpack(suite) for suite in DEBS.iterdir()}
    say("making keys and certificates")
    for name in (SIGNER, STRANGER):
        run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", name, "rsa3072", "sign", "never")
    (KEYS / "fingerprint").write_text(fingerprint(SIGNER) + "\n")
    certificates.make(KEYS, ["download.docker.com", "yum.dockerproject.org"])
    say("building the packages")
    built = build_packages(unpacked)
    say("signing the packages")
    sign(SIGNER, *built.glob("*.rpm"))
    say("laying out the repositories")
    lay_out(built)
    hello_image.make(unpacked["bookworm"] / "bin/busybox", WWW / "images/hello.tar")
    for leftover in (WORK, DEBS, Path.home() / ".gnupg"):
        shutil.rmtree(leftover)


def say(step: str) -> None:
    print(f"* repository: {step}", flush=True)


def unpack(suite: Path) -> Path:
    """Unpack a suite's packages into one tree."""
    root = WORK / "debian" / suite.name
    root.mkdir(parents=True)
    for package in suite.glob("*.deb"):
        run("dpkg", "-x", str(package), str(root))
    return root


def fingerprint(name: str) -> str:
    listing = output("gpg", "--batch", "--with-colons", "--list-keys", name)
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def build_packages(unpacked: dict[str, Path]) -> Path:
    """Build every package of packages.ALL, as many at a time as there are processors; return their folder."""
    target = WORK / "rpms"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda package: build_package(package, unpacked, target), packages.ALL))
    return target


def build_package(package: packages.Package, unpacked: dict[str, Path], target: Path) -> None:
    top = WORK / "rpmbuild" / f"{package.name}-{package.version}"
    stage = top / "stage"
    for destination, origin in package.files.items():
        path = stage / destination.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        suite, _, inside = origin.partition(":")
        shutil.copy(SOURCE / inside if suite == "source" else unpacked[suite] / inside, path)
    stage.mkdir(parents=True, exist_ok=True)
    definitions = {
        "_topdir": str(top),
        "_rpmdir": str(target),
        "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "_binary_payload": "w1.zstdio",
        "_build_id_links": "none",
        "__os_install_post": "%{nil}",
        "debug_package": "%{nil}",
        "stage": str(stage),
        "version": package.version,
    }
    defines = [word for name, value in definitions.items() for word in ("--define", f"{name} {value}")]
    run("rpmbuild", "-bb", *defines, str(SOURCE / f"specs/{package.name}.spec"))


def sign(key: str, *rpms: Path) -> None:
    run("rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {key}", "--resign", *map(str, rpms))


def lay_out(built: Path) -> None:
    """Put the packages where upstream has them, and make the repositories that must be refused."""
    good = WWW / "linux"
    place(good / STABLE, [path for path in built.glob("*.rpm") if is_upstream(path)])
    finish_tree(good, SIGNER)

    wrong_key = WWW / "wrong-key/linux"
    (wrong_key / STABLE).parent.mkdir(parents=True)
    (wrong_key / STABLE).symlink_to(good / STABLE)
    finish_tree(wrong_key, STRANGER)

    spoilers = {"other-signer": sign_by_stranger, "unsigned": remove_signature, "tampered": tamper}
    for name, spoil in spoilers.items():
        tree = WWW / name / "linux"
        place(tree / STABLE, list((good / STABLE / "Packages").iterdir()), spoil)
        finish_tree(tree, SIGNER)

    place(WWW / "historic/repo/main/centos/7", list(built.glob("docker-engine-*")))
    export_key(SIGNER, WWW / "historic/gpg")
    place(WWW / "distribution", [path for path in built.glob("*.rpm") if is_of_the_distribution(path)])
    shutil.copy(next(built.glob(f"{RELEASE_PACKAGE}-*")), BASE / f"{RELEASE_PACKAGE}.rpm")


def is_of_the_distribution(rpm: Path) -> bool:
    return rpm.name.startswith(packages.OF_THE_DISTRIBUTION)


def is_upstream(rpm: Path) -> bool:
    return not is_of_the_distribution(rpm) and not rpm.name.startswith("docker-engine-")


def place(repository: Path, rpms: list[Path], spoil=None) -> None:
    """Make a repository of packages; spoil, if given, changes its newest docker-ce-cli before the metadata is made."""
    folder = repository / "Packages"
    folder.mkdir(parents=True)
    for rpm in rpms:
        os.link(rpm, folder / rpm.name)
    if spoil:
        victim = next(folder.glob("docker-ce-cli-26*"))
        content = victim.read_bytes()
        victim.unlink()  # it is a hard link to the good one
        victim.write_bytes(content)
        spoil(victim)
    run("createrepo_c", "--quiet", "--no-database", str(repository))


def sign_by_stranger(rpm: Path) -> None:
    sign(STRANGER, rpm)


def remove_signature(rpm: Path) -> None:
    run("rpmsign", "--delsign", str(rpm))


def tamper(rpm: Path) -> None:
    """Change one byte of the payload, which the metadata made afterwards takes for granted."""
    content = bytearray(rpm.read_bytes())
    content[-1000] ^= 0xFF
    rpm.write_bytes(content)


def finish_tree(tree: Path, key: str) -> None:
    """Add what upstream's tree has beside the packages: the key, the .repo file, the other distributions."""
    export_key(key, tree / "centos/gpg")
    shutil.copy(SOURCE / "docker-ce.repo", tree / "centos")
    (tree / "centos/10").symlink_to("9")
    (tree / "rhel").symlink_to("centos")


def export_key(key: str, path: Path) -> None:
    path.write_text(output("gpg", "--batch", "--armor", "--export", fingerprint(key)))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error}\n{error.stdout}\n{error.stderr}") from error
