# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import docker_cli, pins
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import CommandError, ServicesError

DIGEST = "sha256:" + 64 * "0"


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", None, None)),
        ("nginx:1.27", ("nginx", "1.27", None)),
        (f"nginx:1.27@{DIGEST}", ("nginx", "1.27", DIGEST)),
        (f"registry.example.com:5000/team/app@{DIGEST}", ("registry.example.com:5000/team/app", None, DIGEST)),
        ("localhost:5000/app:1", ("localhost:5000/app", "1", None)),
    ],
)
def test_an_image_is_split_into_its_parts(reference: str, parts: tuple[str, str | None, str | None]) -> None:
    assert pins.split(reference) == parts


@pytest.mark.parametrize("reference", ["", "A", "x@sha256:12", "x@", "x:1@", "x:a b", "x@y@z"])
def test_an_image_that_is_none_is_refused(reference: str) -> None:
    with pytest.raises(ServicesError):
        pins.split(reference)


def test_an_unpinned_image_is_refused_with_what_to_write() -> None:
    pins.require_pinned({"app": f"nginx@{DIGEST}", "built": DIGEST})
    for reference in ("nginx", "sha256:latest"):
        with pytest.raises(ServicesError, match=r"service web: .* write (nginx|sha256):latest@sha256:\.\.\."):
            pins.require_pinned({"web": reference})


# Recorded from docker 26.1.5 with compose 2.26.1.
WARNINGS = "\n".join(
    f'time="2026-11-30T06:50:32Z" level=warning msg="The \\"{name}\\" variable is not set. Defaulting to a blank."'
    for name in ("B", "A", "B")
)


def test_variables_without_a_value_are_named() -> None:
    docker_cli.require_variables("time=x level=warning msg=other")
    with pytest.raises(CommandError, match=r"the variables A, B are not set: add them to environment"):
        docker_cli.require_variables(WARNINGS)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            f"{WARNINGS}\nvalidating /tmp/x/c.yml: services.web Additional property imge is not allowed\n",
            "services.web",
        ),
        ("yaml: line 1: did not find expected node content", "yaml: line 1"),
        ("", ""),
    ],
)
def test_a_message_is_the_last_line_without_the_path_of_a_file_that_is_gone(said: str, message: str) -> None:
    found = docker_cli.last_message(said)
    assert found.startswith(message)
    assert "/tmp" not in found
