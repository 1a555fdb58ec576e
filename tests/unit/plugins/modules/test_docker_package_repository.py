# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.modules import docker_package_repository


class Failure(Exception):
    """The message with which the module fails."""


class Module:
    """A module whose failure is an exception."""

    def __init__(self, **params: Any) -> None:
        self.params = {"state": "present", "baking": False, "platforms": {}, "proxy": {}, **params}

    def fail_json(self, msg: str) -> None:
        raise Failure(msg)


def test_an_address_that_is_no_url_is_refused_with_its_variables() -> None:
    """Fault: an IPv6 address in docker_engine_repo_root lacks its closing bracket. Outcome: refused in a sentence."""
    module = Module(baseurl="http://[::1/linux", gpg_key="/key")
    with pytest.raises(Failure, match=r"is not a URL .*correct docker_engine_repo_root or docker_engine_repo_baseurl"):
        docker_package_repository.settle(module)
