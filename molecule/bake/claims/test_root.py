# SPDX-License-Identifier: Apache-2.0
"""A bake leaves a folder that is ready to boot, and nothing on the machine that ran it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from slipway.lab import nspawn

UNITS = [
    *("containerd.service", "docker.service", "docker.socket", "docker-prune.timer"),
    *("docker-auth-check.service", "docker-firstboot.service", "slipway-metrics.timer"),
]
HELPER_OF_THE_INSTANCE_ROLE = {"https://index.docker.io/v1/": "slipway"}


def enabled(root: Path, units: list[str]) -> list[str]:
    return [unit for unit in units if nspawn.systemctl(root, "is-enabled", unit) == "enabled"]


def copy_unit_files(root: Path, copied: Path) -> Path:
    for folder in ("etc", "usr/lib/systemd"):
        shutil.copytree(root / folder, copied / folder, symlinks=True)
    (copied / "lib").symlink_to("usr/lib")
    return copied


def roots_of_processes() -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        # The process has ended, or it is process 1 of a sandbox, which may not be inspected.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            yield (process / "root").readlink()


def test_no_process_is_left_in_the_folder(root: Path) -> None:
    """Fault: a bake through a chroot. Outcome: no process and no mount is left."""
    assert [path for path in roots_of_processes() if path.is_relative_to(root)] == []
    with subprocess.Popen(["chroot", root, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"here\n")
        process.stdin.flush()
        process.stdout.readline()
        assert root in roots_of_processes(), "the search does not find processes in the folder"


def test_no_mount_is_left_below_the_folder(root: Path) -> None:
    """Fault: a bake through a chroot. Outcome: no process and no mount is left."""
    mounts = [Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    assert [path for path in mounts if path.is_relative_to(root)] == []


def test_all_units_are_enabled(root: Path) -> None:
    assert enabled(root, UNITS) == UNITS


def test_the_member_is_in_the_group(root: Path) -> None:
    (group,) = [line for line in (root / "etc/group").read_text().splitlines() if line.startswith("docker:")]
    assert group.rpartition(":")[2] == "alice"


def test_the_engine_is_configured(root: Path) -> None:
    assert json.loads((root / "etc/docker/daemon.json").read_text())["userland-proxy"] is False


def test_helpers_are_configured_and_no_logins_are_stored(root: Path) -> None:
    helpers = {home: json.loads((root / home / ".docker/config.json").read_text()) for home in ("root", "home/alice")}
    assert helpers == {
        "root": {"credHelpers": HELPER_OF_THE_INSTANCE_ROLE},
        "home/alice": {"credHelpers": {**HELPER_OF_THE_INSTANCE_ROLE, "registry.example.com": "site"}},
    }
    assert not (root / "helper-was-asked").exists()


def test_the_machine_id_is_an_empty_file(root: Path) -> None:
    assert (root / "etc/machine-id").read_bytes() == b""


@pytest.mark.parametrize(("with_preset", "left"), [(True, UNITS), (False, [])], ids=["with the preset", "without it"])
def test_the_preset_keeps_units_enabled_on_a_first_boot_that_applies_all_presets(
    root: Path, tmp_path: Path, with_preset: bool, left: list[str]
) -> None:
    """Fault: a first boot that sets every unit to its preset. Outcome: enabled units stay enabled."""
    root = copy_unit_files(root, tmp_path)
    (root / "usr/lib/systemd/system-preset/99-default-disable.preset").write_text("disable *\n")  # as EL has it
    if not with_preset:
        (root / "etc/systemd/system-preset/10-docker.preset").unlink()
    nspawn.systemctl(root, "preset-all", "--preset-mode=full")
    assert enabled(root, UNITS) == left
