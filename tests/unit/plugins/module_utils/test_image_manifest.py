# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What rpm answers becomes a manifest; what made an image becomes a file that a shell can source."""

import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import image_manifest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check

ANSWER = (
    "zlib\t0\t1.2.11\t40.el9\tx86_64\tRSA/SHA256, Mon Jan  5 10:00:00 2026, Key ID 05b555b38483c65d\n"
    "docker-ce\t3\t26.1.5\t1.el9\tx86_64\t(none)\n"
)
MADE_BY = {"SLIPWAY_VERSION": "0.1.0", "SLIPWAY_COMMIT": ""}
PACKAGES = image_manifest.packages(ANSWER)
FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def release(before: str, now: str, answer: str = ANSWER, **made_by: str) -> dict[str, str]:
    values: dict[str, str] = image_manifest.release(
        {**MADE_BY, **made_by}, image_manifest.packages(answer), before, now
    )
    return values


def test_packages_are_sorted_and_tell_their_key() -> None:
    assert [(package["name"], package["epoch"], package["key"]) for package in PACKAGES] == [
        ("docker-ce", 3, ""),
        ("zlib", 0, "05b555b38483c65d"),
    ]


def test_the_time_stays_where_nothing_changed() -> None:
    before = image_manifest.text_of(release("", FIRST))
    assert image_manifest.text_of(release(before, SECOND)) == before


@pytest.mark.parametrize("change", [{"SLIPWAY_COMMIT": "1f"}, {"answer": ANSWER.replace("40.el9", "41.el9")}], ids=str)
def test_the_time_is_that_of_the_last_change(change: dict[str, str]) -> None:
    before = image_manifest.text_of(release("", FIRST))
    assert release(before, SECOND, **change)["SLIPWAY_TIME"] == SECOND


def test_any_value_survives_a_shell_and_our_own_reading(tmp_path: Path) -> None:
    nasty = "a \"b\" $HOME `id` \\ 'c'"
    file = tmp_path / "release"
    file.write_text(image_manifest.text_of({"NASTY": nasty}))
    sourced = subprocess.run(["sh", "-c", f'. {file}; printf %s "$NASTY"'], capture_output=True, text=True, check=True)
    assert sourced.stdout == nasty
    assert image_manifest.assignments(file.read_text()) == {"NASTY": nasty}


def test_an_operating_system_is_told_however_it_quotes() -> None:
    text = "ID='centos'\nVERSION_ID=\"9\"\nPRETTY_NAME=Stream\n# comment\n"
    told = {"id": "centos", "version_id": "9", "pretty_name": "Stream"}
    assert image_manifest.operating_system(text) == told


def test_the_release_file_may_ship(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "os-release"):
        (tmp_path / "etc" / name).touch()
    text = image_manifest.text_of(release("", FIRST, SLIPWAY_COMMIT="1f" * 20))
    (tmp_path / "etc/slipway-release").write_text(text)
    found = check.of_path(str(tmp_path))
    assert {Path(violation.path).name for violation in found} == {"machine-id"}
