# SPDX-License-Identifier: Apache-2.0
"""Progress messages in lab tests: without them, the first use of an image would seem to hang."""

import subprocess
import sys
from pathlib import Path

import pytest

from slipway.lab.paths import PROJECT

pytestmark = pytest.mark.program

# The rest of the conftest would wait for lab tests that run now.
CONFTEST = "from tests.lab.conftest import pytest_runtest_protocol\n"
TESTS = """
import pytest
from slipway.lab.progress import say

@pytest.fixture(scope="session")
def image():
    say("Building an image")
    print("something else")

def test_an_image(image):
    say("Creating a host")
"""


@pytest.mark.parametrize("options", [[], ["--numprocesses=1", "-rP"]], ids=["on the terminal", "in a worker's report"])
def test_progress_is_shown(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_image.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "[lab] Building an image\n" in done.stdout
    assert "[lab] Creating a host\n" in done.stdout
    assert ("something else" in done.stdout) == bool(options)
