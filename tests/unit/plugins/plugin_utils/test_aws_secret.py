# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A secret in Secrets Manager, as moto plays it."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from ansible.parsing.vault import VaultLib
from ansible_collections.slipway.platform.plugins.plugin_utils.aws_secret import AwsSecret, secret_place
from ansible_collections.slipway.platform.plugins.plugin_utils.secret_file import SecretFile, SecretFileError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


def test_a_path_names_its_place(tmp_path: Path) -> None:
    place = secret_place("aws_secret:swarm/key", VaultLib())
    assert isinstance(place, AwsSecret)
    assert (place.name, place.path) == ("swarm/key", "aws_secret:swarm/key")
    assert isinstance(secret_place(str(tmp_path / "key"), VaultLib()), SecretFile)


def test_a_secret_comes_back_and_the_one_before_is_kept(account: None) -> None:
    place = AwsSecret("swarm/key")
    assert place.read() == ""
    place.require_writable()
    place.write("SWMKEY-1-a")
    place.write("SWMKEY-1-b")
    assert place.read() == "SWMKEY-1-b"
    client = boto3.client("secretsmanager")
    before = client.get_secret_value(SecretId="swarm/key", VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == "SWMKEY-1-a"


@set_initial_no_auth_action_count(0)
def test_what_aws_refuses_is_one_sentence_with_the_action(account: None) -> None:
    place = AwsSecret("swarm/key")
    with pytest.raises(SecretFileError, match=r"refuses secretsmanager:GetSecretValue for aws_secret:swarm/key"):
        place.read()
    with pytest.raises(SecretFileError, match=r"refuses secretsmanager:PutSecretValue") as refused:
        place.write("SWMKEY-1-b")
    assert "SWMKEY" not in str(refused.value)


def test_a_controller_without_a_region_or_credentials_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(SecretFileError, match=r"aws_secret:key cannot be reached .*: set AWS_REGION"):
        AwsSecret("key").read()
