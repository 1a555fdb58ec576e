# SPDX-License-Identifier: Apache-2.0
"""The command docker-credential-slipway, run as docker runs it, against moto and a strict IMDSv2."""

import json
import threading
from pathlib import Path

import pytest

from tests.moto_account import Cloud
from tests.stand_in_aws import REGION, ROLE, Aws
from tests.unit.firstboot.conftest import HUB, SECRET, Command

TOKEN = "dckr_pat_first"
CREDENTIALS = json.dumps({"username": "acme", "accessToken": TOKEN})
NOT_FOUND = "credentials not found in native keychain"


@pytest.fixture
def secret(cloud: Cloud) -> None:
    """The Hub's credentials in Secrets Manager."""
    cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)


@pytest.mark.usefixtures("secret")
def test_get_answers_with_what_the_secret_holds_where_signature_and_policy_are_enforced(
    command: Command, cloud: Cloud
) -> None:
    cloud.enforce()
    answer = json.loads(command.run("get").stdout)
    assert answer == {"ServerURL": HUB, "Username": "acme", "Secret": TOKEN}


def test_get_reads_a_parameter_of_systems_manager_too(command: Command, cloud: Cloud) -> None:
    cloud.parameters.put_parameter(Name="/hub", Value=CREDENTIALS, Type="SecureString")
    command.name(HUB, provider="ssm", name="/hub")
    cloud.enforce()
    assert command.token() == TOKEN


def test_the_region_of_an_arn_wins_over_the_instance_s(command: Command, cloud: Cloud, metadata: Aws) -> None:
    arn = cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)["ARN"]
    command.name(HUB, name=arn)
    assert command.token() == TOKEN
    command.name(HUB, name=arn.replace(REGION, "us-west-2"))
    assert "in secretsmanager of us-west-2" in command.failure()
    assert not any("region" in request for request in metadata.requests)


@pytest.mark.usefixtures("secret")
def test_a_rotated_token_is_there_at_the_next_pull(command: Command, cloud: Cloud) -> None:
    assert command.token() == TOKEN
    cloud.secrets.put_secret_value(SecretId=SECRET, SecretString=CREDENTIALS.replace("first", "second"))
    assert command.token() == "dckr_pat_second"


@pytest.mark.usefixtures("secret")
def test_list_tells_names_and_check_tells_that_all_is_well_without_the_token(command: Command) -> None:
    assert json.loads(command.run("list").stdout) == {HUB: "acme"}
    assert command.run("check").stdout == f"credentials are there for {HUB}\n"


@pytest.mark.usefixtures("secret")
def test_metadata_are_asked_with_one_token_and_never_without(command: Command, metadata: Aws) -> None:
    command.token()
    assert metadata.requests == {
        "PUT /latest/api/token": 1,
        "GET /latest/meta-data/placement/region": 1,
        "GET /latest/meta-data/iam/security-credentials/": 1,
        f"GET /latest/meta-data/iam/security-credentials/{ROLE}": 1,
    }


@pytest.mark.parametrize("server", ["registry.example.com", "docker.io", ""])
def test_a_registry_that_is_not_named_is_not_found_in_the_protocol_s_words(
    command: Command, metadata: Aws, server: str
) -> None:
    assert command.failure("get", server) == NOT_FOUND
    assert not metadata.requests


@pytest.mark.parametrize(("action", "remedy"), [("store", "change the secret in AWS"), ("erase", "out of config.json")])
def test_store_and_erase_are_refused_with_the_remedy(command: Command, action: str, remedy: str) -> None:
    sent = json.dumps({"ServerURL": HUB, "Username": "acme", "Secret": TOKEN})
    said = command.failure(action, sent)
    assert "keeps nothing" in said
    assert remedy in said
    assert TOKEN not in said


def test_version_needs_nothing_and_another_word_shows_the_usage(command: Command) -> None:
    command.settings.unlink()
    assert command.run("version").stdout.startswith("docker-credential-slipway ")
    assert "usage" in command.failure("steal")


def test_an_instance_without_a_role_is_told_so(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    assert "has no role: attach an instance profile" in command.failure()


def test_a_role_without_keys_is_named(command: Command, metadata: Aws) -> None:
    metadata.keys = {"Code": "Failed"}
    assert f"no keys of the role {ROLE}" in command.failure()


def test_a_metadata_service_that_does_not_answer_is_named_with_the_hop_limit(command: Command) -> None:
    command.content["metadata_endpoint"] = "http://127.0.0.1:9"
    command.name(HUB)
    said = command.failure()
    assert "http://127.0.0.1:9 does not answer" in said
    assert "hop limit" in said


@pytest.mark.usefixtures("secret")
def test_moto_lets_in_neither_a_wrong_signature_nor_a_role_without_the_policy(
    command: Command, cloud: Cloud, metadata: Aws
) -> None:
    """Without this, the first test would prove nothing."""
    cloud.iam.delete_role_policy(RoleName=ROLE, PolicyName="read")
    cloud.enforce()
    assert "HTTP 403" in command.failure()
    metadata.keys = {**cloud.keys, "SecretAccessKey": "another"}
    assert "HTTP 403" in command.failure()


def test_a_role_that_may_not_is_told_which_action_on_which_secret(
    command: Command, metadata: Aws, tmp_path: Path
) -> None:
    """In the words of AWS, which moto does not have."""
    metadata.folder = tmp_path
    (tmp_path / "secrets.json").write_text(json.dumps({SECRET: None}))
    command.name(HUB, endpoint=metadata.address)
    said = command.failure()
    assert f"role {ROLE} may not do secretsmanager:GetSecretValue on {SECRET} in {REGION}" in said


@pytest.mark.parametrize(("throttled", "words"), [(2, TOKEN), (9, "is asked too often (ThrottlingException")])
def test_what_is_throttled_is_asked_again_and_not_for_ever(
    command: Command, metadata: Aws, tmp_path: Path, throttled: int, words: str
) -> None:
    metadata.folder = tmp_path
    (tmp_path / "secrets.json").write_text(json.dumps({SECRET: CREDENTIALS}))
    metadata.throttled = throttled
    command.name(HUB, endpoint=metadata.address)
    assert words in command.run("get").stdout


def test_a_signature_that_is_not_accepted_has_the_clock_suspected(command: Command, metadata: Aws) -> None:
    command.name(HUB, endpoint=metadata.address, region="us-west-2")
    assert "see whether this host's clock is right" in command.failure()


@pytest.mark.parametrize("provider", ["secretsmanager", "ssm"])
def test_a_secret_that_is_not_there_is_named_with_its_region(command: Command, provider: str) -> None:
    command.name(HUB, provider=provider)
    assert f"there is no {SECRET} in {provider} of {REGION}" in command.failure()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tok-plain", "is no JSON object"),
        ('["tok-list"]', "is no JSON object"),
        ('{"username": "acme", "token": "tok-misnamed"}', "lacks the key accessToken"),
        ('{"accessToken": "tok-alone"}', "lacks the key username"),
        ('{"username": "acme", "accessToken": {"tok-nested": 1}}', "lacks the key accessToken"),
    ],
)
def test_a_malformed_secret_is_told_without_what_it_holds(
    command: Command, cloud: Cloud, text: str, problem: str
) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretString=text)
    said = command.failure()
    assert f"{SECRET} {problem}" in said
    assert "tok-" not in said


def test_a_secret_of_bytes_is_told(command: Command, cloud: Cloud) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretBinary=b"tok-bytes")
    assert "holds no text" in command.failure()


def test_an_endpoint_that_nobody_serves_is_named(command: Command) -> None:
    command.name(HUB, endpoint="http://127.0.0.1:9")
    assert "http://127.0.0.1:9/ cannot be reached" in command.failure()


def test_an_endpoint_that_is_none_of_aws_is_told(command: Command, cloud: Cloud) -> None:
    command.name(HUB, endpoint=f"{cloud.address}/nowhere")
    assert "without a reason: is it an endpoint of AWS?" in command.failure()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"registries": {"a": {}}}', '{"registries": []}'])
def test_damaged_settings_are_told_with_their_path(command: Command, text: str) -> None:
    command.settings.write_text(text)
    assert f"{command.settings} is damaged" in command.failure()


@pytest.mark.usefixtures("secret")
def test_the_environment_of_a_user_changes_nothing(command: Command) -> None:
    elsewhere = dict.fromkeys(
        ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    done = command.run("get", AWS_REGION="us-west-2", AWS_ACCESS_KEY_ID="other", PYTHONPATH="/nowhere", **elsewhere)
    assert TOKEN in done.stdout


def test_every_registry_that_fails_the_check_is_named(command: Command, cloud: Cloud) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)
    for server in ("one.example.com", "two.example.com"):
        command.content["registries"][server] = {**command.content["registries"][HUB], "name": "missing"}
    command.name(HUB)
    said = command.failure("check").splitlines()
    assert [line.split(":")[0] for line in said] == ["one.example.com", "two.example.com"]


@pytest.mark.usefixtures("secret")
def test_a_boot_waits_for_the_role_s_keys(command: Command, metadata: Aws) -> None:
    keys, metadata.keys = metadata.keys, None
    threading.Timer(0.5, lambda: setattr(metadata, "keys", keys)).start()
    assert command.run("wait").stdout == f"credentials are there for {HUB}\n"


def test_a_boot_does_not_wait_for_ever(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    command.content["wait_seconds"] = 1
    command.name(HUB)
    assert "has no role" in command.failure("wait")


def test_a_boot_does_not_wait_for_what_somebody_has_to_mend(command: Command, metadata: Aws) -> None:
    """One registry is enough: it would not be there after the wait either, whose end the test would not see."""
    command.content["registries"]["one.example.com"] = {
        **command.content["registries"][HUB],
        "endpoint": "http://127.0.0.1:9",
    }
    command.name(HUB, name="missing")
    said = command.failure("wait")
    assert "there is no missing" in said
    assert "one.example.com: http://127.0.0.1:9/ cannot be reached" in said
