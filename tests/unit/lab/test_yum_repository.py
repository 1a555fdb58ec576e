# SPDX-License-Identifier: Apache-2.0
"""The parts of the stand-in repository that need neither rpm nor gpg; tests/lab covers the rest on hosts."""

import configparser
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from slipway.lab.yum_repository import HERE, _archive, _content_key, _sources, assemble

SPECS = HERE / "specs"
ENGINES = (*assemble.NEWEST_ENGINE, *assemble.ENGINE, *assemble.OLDER_ENGINE, *assemble.HISTORIC_ENGINE)
ALL_RPMS = (*ENGINES, *assemble.DISTRIBUTION, *assemble.PLACEHOLDERS, *assemble.EPEL)


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("26.1.5+dfsg1-9+deb13u1+b1", "26.1.5"),
        ("20.10.24+dfsg1-1+deb12u1+b6", "20.10.24"),
        ("1.7.24~ds1-6+deb13u1", "1.7.24"),
        ("1:1.35.0-4", "1.35.0"),
        ("2.26.1-4", "2.26.1"),
    ],
)
def test_rpms_have_the_upstream_part_of_the_debian_version(debian: str, upstream: str) -> None:
    assert assemble.upstream_version(debian) == upstream


def test_an_invalid_version_is_rejected() -> None:
    with pytest.raises(assemble.AssembleError, match="'unknown'"):
        assemble.upstream_version("unknown")


def test_packages_with_a_common_prefix_are_distinguished(tmp_path: Path) -> None:
    for name in ("docker-cli_26_amd64.deb", "docker.io_26_amd64.deb", "docker_1_amd64.deb"):
        (tmp_path / name).touch()
    assert assemble.find_deb(tmp_path, "docker.io").name == "docker.io_26_amd64.deb"
    assert assemble.find_deb(tmp_path, "docker").name == "docker_1_amd64.deb"


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(assemble.AssembleError, match="one package runc, but contains 0"):
        assemble.find_deb(tmp_path, "runc")


def test_the_fingerprint_is_that_of_the_primary_key() -> None:
    listing = "pub:u:3072:1:AAAA:1:::u:::scSC:\nfpr:::::::::0123ABCD:\nsub:u:3072:1:B:1:\nfpr:::::::::FFFF:\n"
    assert assemble.primary_fingerprint(listing) == "0123ABCD"


def test_the_output_of_a_failed_program_is_quoted() -> None:
    with pytest.raises(assemble.AssembleError, match=r"sh failed with status 3:\nno luck"):
        assemble.run("sh", "-c", "echo no luck >&2; exit 3")


def test_tampering_keeps_header_and_size(tmp_path: Path) -> None:
    rpm = tmp_path / "a.rpm"
    original = bytes(1000)
    rpm.write_bytes(original)
    assemble.tamper(rpm)
    tampered = rpm.read_bytes()
    assert len(tampered) == len(original)
    assert tampered != original
    assert tampered[:500] == original[:500]


@pytest.mark.parametrize("name", ["linux", "unsigned/linux"])
def test_the_repo_file_enables_only_stable_packages_of_its_own_tree(name: str) -> None:
    tree = f"{assemble.SERVER}/{name}/centos"
    repo = configparser.ConfigParser(interpolation=None)
    repo.read_string(assemble.repo_file(tree))
    assert repo.sections()[0] == "docker-ce-stable"
    assert [section for section in repo if repo[section].get("enabled") == "1"] == ["docker-ce-stable"]
    assert repo["docker-ce-stable"]["baseurl"] == f"{tree}/$releasever/$basearch/stable"
    for section in repo.sections():
        assert repo[section]["gpgcheck"] == "1"
        assert repo[section]["gpgkey"] == f"{tree}/gpg"
        assert repo[section]["baseurl"].startswith(tree)


@pytest.mark.parametrize("spec", sorted({rpm.spec for rpm in ALL_RPMS}))
def test_a_spec_disables_dependency_detection_and_its_sources_exist(spec: str) -> None:
    text = (SPECS / f"{spec}.spec").read_text()
    assert "AutoReqProv: no" in text
    for source in re.findall(r"^Source\d+: (.+)$", text, re.MULTILINE):
        assert (SPECS / source).is_file()


@pytest.mark.parametrize(("spec", "epoch"), [("docker-ce", "3"), ("docker-ce-cli", "1"), ("containerd.io", None)])
def test_epochs_are_those_of_upstream(spec: str, epoch: str | None) -> None:
    found = re.search(r"^Epoch: (\d+)$", (SPECS / f"{spec}.spec").read_text(), re.MULTILINE)
    assert (found[1] if found else None) == epoch


def test_packages_that_are_provided_but_absent_are_not_installable() -> None:
    release = (SPECS / "release.spec").read_text()
    (untrue,) = re.findall(r"^# Absent, but.*?\n\n", release, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^Provides: (\S+)", untrue, re.MULTILINE)) == assemble.ABSENT


def test_every_spec_is_built() -> None:
    assert {path.stem for path in SPECS.glob("*.spec")} == {rpm.spec for rpm in ALL_RPMS}


def test_the_hello_image_has_the_format_of_docker_save() -> None:
    layer = assemble.hello_layer(b"a program", ["busybox", "echo", "sleep"])
    config = assemble.hello_config(layer, "arm64")
    with tarfile.open(fileobj=io.BytesIO(assemble.hello_archive(layer, config))) as archive:
        content = {member.name: archive.extractfile(member) for member in archive}
    files = {name: file.read() for name, file in content.items() if file}
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["slipway/hello:latest"]
    assert files[manifest["Config"]] == config
    (layer_name,) = manifest["Layers"]
    described = json.loads(config)
    assert described["architecture"] == "arm64"
    assert described["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(files[layer_name]).hexdigest()}"]


def test_every_applet_is_a_link_to_busybox() -> None:
    with tarfile.open(fileobj=io.BytesIO(assemble.hello_layer(b"a program", ["busybox", "sleep"]))) as layer:
        assert layer.getmember("bin/busybox").mode == 0o755
        assert layer.getmember("bin/sleep").linkname == "busybox"
        assert layer.getnames().count("bin/busybox") == 1


def test_the_content_key_changes_with_every_file_and_the_tools() -> None:
    key = _content_key("sha256:1", {"a": b"1", "b": b""})
    assert key == _content_key("sha256:1", {"a": b"1", "b": b""})
    assert key != _content_key("sha256:2", {"a": b"1", "b": b""})
    assert key != _content_key("sha256:1", {"a": b"", "b": b"1"})
    assert key != _content_key("sha256:1", {"a": b"1"})


def test_the_archive_contains_the_programs_and_the_specs() -> None:
    with tarfile.open(fileobj=io.BytesIO(_archive(_sources()))) as archive:
        names = archive.getnames()
    for name in ("assemble.py", "nginx.conf", "tls.cnf", "specs/macros", "specs/docker-ce.spec"):
        assert f"srv/slipway/source/yum_repository/{name}" in names
    for name in ("assemble.py", "nginx.conf", "start.sh", "token_server.py"):
        assert f"srv/slipway/source/hub/{name}" in names
    assert not [name for name in names if "__pycache__" in name]
