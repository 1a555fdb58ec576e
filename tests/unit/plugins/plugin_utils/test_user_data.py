# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""User data that AWS or cloud-init would refuse, or in which everybody could read a secret."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import user_data
from hypothesis import given
from hypothesis import strategies as st

GOOD = "#cloud-config\ntimezone: Europe/Berlin\n"


def problem(text: str, **settings: Any) -> str:
    (sentence,) = user_data.problems(text, **settings)
    assert isinstance(sentence, str)
    assert sentence.endswith(".")
    return sentence


def test_good_user_data_have_no_problem() -> None:
    assert user_data.problems(GOOD, "web-1.example.com", "2400") == []
    assert user_data.file_problems("web.yml", GOOD) == []
    assert user_data.file_problems("web.yml", "") == []


def test_what_aws_would_refuse_is_refused_by_both_roles() -> None:
    """Fault: user data of more than 16 384 bytes. Outcome: nothing is written or created, and the size is named."""
    text = GOOD + "#" * 21000
    assert problem(text).startswith(
        f"The user data has {len(text)} bytes, but AWS accepts at most 16384: take something"
    )
    (of_file,) = user_data.file_problems("web.yml", text)
    assert of_file.startswith(f"web.yml has {len(text)} bytes, but AWS accepts at most 16384: bake more into the image")
    assert user_data.file_problems("web.yml", GOOD + "#" * (16384 - len(GOOD))) == []


def test_a_secret_is_refused_by_both_roles() -> None:
    """Fault: user data with a password by name or within a command. Outcome: nothing is written or created, and the
    name is shown, but not the password."""
    text = GOOD + "mounts: [[//nas/share, /srv, cifs, 'password=Tr0ub4dor']]\n"
    assert problem(text).startswith(
        "The user data would contain a value for password, and every process on the instance"
    )
    (of_file,) = user_data.file_problems("web.yml", text)
    assert of_file.startswith("web.yml has a value for password on line 3, where anyone allowed to describe the launch")
    assert "Tr0ub4dor" not in problem(text) + of_file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#cloud-config\nruncmd: [\n", "is not valid YAML on line 3, so cloud-init would ignore it"),
        ("#cloud-config\n- runcmd\n", "is not a YAML mapping, so cloud-init would ignore it"),
        ("#cloud-config\nname: caf\udce9\n", "is not UTF-8 on line 2, so cloud-init would ignore it"),
        ("#cloud-config\nname: \ud800\n", "is not UTF-8 on line 2"),
    ],
)
def test_what_cloud_init_would_ignore_is_refused(text: str, words: str) -> None:
    assert words in problem(text)
    (of_file,) = user_data.file_problems("web.yml", text)
    assert words in of_file


@pytest.mark.parametrize(
    "text", ["#cloud-config-archive\n- x\n", "#!/bin/sh\n{[\n", "\udc80", "## template: jinja\n#cloud-config\n{%"]
)
def test_other_kinds_of_user_data_are_no_yaml(text: str) -> None:
    assert user_data.file_problems("web.yml", text) == []


@pytest.mark.parametrize(
    "hostname", ["a..b", "a" * 64 + ".b", "-a", "a b", "web\n", "a" * 40 + "." + "b" * 40, "1.2.3"]
)
def test_a_host_name_that_linux_or_dns_cannot_have_is_refused(hostname: str) -> None:
    assert problem(GOOD, hostname=hostname).startswith("user_data_hostname is not a host name")


@pytest.mark.parametrize(("hostname", "kind"), [(101, "the number 101"), (True, "the boolean true")])
def test_a_host_name_without_quotes_is_said_to_need_them(hostname: Any, kind: str) -> None:
    assert problem(GOOD, hostname=hostname).startswith(f"user_data_hostname is {kind} in YAML")


@pytest.mark.parametrize("seconds", [0, -1, "soon", None, True, float("inf")])
def test_a_time_that_slipway_ready_cannot_wait_is_refused(seconds: Any) -> None:
    assert problem(GOOD, ready_seconds=seconds).startswith("user_data_ready_seconds is not a number of seconds")


@given(
    st.sampled_from(["", "#cloud-config\n", "#!/bin/sh\n", "Content-Type: text/plain\n\n"]),
    st.text(st.characters()),
    st.none() | st.integers() | st.text(),
    st.none() | st.integers() | st.text() | st.floats(),
)
def test_any_user_data_are_accepted_or_reported(start: str, text: str, hostname: Any, seconds: Any) -> None:
    for sentence in [*user_data.problems(start + text, hostname, seconds), *user_data.file_problems("x", start + text)]:
        assert sentence.splitlines() == [sentence]
        assert sentence.encode()
