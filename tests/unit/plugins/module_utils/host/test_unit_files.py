# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import hashlib
from pathlib import Path

import pytest
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


@pytest.fixture
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Directories of units, the administrator's first."""
    found = [tmp_path / name for name in ("etc", "run", "usr")]
    monkeypatch.setattr(unit_files, "DIRECTORIES", tuple(map(str, found)))
    return found


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_first_directory_with_the_unit_takes_precedence(directories: list[Path]) -> None:
    for directory in directories[1:]:
        write(directory / "a.socket", directory.name)
    assert unit_files.text("a.socket") == "run"
    assert unit_files.text("b.socket") is None


def test_drop_ins_apply_by_name_and_the_first_directory_hides_the_others(directories: list[Path]) -> None:
    """systemd.unit(5): all drop-ins are ordered by their names, and one in /etc replaces those of its name."""
    own, _, packaged = directories
    for path, text in {
        packaged / "a.socket": "packaged",
        packaged / "a.socket.d/b.conf": "packaged b",
        packaged / "a.socket.d/x.conf": "packaged x",
        own / "a.socket.d/c.conf": "own c",
        own / "a.socket.d/x.conf": "own x",
    }.items():
        write(path, text)
    assert unit_files.texts("a.socket") == ["packaged", "packaged b", "own c", "own x"]
    write(own / "a.socket", "own")
    assert unit_files.texts("a.socket")[0] == "own"
    assert unit_files.texts("b.socket") == []
