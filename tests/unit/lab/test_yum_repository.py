# SPDX-License-Identifier: Apache-2.0
"""What of the stand-in repository can be proven without rpm and gpg; the rest is proven on hosts, in tests/lab."""

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
ENGINES = (*assemble.ENGINE, *assemble.OLDER_ENGINE, *assemble.HISTORIC_ENGINE)
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
def test_rpms_get_upstreams_part_of_debians_version(debian: str, upstream: str) -> None:
    assert assemble.upstream_version(debian) == upstream


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(assemble.AssembleError, match="'unknown'"):
        assemble.upstream_version("unknown")


def test_a_package_is_not_taken_for_one_whose_name_begins_alike(tmp_path: Path) -> None:
    for name in ("docker-cli_26_amd64.deb", "docker.io_26_amd64.deb", "docker_1_amd64.deb"):
        (tmp_path / name).touch()
    assert assemble.find_deb(tmp_path, "docker.io").name == "docker.io_26_amd64.deb"
    assert assemble.find_deb(tmp_path, "docker").name == "docker_1_amd64.deb"


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(assemble.AssembleError, match="one package runc, and holds 0"):
        assemble.find_deb(tmp_path, "runc")


def test_the_fingerprint_is_that_of_the_primary_key() -> None:
    listing = "pub:u:3072:1:AAAA:1:::u:::scSC:\nfpr:::::::::0123ABCD:\nsub:u:3072:1:B:1:\nfpr:::::::::FFFF:\n"
    assert assemble.primary_fingerprint(listing) == "0123ABCD"


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(assemble.AssembleError, match=r"sh failed with status 3:\nno luck"):
        assemble.run("sh", "-c", "echo no luck >&2; exit 3")


def test_tampering_leaves_header_and_size_alone(tmp_path: Path) -> None:
    rpm = tmp_path / "a.rpm"
    original = bytes(1000)
    rpm.write_bytes(original)
    assemble.tamper(rpm)
    tampered = rpm.read_bytes()
    assert len(tampered) == len(original)
    assert tampered != original
    assert tampered[:500] == original[:500]


@pytest.mark.parametrize("name", ["linux", "unsigned/linux"])
def test_the_repo_file_enables_stable_packages_only_and_stays_in_its_tree(name: str) -> None:
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
def test_a_spec_packs_binaries_as_they_are_and_names_files_that_exist(spec: str) -> None:
    text = (SPECS / f"{spec}.spec").read_text()
    assert "AutoReqProv: no" in text
    for source in re.findall(r"^Source\d+: (.+)$", text, re.MULTILINE):
        assert (SPECS / source).is_file()


@pytest.mark.parametrize(("spec", "epoch"), [("docker-ce", "3"), ("docker-ce-cli", "1"), ("containerd.io", None)])
def test_epochs_are_upstreams_so_that_pins_must_get_them_right(spec: str, epoch: str | None) -> None:
    found = re.search(r"^Epoch: (\d+)$", (SPECS / f"{spec}.spec").read_text(), re.MULTILINE)
    assert (found[1] if found else None) == epoch


def test_no_spec_is_forgotten() -> None:
    assert {path.stem for path in SPECS.glob("*.spec")} == {rpm.spec for rpm in ALL_RPMS}


def test_the_image_is_what_docker_load_expects() -> None:
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


def test_every_applet_is_a_name_of_the_one_program() -> None:
    with tarfile.open(fileobj=io.BytesIO(assemble.hello_layer(b"a program", ["busybox", "sleep"]))) as layer:
        assert layer.getmember("bin/busybox").mode == 0o755
        assert layer.getmember("bin/sleep").linkname == "busybox"
        assert layer.getnames().count("bin/busybox") == 1


def test_the_image_is_made_again_when_a_file_or_the_tools_change() -> None:
    key = _content_key("sha256:1", {"a": b"1", "b": b""})
    assert key == _content_key("sha256:1", {"a": b"1", "b": b""})
    assert key != _content_key("sha256:2", {"a": b"1", "b": b""})
    assert key != _content_key("sha256:1", {"a": b"", "b": b"1"})
    assert key != _content_key("sha256:1", {"a": b"1"})


def test_the_container_gets_the_programs_and_the_specs() -> None:
    with tarfile.open(fileobj=io.BytesIO(_archive(_sources()))) as archive:
        names = archive.getnames()
    for name in ("assemble.py", "nginx.conf", "tls.cnf", "specs/macros", "specs/docker-ce.spec"):
        assert f"srv/slipway/source/yum_repository/{name}" in names
    for name in ("assemble.py", "nginx.conf", "start.sh", "token_server.py"):
        assert f"srv/slipway/source/hub/{name}" in names
    assert not [name for name in names if "__pycache__" in name]
