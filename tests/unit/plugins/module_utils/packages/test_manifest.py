# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The output of rpm becomes a manifest, and the origin of an image a file that a shell can source."""

import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import os_release
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check
from ansible_collections.slipway.platform.plugins.module_utils.packages import manifest

ANSWER = (
    "zlib\t0\t1.2.11\t40.el9\tx86_64\tRSA/SHA256, Mon Jan  5 10:00:00 2026, Key ID 05b555b38483c65d\n"
    "docker-ce\t3\t26.1.5\t1.el9\tx86_64\t(none)\n"
)
MADE_BY = {"SLIPWAY_VERSION": "0.1.0", "SLIPWAY_COMMIT": ""}
PACKAGES = manifest.packages(ANSWER)
FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def release(before: str, now: str, answer: str = ANSWER, **made_by: str) -> dict[str, str]:
    values: dict[str, str] = manifest.release({**MADE_BY, **made_by}, manifest.packages(answer), before, now)
    return values


def test_packages_are_sorted_and_include_the_signing_key() -> None:
    assert [(package["name"], package["epoch"], package["key"]) for package in PACKAGES] == [
        ("docker-ce", 3, ""),
        ("zlib", 0, "05b555b38483c65d"),
    ]


def test_the_time_stays_if_nothing_changed() -> None:
    before = manifest.text_of(release("", FIRST))
    assert manifest.text_of(release(before, SECOND)) == before


@pytest.mark.parametrize("change", [{"SLIPWAY_COMMIT": "1f"}, {"answer": ANSWER.replace("40.el9", "41.el9")}], ids=str)
def test_the_time_is_that_of_the_last_change(change: dict[str, str]) -> None:
    before = manifest.text_of(release("", FIRST))
    assert release(before, SECOND, **change)["SLIPWAY_TIME"] == SECOND


def test_any_value_survives_a_shell_and_our_parser(tmp_path: Path) -> None:
    nasty = "a \"b\" $HOME `id` \\ 'c'"
    file = tmp_path / "release"
    file.write_text(manifest.text_of({"NASTY": nasty}))
    sourced = subprocess.run(["sh", "-c", f'. {file}; printf %s "$NASTY"'], capture_output=True, text=True, check=True)
    assert sourced.stdout == nasty
    assert os_release.parse(file.read_text()) == {"NASTY": nasty}


def test_os_release_is_parsed_with_any_quoting() -> None:
    text = "ID='centos'\nVERSION_ID=\"9\"\nPRETTY_NAME=Stream\n# comment\n"
    parsed = {"id": "centos", "version_id": "9", "pretty_name": "Stream"}
    assert manifest.operating_system(os_release.parse(text)) == parsed


def test_the_checker_accepts_the_release_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "os-release"):
        (tmp_path / "etc" / name).touch()
    text = manifest.text_of(release("", FIRST, SLIPWAY_COMMIT="1f" * 20))
    (tmp_path / "etc/slipway-release").write_text(text)
    found = check.check_path(str(tmp_path))
    assert {Path(violation.path).name for violation in found} == {"machine-id"}
