# SPDX-License-Identifier: Apache-2.0
"""What is read of this machine, against what its own df and free say."""

import os
import subprocess
from pathlib import Path

import pytest
from slipway_aws import readings

from tests.unit.metrics.conftest import DEFAULTS

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
# An instance with a volume of docker's local driver that is bound to /srv; nobody gets to /kept.
OF_AN_INSTANCE = """\
1 0 259:4 / / rw,relatime shared:1 - xfs /dev/nvme0n1p4 rw
2 1 259:2 / /boot/efi rw,relatime shared:2 - vfat /dev/nvme0n1p2 rw
3 1 259:5 / /srv rw,relatime shared:3 - ext4 /dev/nvme1n1 rw
4 1 259:5 /app /var/lib/docker/volumes/app/_data rw,relatime shared:3 - ext4 /dev/nvme1n1 rw
5 1 259:6 / /kept/by-nobody rw,relatime shared:4 - ext4 /dev/nvme2n1 rw
"""


def columns(*command: str) -> list[str]:
    """The last line that a command prints, in columns."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()


def value(found: list[readings.Reading], name: str) -> float:
    return next(float(reading.value) for reading in found if reading.name == name)


def test_memory_is_what_free_counts_as_neither_free_nor_buffers_nor_cache() -> None:
    found = readings.of_memory(Path("/proc/meminfo").read_text())
    printed = subprocess.run(["free", "--bytes"], capture_output=True, text=True, check=True).stdout.splitlines()
    total, _, free, _, cache, _ = map(int, printed[1].split()[1:])
    # Between the two looks, others on the machine may have taken or given back some memory.
    assert value(found, "mem_used_percent") == pytest.approx(100 * (total - free - cache) / total, abs=5)


def test_an_instance_without_swap_uses_none_of_it() -> None:
    assert value(readings.of_memory(MEMINFO.format(total=0, free=0)), "swap_used_percent") == 0
    assert value(readings.of_memory(MEMINFO.format(total=100, free=25)), "swap_used_percent") == 75
    assert value(readings.of_memory(MEMINFO.format(total=0, free=0)), "mem_used_percent") == pytest.approx(40)


def test_a_file_system_is_as_full_as_df_says(tmp_path: Path) -> None:
    found = readings.of_file_system(readings.Mount(str(tmp_path), "any", "0:0"))
    # df rounds up to a whole number, and the others on the machine write files meanwhile.
    assert value(found, "disk_used_percent") == pytest.approx(
        float(columns("df", "--output=pcent", str(tmp_path))[0].rstrip("%")), abs=2
    )
    free = columns("df", "--output=iavail", str(tmp_path))[0]
    if os.statvfs(tmp_path).f_files:
        assert value(found, "disk_inodes_free") == pytest.approx(float(free), rel=0.05)
    else:
        assert [reading.name for reading in found] == ["disk_used_percent"]


def test_all_mounts_are_those_of_no_ignored_kind_and_the_later_one_covers() -> None:
    found, missing = readings.chosen(readings.mounts(MOUNTINFO), ["*"], ["proc", "tmpfs"])
    assert [mount.path for mount in found] == ["/", "/mnt/with space"]
    assert missing == []


def test_mounts_that_are_named_are_read_whatever_their_kind_and_missing_ones_told() -> None:
    found, missing = readings.chosen(readings.mounts(MOUNTINFO), ["/data", "/nowhere"], ["tmpfs"])
    assert found == [readings.Mount("/data", "tmpfs", "0:9")]
    assert missing == ["/nowhere"]


def test_all_are_the_disks_once_each_by_the_mount_that_came_first() -> None:
    found, _ = readings.chosen(readings.mounts(OF_AN_INSTANCE), ["*"], DEFAULTS["host_metrics_ignored_file_systems"])
    assert [mount.path for mount in found] == ["/", "/srv", "/kept/by-nobody"]


def test_a_mount_that_cannot_be_read_fails_only_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mountinfo").write_text(OF_AN_INSTANCE.replace("/srv", str(tmp_path)))
    monkeypatch.setattr(readings, "MOUNTS", str(tmp_path / "mountinfo"))
    found, problems = readings.take(["*"], ["vfat"])
    assert {reading.dimensions.get("path") for reading in found} == {None, "/", str(tmp_path)}
    assert problems == []
    (problem,) = readings.take(["/", "/kept/by-nobody"], [])[1]
    assert problem.startswith("/kept/by-nobody cannot be read (No such file or directory)")
