# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import daemon_options
from hypothesis import given
from hypothesis import strategies as st

GOOD: list[dict[str, Any]] = [
    {},
    {"log-driver": "local", "log-opts": {"max-size": "1.5g", "max-file": 3}},
    {"log-opts": {"max-size": "-1"}},
    {"log-driver": "loki:latest", "log-opts": {"max-size": "whatever"}},
    {"log-driver": "journald", "log-opts": {"tag": "x"}},
    {"registry-mirrors": ["https://mirror.example.com"], "insecure-registries": ["10.0.0.0/8", "registry:5000"]},
    {"hosts": ["fd://", "tcp://127.0.0.1:2375"]},
    {"hosts": ["unix:///run/docker.sock"]},
    {"runtimes": {"crun": {"path": "/usr/bin/crun"}}, "default-runtime": "crun"},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"log-drvier": "local"}, "'log-drvier' is not an option of dockerd: did you mean 'log-driver'?"),
    ({"log_driver": "local"}, "did you mean 'log-driver'?"),
    ({"label": ["a=b"]}, "did you mean 'labels'?"),
    ({"storage-opt": []}, "did you mean 'storage-opts'?"),
    ({"xyzzy": 1}, "docker_engine_daemon_options_unknown: true"),
    ({"log-driver": "json_file"}, "did you mean 'json-file'?"),
    ({"log-opts": {"max-size": "10 megabytes"}}, "write it like 10m"),
    ({"log-driver": "local", "log-opts": {"max-file": "three"}}, "write it like 3"),
    ({"registry-mirrors": ["mirror.example.com"]}, "write https://mirror.example.com"),
    ({"insecure-registries": ["http://registry:5000/"]}, "write registry:5000"),
    ({"runtimes": {"runc": {"path": "/usr/bin/runc"}}}, "may not redefine runc"),
    ({"hosts": ["tcp://0.0.0.0:2375"]}, "add fd://"),
    ({"hosts": []}, "add fd://"),
    ({"data-root": "/data"}, "use docker_engine_data_root, which moves containerd's data too"),
    ({"graph": "/data"}, "use docker_engine_data_root"),
]


@pytest.mark.parametrize("options", GOOD, ids=json.dumps)
def test_options_that_work_are_accepted(options: dict[str, Any]) -> None:
    assert daemon_options.problems(options, allow_unknown=False) == []


@pytest.mark.parametrize(("options", "remedy"), BAD, ids=[json.dumps(options) for options, _ in BAD])
def test_options_that_do_not_work_are_one_sentence_with_the_remedy(options: dict[str, Any], remedy: str) -> None:
    (sentence,) = daemon_options.problems(options, allow_unknown=False)
    assert sentence.startswith("docker_engine_daemon_options: ")
    assert remedy in sentence


def test_unknown_options_can_be_allowed() -> None:
    assert daemon_options.problems({"xyzzy": 1}, allow_unknown=True) == []


def test_all_problems_are_told_at_once() -> None:
    assert len(daemon_options.problems({"xyzzy": 1, "hosts": [], "log-driver": "nope"}, allow_unknown=False)) == 3


def test_an_option_that_is_null_is_not_set() -> None:
    assert daemon_options.problems({"hosts": None, "log-driver": None}, allow_unknown=False) == []


@given(
    st.dictionaries(
        st.sampled_from(sorted(daemon_options.KNOWN)),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.text(),
            st.lists(st.text()),
            st.dictionaries(st.text(), st.text()),
        ),
    )
)
def test_no_type_of_value_breaks_the_checks(options: dict[str, Any]) -> None:
    daemon_options.problems(options, allow_unknown=False)


def test_log_opts_become_strings_and_nulls_vanish() -> None:
    options = {"log-opts": {"max-file": 3, "compress": True, "tag": None}, "debug": None, "icc": False}
    assert daemon_options.normalise(options) == {"log-opts": {"max-file": "3", "compress": "true"}, "icc": False}


def test_the_text_is_the_same_whatever_the_order_of_the_keys() -> None:
    text = daemon_options.render({"b": {"d": 1, "c": 2}, "a": "ä"})
    assert text == daemon_options.render({"a": "ä", "b": {"c": 2, "d": 1}})
    assert text == '{\n  "a": "ä",\n  "b": {\n    "c": 2,\n    "d": 1\n  }\n}\n'


@pytest.mark.parametrize("text", [None, "", "{broken", "[]"])
def test_a_configuration_that_says_nothing_is_no_obstacle(text: str | None) -> None:
    assert daemon_options.parse(text) == {}


def test_what_is_written_is_read() -> None:
    options = {"live-restore": True, "log-opts": {"max-file": "3"}}
    assert daemon_options.parse(daemon_options.render(options)) == options
