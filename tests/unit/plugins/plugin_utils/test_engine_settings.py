# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import engine_settings

from tests.unit.plugins.plugin_utils.test_quoting import ENGINE


@pytest.mark.parametrize(
    ("store", "features"),
    [
        ("", None),
        ("containerd", None),
        ("", {"containerd-snapshotter": False}),
        ("containerd", {"containerd-snapshotter": True, "buildkit": True}),
        ("storage-driver", {"buildkit": True}),
    ],
)
def test_an_image_store_that_the_features_do_not_contradict_is_fine(store: str, features: Any) -> None:
    assert engine_settings.image_store_problem(store, features) is None


@pytest.mark.parametrize("store", ["containerd", "storage-driver"])
def test_an_image_store_that_the_features_contradict_is_refused(store: str) -> None:
    """Fault: docker_engine_image_store and the features of daemon.json say different things. Outcome: refused."""
    features = {"containerd-snapshotter": store != "containerd"}
    sentence = engine_settings.image_store_problem(store, features)
    assert sentence is not None
    assert sentence.startswith(f"docker_engine_image_store is {store}, and features in docker_engine_daemon_options")


def test_features_that_are_no_dictionary_are_refused_in_one_sentence() -> None:
    assert "features must be a dictionary" in str(engine_settings.image_store_problem("containerd", ["buildkit"]))


def test_an_invalid_proxy_in_the_options_of_the_engine_is_refused_without_its_token() -> None:
    (sentence,) = engine_settings.problems(
        {**ENGINE, "texts": {}, "daemon_options": {"proxies": {"http-proxy": "s3cret@proxy:3128"}}}
    )
    assert sentence.startswith("docker_engine_daemon_options.proxies.http-proxy must be a proxy address")
    assert "s3cret" not in sentence
