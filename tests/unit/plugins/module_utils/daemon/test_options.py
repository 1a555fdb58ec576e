# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import options as daemon_options
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
    ({"log-opts": {"max-size": "10 megabytes"}}, "use one such as 10m"),
    ({"log-driver": "local", "log-opts": {"max-file": "three"}}, "use one such as 3"),
    ({"registry-mirrors": ["mirror.example.com"]}, "use https://mirror.example.com"),
    ({"insecure-registries": ["http://registry:5000/"]}, "use registry:5000"),
    ({"runtimes": {"runc": {"path": "/usr/bin/runc"}}}, "cannot redefine runc"),
    ({"hosts": ["tcp://127.0.0.1:2375"]}, "add fd://"),
    ({"hosts": ["fd://", "tcp://0.0.0.0:2375"]}, "use docker_access_tls"),
    ({"hosts": []}, "add fd://"),
    ({"data-root": "/data"}, "use docker_engine_data_root, which moves containerd's data too"),
    ({"graph": "/data"}, "use docker_engine_data_root"),
]


@pytest.mark.parametrize("options", GOOD, ids=json.dumps)
def test_valid_options_are_accepted(options: dict[str, Any]) -> None:
    assert daemon_options.problems(options, allow_unknown=False) == []


@pytest.mark.parametrize(("options", "remedy"), BAD, ids=[json.dumps(options) for options, _ in BAD])
def test_each_invalid_option_gives_one_message_with_a_remedy(options: dict[str, Any], remedy: str) -> None:
    (message,) = daemon_options.problems(options, allow_unknown=False)
    assert message.startswith("docker_engine_daemon_options: ")
    assert remedy in message


@pytest.mark.parametrize(
    "options",
    [
        {"registry-mirrors": ["me:s3cret@mirror.example.com/v2"]},
        {"insecure-registries": ["http://me:s3cret@registry:5000"]},
    ],
)
def test_messages_do_not_contain_passwords(options: dict[str, Any]) -> None:
    (message,) = daemon_options.problems(options)
    assert "s3cret" not in message


def test_an_open_port_can_be_confirmed() -> None:
    options = {"hosts": ["fd://", "tcp://0.0.0.0:2375"]}
    assert daemon_options.problems(options, open_api=True) == []


def test_unknown_options_can_be_allowed() -> None:
    assert daemon_options.problems({"xyzzy": 1}, allow_unknown=True) == []


def test_all_problems_are_reported_at_once() -> None:
    assert len(daemon_options.problems({"xyzzy": 1, "hosts": [], "log-driver": "nope"}, allow_unknown=False)) == 3


def test_null_options_are_treated_as_unset() -> None:
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
def test_values_of_any_type_can_be_checked(options: dict[str, Any]) -> None:
    daemon_options.problems(options, allow_unknown=False)
