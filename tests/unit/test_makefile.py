# SPDX-License-Identifier: Apache-2.0
"""The Makefile: what the commands of its targets get of the environment that make was started in."""

import os
import subprocess

import pytest

from slipway.lab.paths import PROJECT

pytestmark = pytest.mark.program


def of_recipes(**variables: str) -> dict[str, str]:
    """The environment of a recipe, where make was started in that of a machine with these variables and no others."""
    done = subprocess.run(
        ["make", "--silent", "--eval=probe: ; @env --null", "probe"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", maxsplit=1) for line in done.stdout.rstrip("\0").split("\0"))


def test_neither_the_locale_nor_a_missing_home_reaches_recipes() -> None:
    got = of_recipes(LC_ALL="de_DE.ISO-8859-1", ANSIBLE_CONFIG="/elsewhere", PYTHONDONTWRITEBYTECODE="1")
    assert "HOME" not in got
    assert got["LC_ALL"] == "C.UTF-8"
    assert got["ANSIBLE_HOME"] == f"{PROJECT}/.ansible"
    assert got["ANSIBLE_CONFIG"] == f"{PROJECT}/ansible.cfg"
    assert got["PYTHONDONTWRITEBYTECODE"] == ""


@pytest.mark.parametrize(
    ("variables", "unproxied"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "x"}, "x,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "x"}, "x,localhost,127.0.0.1,::1"),
    ],
)
def test_no_proxy_is_used_for_the_loopback(variables: dict[str, str], unproxied: str) -> None:
    got = of_recipes(http_proxy="http://proxy.invalid:3128", **variables)
    assert got["http_proxy"] == "http://proxy.invalid:3128"
    assert got["no_proxy"] == got["NO_PROXY"] == unproxied


def test_settings_that_break_a_virtual_environment_do_not_reach_recipes() -> None:
    breaking = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME")
    got = of_recipes(PIP_USER="1", **dict.fromkeys(breaking, "/elsewhere"))
    assert not got.keys() & set(breaking)
    assert got["PIP_USER"] == "0"
    assert got["VIRTUAL_ENV"] == f"{PROJECT}/.venv"
    assert got["PATH"] == f"{PROJECT}/.venv/bin:{os.environ['PATH']}:/usr/sbin:/sbin"
