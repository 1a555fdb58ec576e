# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import hashlib
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files
from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm

UNIT = "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n"
DIGEST = hashlib.sha256(UNIT.encode()).hexdigest()
# Output of rpm with QUERY_FORMAT_WITH_FILES: packages with their files, and packages that are not installed.
QUERY = f"""\
docker-ce\t3\t26.1.5\t1.el9
/usr/bin/dockerd\t{"1" * 64}
/usr/lib/systemd/system/docker.service\t{DIGEST}
/usr/lib/systemd/system/docker.socket\t{"2" * 64}
/usr/share/man/man8/dockerd.8.gz\t{"3" * 32}
/usr/share/doc/docker-ce\t
package docker is not installed
"""


def test_only_digests_of_unit_files_are_read() -> None:
    assert unit_files.parse_digests(QUERY) == {
        "/usr/lib/systemd/system/docker.service": DIGEST,
        "/usr/lib/systemd/system/docker.socket": "2" * 64,
    }


def test_packages_are_parsed_despite_lines_about_files() -> None:
    assert [package.spec for package in rpm.parse(QUERY)] == ["docker-ce-3:26.1.5-1.el9"]


def test_a_unit_with_a_different_digest_counts_as_edited(tmp_path: Path) -> None:
    unit = tmp_path / "docker.service"
    unit.write_text(UNIT)
    assert unit_files.edited({str(unit): DIGEST}) == []
    unit.write_text(UNIT + "User=nobody\n")
    assert unit_files.edited({str(unit): DIGEST}) == [str(unit)]
    unit.unlink()
    assert unit_files.edited({str(unit): DIGEST}) == []


def test_an_administrators_unit_overrides_the_packaged_one_but_a_mask_does_not(tmp_path: Path) -> None:
    (tmp_path / "docker.service").write_text(UNIT)
    (tmp_path / "docker.socket").symlink_to("/dev/null")
    (tmp_path / "docker.service.d").mkdir()
    (message,) = unit_files.warnings(("docker.service", "docker.socket"), {}, str(tmp_path))
    assert f"{tmp_path}/docker.service overrides the packaged unit" in message
    assert "systemctl edit docker.service" in message


def test_an_administrators_unit_comes_first_followed_by_drop_ins(tmp_path: Path) -> None:
    own, packaged = tmp_path / "etc", tmp_path / "usr"
    for path, text in {
        packaged / "a.socket": "packaged",
        packaged / "a.socket.d/x.conf": "packaged drop-in",
        own / "a.socket.d/b.conf": "second",
        own / "a.socket.d/a.conf": "first",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    directories = (str(own), str(packaged))
    drop_ins = ["packaged drop-in", "first", "second"]
    assert unit_files.texts("a.socket", directories) == ["packaged", *drop_ins]
    (own / "a.socket").write_text("own")
    assert unit_files.texts("a.socket", directories) == ["own", *drop_ins]
    assert unit_files.texts("b.socket", directories) == []
