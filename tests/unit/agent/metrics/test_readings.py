# SPDX-License-Identifier: Apache-2.0
"""Readings of this machine, compared with those of df and free."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from slipway_agent.metrics import readings, usage

from tests.unit.agent.metrics.conftest import DEFAULTS

MEMINFO = """\
MemTotal:        1000 kB
MemFree:          300 kB
MemAvailable:     700 kB
Buffers:           50 kB
Cached:           200 kB
SwapCached:         0 kB
SwapTotal:        {total} kB
SwapFree:         {free} kB
SReclaimable:      50 kB
HugePages_Total:       0
"""
MOUNTINFO = """\
1 0 8:1 / / rw shared:1 - xfs /dev/sda1 rw
2 1 0:5 / /proc rw - proc proc rw
3 1 8:2 / /mnt/with\\040space rw - ext4 /dev/sdb1 rw
4 1 8:3 / /data rw - ext4 /dev/sdc1 rw
5 4 0:9 / /data rw - tmpfs tmpfs rw
"""
# An instance with a docker volume that is bound to /srv. /kept is not accessible.
OF_AN_INSTANCE = """\
1 0 259:4 / / rw,relatime shared:1 - xfs /dev/nvme0n1p4 rw
2 1 259:2 / /boot/efi rw,relatime shared:2 - vfat /dev/nvme0n1p2 rw
3 1 259:5 / /srv rw,relatime shared:3 - ext4 /dev/nvme1n1 rw
4 1 259:5 /app /var/lib/docker/volumes/app/_data rw,relatime shared:3 - ext4 /dev/nvme1n1 rw
5 1 259:6 / /kept/by-nobody rw,relatime shared:4 - ext4 /dev/nvme2n1 rw
"""


def columns(*command: str) -> list[str]:
    """Return the columns of a command's last line."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()


def value(found: list[readings.Reading], name: str) -> float:
    return next(float(reading.value) for reading in found if reading.name == name)


@pytest.mark.skipif(not shutil.which("free"), reason="free (Debian: procps) is not installed")
def test_used_memory_is_that_of_the_command_free() -> None:
    found = readings.of_memory(Path("/proc/meminfo").read_text())
    printed = subprocess.run(["free", "--bytes"], capture_output=True, text=True, check=True).stdout.splitlines()
    total, _, free, _, cache, _ = map(int, printed[1].split()[1:])
    # Other processes may allocate or free memory between the two measurements.
    assert value(found, "mem_used_percent") == pytest.approx(100 * (total - free - cache) / total, abs=5)


def test_used_swap_is_a_percentage_and_0_without_swap() -> None:
    assert value(readings.of_memory(MEMINFO.format(total=0, free=0)), "swap_used_percent") == 0
    assert value(readings.of_memory(MEMINFO.format(total=100, free=25)), "swap_used_percent") == 75
    assert value(readings.of_memory(MEMINFO.format(total=0, free=0)), "mem_used_percent") == pytest.approx(40)


def test_usage_of_a_file_system_is_that_of_df(tmp_path: Path) -> None:
    found = readings.of_file_system(readings.Mount(str(tmp_path), "any", "0:0"), os.statvfs(tmp_path))
    # df rounds up, and other processes write files at the same time.
    assert value(found, "disk_used_percent") == pytest.approx(
        float(columns("df", "--output=pcent", str(tmp_path))[0].rstrip("%")), abs=2
    )
    free = columns("df", "--output=iavail", str(tmp_path))[0]
    if os.statvfs(tmp_path).f_files:
        assert value(found, "disk_inodes_free") == pytest.approx(float(free), rel=0.05)
    else:
        assert [reading.name for reading in found] == ["disk_used_percent"]


def test_ignored_types_and_hidden_mounts_are_excluded() -> None:
    found, missing = readings.chosen(readings.mounts(MOUNTINFO), ["*"], ["proc", "tmpfs"])
    assert [mount.path for mount in found] == ["/", "/mnt/with space"]
    assert missing == []


def test_listed_mounts_are_read_regardless_of_type_and_missing_ones_are_returned() -> None:
    found, missing = readings.chosen(readings.mounts(MOUNTINFO), ["/data", "/nowhere"], ["tmpfs"])
    assert found == [readings.Mount("/data", "tmpfs", "0:9")]
    assert missing == ["/nowhere"]


def test_each_file_system_is_read_once_at_its_first_mount() -> None:
    found, _ = readings.chosen(readings.mounts(OF_AN_INSTANCE), ["*"], DEFAULTS["host_metrics_ignored_file_systems"])
    assert [mount.path for mount in found] == ["/", "/srv", "/kept/by-nobody"]


def test_an_inaccessible_mount_is_an_error_only_if_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mountinfo").write_text(OF_AN_INSTANCE.replace("/srv", str(tmp_path)))
    monkeypatch.setattr(readings, "MOUNTS", str(tmp_path / "mountinfo"))
    found, problems = readings.take(["*"], ["vfat"])
    assert {reading.dimensions.get("path") for reading in found} == {None, "/", str(tmp_path)}
    assert problems == []
    (problem,) = readings.take(["/", "/kept/by-nobody"], [])[1]
    assert problem.startswith("/kept/by-nobody cannot be read (No such file or directory)")


def test_a_path_with_any_separator_is_one_mount() -> None:
    """A user who may mount chooses the path, and the kernel escapes only some of what Python takes for a separator."""
    for separator in ("\u3000", "\x0b", "\x0c", "\r", "\x1c", "\x85", "\u2028"):
        text = MOUNTINFO.replace("/data", f"/a{separator}b")
        assert list(readings.mounts(text)) == ["/", "/proc", "/mnt/with space", f"/a{separator}b"]


def test_network_and_fuse_file_systems_are_ignored_by_default() -> None:
    """Fault: a network file system is mounted. Outcome: its server is not asked for metrics unless it is listed."""
    kinds = (
        "smb3",
        "cifs",
        "nfs4",
        "fuse.sshfs",
        "fuse.anything",
        "ceph",
        "lustre",
        "9p",
        "virtiofs",
        "xfs",
        "fuseblk",
    )
    text = "".join(f"{n} 1 0:{n} / /m{n} rw - {kind} x rw\n" for n, kind in enumerate(kinds))
    found, _ = readings.chosen(readings.mounts(text), ["*"], DEFAULTS["host_metrics_ignored_file_systems"])
    assert [mount.kind for mount in found] == ["xfs", "fuseblk"]


def with_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    lines = [f"{n} 1 0:{n} / {path} rw - ext4 x rw\n" for n, path in enumerate(paths)]
    (tmp_path / "mountinfo").write_text("".join(lines), errors="surrogateescape")
    monkeypatch.setattr(readings, "MOUNTS", str(tmp_path / "mountinfo"))


@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError])
def test_hidden_processes_do_not_keep_metrics_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """Fault: /proc is mounted with hidepid. Outcome: memory and the process's own mounts are published."""
    with_mounts(tmp_path, monkeypatch, "/")
    monkeypatch.setattr(readings, "MOUNTS", "/proc/1/nonexistent/mountinfo")
    monkeypatch.setattr(readings, "OWN_MOUNTS", str(tmp_path / "mountinfo"))
    found, problems = readings.take(["/"], [])
    assert {reading.name for reading in found} >= {"mem_used_percent", "disk_used_percent"}
    assert problems == []
    monkeypatch.setattr(readings, "OWN_MOUNTS", "/proc/1/nonexistent/mountinfo")
    found, problems = readings.take(["/"], [])
    assert {reading.name for reading in found} == {"mem_used_percent", "swap_used_percent"}
    assert problems == ["nothing is mounted at /: mount it, or remove it from host_metrics_mounts"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("", "lacks what memory"),
        ("MemTotal: x kB\n", "lacks what"),
    ],
)
def test_memory_that_cannot_be_read_does_not_keep_disks_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, words: str
) -> None:
    with_mounts(tmp_path, monkeypatch, "/")
    monkeypatch.setattr(readings, "MEMORY", str(tmp_path / "meminfo"))
    if text is not None:
        (tmp_path / "meminfo").write_text(text)
    found, (problem,) = readings.take(["*"], [])
    assert {reading.name for reading in found} >= {"disk_used_percent"}
    assert words in problem


def test_fields_that_a_container_lacks_count_as_none() -> None:
    assert value(readings.of_memory("MemTotal: 100 kB\nMemFree: 40 kB\n"), "mem_used_percent") == pytest.approx(60)


def hang_at(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file system at a path one that does not answer."""
    statvfs = os.statvfs

    def asked(asked_path: str) -> os.statvfs_result:
        if asked_path == path:
            time.sleep(600)
        return statvfs(asked_path)

    monkeypatch.setattr(os, "statvfs", asked)
    monkeypatch.setattr(usage, "LONGEST_READING", 0.5)


@pytest.mark.parametrize("wanted", [["*"], ["/", "/hung", "/tmp"]])
def test_a_file_system_that_does_not_answer_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: list[str]
) -> None:
    """Fault: the server of a network file system does not answer. Outcome: the others are published within seconds, and
    this one is named."""
    with_mounts(tmp_path, monkeypatch, "/", "/hung", "/tmp")
    hang_at("/hung", monkeypatch)
    before, began = children(), time.monotonic()
    found, problems = readings.take(wanted, [])
    assert time.monotonic() - began < 10
    assert {reading.dimensions.get("path") for reading in found} == {None, "/", "/tmp"}
    (problem,) = problems
    assert problem.startswith("/hung (ext4) does not answer within 0.5 s: check what serves it, or add its type to ")
    assert children() == before


def children() -> list[str]:
    """Return the processes that this one has started and not ended."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_many_file_systems_that_do_not_answer_take_no_longer_than_all_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_mounts(tmp_path, monkeypatch, "/", *(f"/hung{n}" for n in range(50)))
    monkeypatch.setattr(os, "statvfs", lambda path: time.sleep(600))
    monkeypatch.setattr(usage, "LONGEST_READING", 0.2)
    monkeypatch.setattr(usage, "LONGEST", 1)
    began = time.monotonic()
    _, problems = readings.take(["*"], [])
    assert time.monotonic() - began < 15
    assert len(problems) == 51
    assert "was not read, because others do not answer" in problems[-1]


def test_a_path_that_is_no_utf_8_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    Path(folder).mkdir()
    with_mounts(tmp_path, monkeypatch, folder, folder + "/gone")
    found, problems = readings.take([folder, folder + "/gone"], [])
    assert {reading.dimensions.get("path") for reading in found} == {None, folder}
    (problem,) = problems
    assert "caf\\udce9/gone cannot be read" in problem
    assert problem.encode("ascii")
