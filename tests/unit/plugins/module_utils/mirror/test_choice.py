# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice as mirror_choice

ENGINE = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
COMPANIONS = ("containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


def row(name: str, version: str) -> str:
    epoch = {"docker-ce": "3", "docker-ce-cli": "1"}.get(name, "0")
    return f"{name}\t{epoch}\t{version}\t1.el9\tx86_64\n"


OUTPUT = "".join(row(name, version) for version in ("20.10.24", "26.1.4", "26.1.10", "27.0.1") for name in ENGINE)
OUTPUT += "\n" + "".join(row(name, version) for version in ("1.9.0", "1.10.0") for name in COMPANIONS)
BUILDS = mirror_choice.parse(OUTPUT)


def chosen(*pins: str, plugins: tuple[str, ...] = ("buildx", "compose")) -> list[str]:
    return [build.nevra for build in mirror_choice.choose(BUILDS, pins, plugins)]


def test_without_pins_the_newest_engine_is_chosen_with_the_newest_companions() -> None:
    assert chosen() == [
        "containerd.io-1.10.0-1.el9.x86_64",
        "docker-buildx-plugin-1.10.0-1.el9.x86_64",
        "docker-ce-3:27.0.1-1.el9.x86_64",
        "docker-ce-cli-1:27.0.1-1.el9.x86_64",
        "docker-ce-rootless-extras-27.0.1-1.el9.x86_64",
        "docker-compose-plugin-1.10.0-1.el9.x86_64",
    ]


def test_each_pin_selects_the_newest_engine_that_satisfies_it() -> None:
    engines = [name for name in chosen("26.1", "20.10") if name.startswith("docker-ce-3:")]
    assert engines == ["docker-ce-3:20.10.24-1.el9.x86_64", "docker-ce-3:26.1.10-1.el9.x86_64"]


def test_two_pins_for_one_version_select_it_once() -> None:
    assert chosen("26.1", "26.1.10") == chosen("26.1")


def test_plugins_that_were_not_requested_are_not_chosen() -> None:
    assert not [name for name in chosen(plugins=()) if "plugin" in name]


def test_a_file_is_named_after_its_package_without_the_epoch() -> None:
    """Not after %{location}, which dnf 4.19 and later print as it is: all files would have one name."""
    assert BUILDS[0].file == "docker-ce-20.10.24-1.el9.x86_64.rpm"
    assert "location" not in mirror_choice.FORMAT


@pytest.mark.parametrize("field", range(5))
@pytest.mark.parametrize("value", ["../1", "/etc/passwd", "", ".", "-1", "a b"])
def test_a_build_whose_name_could_lead_out_of_the_mirror_is_ignored(field: int, value: str) -> None:
    fields = ["docker-ce", "3", "26.1.5", "1.el9", "x86_64"]
    assert mirror_choice.parse("\t".join(fields))
    fields[field] = value
    assert mirror_choice.parse("\t".join(fields)) == []


def test_missing_engines_and_companions_are_reported() -> None:
    assert mirror_choice.absent(BUILDS, ["26.1", "25.0"]) == ["25.0"]
    assert mirror_choice.absent(BUILDS, []) == []
    assert mirror_choice.absent([], []) == [""]
    assert mirror_choice.absent_companions(BUILDS[:4], ["compose"]) == ["containerd.io", "docker-compose-plugin"]


def test_the_message_lists_the_available_versions() -> None:
    message = mirror_choice.absence("25.0", BUILDS, "https://m/9")
    assert message == "docker-ce 25.0 is not in https://m/9: it has 20.10.24, 26.1.4, 26.1.10, 27.0.1"
    assert mirror_choice.absence("", [], "https://m/9") == "docker-ce is not in https://m/9: it has none"
    many = mirror_choice.parse("".join(row("docker-ce", f"26.1.{number}") for number in range(13)))
    assert mirror_choice.absence("25.0", many, "m").endswith("26.1.12 and 3 older")


@pytest.mark.parametrize("pin", ["26", "v26.1", "3:26.1.5", "26.1.5-1.el9", "26.1 ", "latest", ""])
def test_an_invalid_pin_is_reported_by_value(pin: str) -> None:
    (problem,) = mirror_choice.pin_problems(["26.1", pin, "20.10.24"])
    assert f"'{pin}'" in problem
