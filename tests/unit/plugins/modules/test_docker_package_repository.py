# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.modules import docker_package_repository


class Failure(Exception):
    """The message with which the module fails."""


class Module:
    """A module whose failure is an exception."""

    def __init__(self, **params: Any) -> None:
        self.params = {"state": "present", "baking": False, "platforms": {}, "proxy": {}, **params}
        self.warnings: list[str] = []

    def fail_json(self, msg: str) -> None:
        raise Failure(msg)

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)


def test_an_address_that_is_no_url_is_refused_with_its_variables() -> None:
    """Fault: an IPv6 address in docker_engine_repo_root lacks its closing bracket. Outcome: refused in a sentence."""
    module = Module(baseurl="http://[::1/linux", gpg_key="/key")
    with pytest.raises(Failure, match=r"is not a URL .*correct docker_engine_repo_root or docker_engine_repo_baseurl"):
        docker_package_repository.settle(module)


def test_keys_that_may_remain_are_reported(tmp_path: Path) -> None:
    """Older versions kept a key file as it was received, which today's parser may refuse on removal."""
    module = Module(key_file=str(tmp_path / "key"))
    docker_package_repository.forget_imported_keys(module)
    assert module.warnings == []
    (tmp_path / "key").write_text("a preface\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    docker_package_repository.forget_imported_keys(module)
    (warning,) = module.warnings
    for words in (f"keys of {tmp_path}/key", "line 1 is outside its ASCII armor", "rpm -q gpg-pubkey", "rpm --erase"):
        assert words in warning
