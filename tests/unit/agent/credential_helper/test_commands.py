# SPDX-License-Identifier: Apache-2.0
"""The command docker-credential-slipway, run as docker runs it, against moto and a strict IMDSv2."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.moto_account import Cloud
from tests.support.stand_in_aws import REGION, ROLE, Aws
from tests.unit.agent.credential_helper.conftest import HUB, SECRET, Command

pytestmark = pytest.mark.program

TOKEN = "dckr_pat_first"
CREDENTIALS = json.dumps({"username": "acme", "accessToken": TOKEN})
NOT_FOUND = "credentials not found in native keychain"


@pytest.fixture
def secret(cloud: Cloud) -> None:
    """The Hub's credentials in Secrets Manager."""
    cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)


@pytest.mark.usefixtures("secret")
def test_get_returns_the_credentials_while_signature_and_policy_are_enforced(command: Command, cloud: Cloud) -> None:
    cloud.enforce()
    answer = json.loads(command.run("get").stdout)
    assert answer == {"ServerURL": HUB, "Username": "acme", "Secret": TOKEN}


def test_get_reads_a_parameter_of_systems_manager_too(command: Command, cloud: Cloud) -> None:
    cloud.parameters.put_parameter(Name="/hub", Value=CREDENTIALS, Type="SecureString")
    command.name(HUB, provider="ssm", name="/hub")
    cloud.enforce()
    assert command.token() == TOKEN


def test_the_region_of_an_arn_takes_precedence_over_the_instance_s(
    command: Command, cloud: Cloud, metadata: Aws
) -> None:
    arn = cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)["ARN"]
    command.name(HUB, name=arn)
    assert command.token() == TOKEN
    command.name(HUB, name=arn.replace(REGION, "us-west-2"))
    assert "in secretsmanager in us-west-2" in command.failure()
    assert not any("region" in request for request in metadata.requests)


@pytest.mark.usefixtures("secret")
def test_a_rotated_token_is_used_at_the_next_pull(command: Command, cloud: Cloud) -> None:
    assert command.token() == TOKEN
    cloud.secrets.put_secret_value(SecretId=SECRET, SecretString=CREDENTIALS.replace("first", "second"))
    assert command.token() == "dckr_pat_second"


@pytest.mark.usefixtures("secret")
def test_list_and_check_do_not_print_the_token(command: Command) -> None:
    assert json.loads(command.run("list").stdout) == {HUB: "acme"}
    assert command.run("check").stdout == f"found credentials for {HUB}\n"


@pytest.mark.usefixtures("secret")
def test_metadata_are_requested_with_one_session_token(command: Command, metadata: Aws) -> None:
    command.token()
    assert metadata.requests == {
        "PUT /latest/api/token": 1,
        "GET /latest/meta-data/placement/region": 1,
        "GET /latest/meta-data/iam/security-credentials/": 1,
        f"GET /latest/meta-data/iam/security-credentials/{ROLE}": 1,
    }


@pytest.mark.parametrize("server", ["registry.example.com", "docker.io", ""])
def test_an_unlisted_registry_is_reported_in_the_protocol_s_words(command: Command, metadata: Aws, server: str) -> None:
    assert command.failure("get", server) == NOT_FOUND
    assert not metadata.requests


@pytest.mark.parametrize(
    "server",
    [
        "HTTPS://INDEX.DOCKER.IO/V1/",
        "https://Index.docker.io/v1/",
        "https://index.docker.io/v1",
        "https://index.docker.io:443/v1/",
        "https://index.docker.io.:443/v1/",
        "https://me@index.docker.io/v1/",
        "https://index.docker.io/v1/@registry.example",
        "https://index.docker.io.registry.example/v1/",
        "https://registry.example/https://index.docker.io/v1/",
        "https://index.docker.io/v1/ https://registry.example/",
        "https://index.docker.io/v1/\nhttps://registry.example/",
        "https://\u0456ndex.docker.io/v1/",
        "http://index.docker.io/v1/",
        "index.docker.io",
    ],
)
@pytest.mark.usefixtures("secret")
def test_a_look_alike_of_a_listed_registry_gets_nothing(command: Command, metadata: Aws, server: str) -> None:
    """Fault: a registry's name differs by case, user, port, suffix or scheme. Outcome: it gets no credentials."""
    assert command.failure("get", server) == NOT_FOUND
    assert not metadata.requests


@pytest.mark.parametrize(("action", "remedy"), [("store", "change the secret in AWS"), ("erase", "from config.json")])
def test_store_and_erase_fail_with_the_remedy(command: Command, action: str, remedy: str) -> None:
    sent = json.dumps({"ServerURL": HUB, "Username": "acme", "Secret": TOKEN})
    said = command.failure(action, sent)
    assert "stores nothing" in said
    assert remedy in said
    assert TOKEN not in said


def test_version_needs_no_settings_and_an_unknown_action_prints_the_usage(command: Command) -> None:
    command.settings.unlink()
    assert command.run("version").stdout.startswith("docker-credential-slipway ")
    assert "usage" in command.failure("steal")


def test_an_instance_without_a_role_is_reported(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    assert "has no role: attach an instance profile" in command.failure()


def test_a_role_without_credentials_is_named(command: Command, metadata: Aws) -> None:
    metadata.keys = {"Code": "Failed"}
    assert f"no credentials of the role {ROLE}" in command.failure()


def test_a_metadata_service_that_does_not_respond_is_named_with_the_hop_limit(command: Command) -> None:
    command.content["metadata_endpoint"] = "http://127.0.0.1:9"
    command.name(HUB)
    said = command.failure()
    assert "http://127.0.0.1:9 does not respond" in said
    assert "hop limit" in said


LOGIN_PAGE = "<html>\n<body>log in</body></html>"


@pytest.mark.parametrize(
    ("what", "answers"),
    [
        ("a region", {"placement/region": LOGIN_PAGE}),
        ("a region", {"placement/region": "[::1"}),
        ("a region", {"placement/region": "x" * 80}),
        ("the name of a role", {"iam/security-credentials/": LOGIN_PAGE}),
        ("the name of a role", {"iam/security-credentials/": "r\u00f4le"}),
    ],
)
def test_what_is_not_a_metadata_service_is_named(
    command: Command, metadata: Aws, what: str, answers: dict[str, str]
) -> None:
    """Such as a captive portal, which answers every request with a page."""
    metadata.instance = {f"meta-data/{path}": text for path, text in answers.items()}
    said = command.failure()
    assert f"{metadata.address} does not respond as an instance metadata service, which would send {what}" in said
    assert "log in" not in said


def test_a_page_in_place_of_a_session_token_is_not_sent_as_a_header(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.stand_in_aws.secrets.token_urlsafe", lambda: LOGIN_PAGE)
    assert "which would send a session token" in command.failure()


@pytest.mark.parametrize("wrong", ["tok\nX-Other: 1", "tok\u4e2d", "tok blank", 1, None, ["tok"]])
@pytest.mark.parametrize("name", ["AccessKeyId", "SecretAccessKey", "Token"])
def test_credentials_that_cannot_sign_a_request_are_reported_without_them(
    command: Command, cloud: Cloud, metadata: Aws, name: str, wrong: Any
) -> None:
    """An exception of http.client would quote the header, and with it the session token."""
    metadata.keys = {**cloud.keys, name: wrong}
    said = command.failure()
    assert "which would send the role's credentials" in said
    assert "tok" not in said.replace("token", "")


@pytest.mark.parametrize("path", ["iam/security-credentials/" + ROLE, "secret"])
def test_json_that_is_nested_too_deeply_is_reported(command: Command, cloud: Cloud, metadata: Aws, path: str) -> None:
    deep = "[" * 20_000
    if path != "secret":
        metadata.keys = None
    metadata.instance = {f"meta-data/{path}": deep}
    cloud.secrets.create_secret(Name=SECRET, SecretString=deep)
    assert ("is not a JSON object" if path == "secret" else "has no credentials of the role") in command.failure()


@pytest.mark.parametrize("endpoint", ["https://[::1", "https://x:99999", "https://a..b", "https://" + "x" * 80])
def test_an_endpoint_that_is_no_address_is_named(command: Command, endpoint: str) -> None:
    command.name(HUB, endpoint=endpoint)
    assert f"{endpoint}/ cannot be reached" in command.failure()


@pytest.mark.parametrize("action", ["get", "store", "erase"])
def test_bytes_that_are_not_utf_8_are_no_registry(command: Command, action: str) -> None:
    for locale in ("C.UTF-8", "C"):
        done = subprocess.run(
            [command.program, action], input=b"r\xff\n", capture_output=True, check=False, env={"LC_ALL": locale}
        )
        assert done.stderr == b""
        assert (NOT_FOUND if action == "get" else "stores nothing").encode() in done.stdout


@pytest.mark.usefixtures("secret")
def test_moto_rejects_a_wrong_signature_and_a_role_without_the_policy(
    command: Command, cloud: Cloud, metadata: Aws
) -> None:
    """Otherwise, the first test would prove nothing."""
    cloud.iam.delete_role_policy(RoleName=ROLE, PolicyName="docker-login")
    cloud.enforce()
    assert "HTTP 403" in command.failure()
    metadata.keys = {**cloud.keys, "SecretAccessKey": "another"}
    assert "HTTP 403" in command.failure()


def test_a_denied_request_names_role_action_and_secret(command: Command, metadata: Aws, tmp_path: Path) -> None:
    """With the error code of AWS, which moto does not use."""
    metadata.folder = tmp_path
    (tmp_path / "secrets.json").write_text(json.dumps({SECRET: None}))
    command.name(HUB, endpoint=metadata.address)
    said = command.failure()
    assert f"role {ROLE} is not allowed to call secretsmanager:GetSecretValue on {SECRET} in {REGION}" in said


@pytest.mark.parametrize(("throttled", "words"), [(2, TOKEN), (9, "is throttled (ThrottlingException")])
def test_a_throttled_request_is_repeated_a_few_times(
    command: Command, metadata: Aws, tmp_path: Path, throttled: int, words: str
) -> None:
    metadata.folder = tmp_path
    (tmp_path / "secrets.json").write_text(json.dumps({SECRET: CREDENTIALS}))
    metadata.throttled = throttled
    command.name(HUB, endpoint=metadata.address)
    assert words in command.run("get").stdout


def test_a_rejected_signature_points_to_the_clock(command: Command, metadata: Aws) -> None:
    command.name(HUB, endpoint=metadata.address, region="us-west-2")
    assert "check this host's clock" in command.failure()


@pytest.mark.parametrize("provider", ["secretsmanager", "ssm"])
def test_a_missing_secret_is_named_with_its_region(command: Command, provider: str) -> None:
    command.name(HUB, provider=provider)
    assert f"{SECRET} does not exist in {provider} in {REGION}" in command.failure()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tok-plain", "is not a JSON object"),
        ('["tok-list"]', "is not a JSON object"),
        ('{"username": "acme", "token": "tok-misnamed"}', "has no key accessToken"),
        ('{"accessToken": "tok-alone"}', "has no key username"),
        ('{"username": "acme", "accessToken": {"tok-nested": 1}}', "has no key accessToken"),
    ],
)
def test_a_malformed_secret_is_reported_without_its_content(
    command: Command, cloud: Cloud, text: str, problem: str
) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretString=text)
    said = command.failure()
    assert f"{SECRET} {problem}" in said
    assert "tok-" not in said


def test_a_binary_secret_is_reported(command: Command, cloud: Cloud) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretBinary=b"tok-bytes")
    assert "has no string value" in command.failure()


def test_an_unreachable_endpoint_is_named(command: Command) -> None:
    command.name(HUB, endpoint="http://127.0.0.1:9")
    assert "http://127.0.0.1:9/ cannot be reached" in command.failure()


def test_an_endpoint_that_is_not_of_aws_is_reported(command: Command, cloud: Cloud) -> None:
    command.name(HUB, endpoint=f"{cloud.address}/nowhere")
    assert "no error code: check that it is an AWS endpoint" in command.failure()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"registries": {"a": {}}}', '{"registries": []}'])
def test_malformed_settings_are_reported_with_their_path(command: Command, text: str) -> None:
    command.settings.write_text(text)
    assert f"{command.settings} is malformed" in command.failure()


@pytest.mark.usefixtures("secret")
def test_environment_variables_are_ignored(command: Command) -> None:
    elsewhere = dict.fromkeys(
        ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    done = command.run("get", AWS_REGION="us-west-2", AWS_ACCESS_KEY_ID="other", PYTHONPATH="/nowhere", **elsewhere)
    assert TOKEN in done.stdout


def test_a_module_of_the_user_s_is_not_imported(command: Command, tmp_path: Path) -> None:
    """Fault: `PYTHONPATH` of a user names a folder with modules of their own. Outcome: the helper imports none."""
    folder = tmp_path / "hostile"
    (folder / "slipway_agent").mkdir(parents=True)
    for name in ("json", "sitecustomize", "usercustomize", "syslog", "slipway_agent/__init__", "slipway_agent/cli"):
        (folder / f"{name}.py").write_text("print('hostile')\nraise SystemExit(3)\n")
    done = command.run("version", PYTHONPATH=str(folder), PYTHONSTARTUP=f"{folder}/json.py", HOME=str(folder))
    assert (done.returncode, done.stdout) == (0, "docker-credential-slipway 1\n")


def test_every_registry_that_fails_the_check_is_named(command: Command, cloud: Cloud) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretString=CREDENTIALS)
    for server in ("one.example.com", "two.example.com"):
        command.content["registries"][server] = {**command.content["registries"][HUB], "name": "missing"}
    command.name(HUB)
    said = command.failure("check").splitlines()
    assert [line.split(":")[0] for line in said] == ["one.example.com", "two.example.com"]


@pytest.mark.usefixtures("secret")
def test_a_boot_waits_for_the_role_s_credentials(command: Command, metadata: Aws) -> None:
    keys, metadata.keys = metadata.keys, None
    threading.Timer(0.5, lambda: setattr(metadata, "keys", keys)).start()
    assert command.run("wait").stdout == f"found credentials for {HUB}\n"


def test_a_boot_waits_for_a_limited_time(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    command.content["wait_seconds"] = 1
    command.name(HUB)
    assert "has no role" in command.failure("wait")


def test_a_boot_does_not_wait_after_an_error_that_persists(command: Command, metadata: Aws) -> None:
    """One such registry is enough, whatever happens to the others."""
    command.content["registries"]["one.example.com"] = {
        **command.content["registries"][HUB],
        "endpoint": "http://127.0.0.1:9",
    }
    command.name(HUB, name="missing")
    said = command.failure("wait")
    assert "missing does not exist in secretsmanager" in said
    assert "one.example.com: http://127.0.0.1:9/ cannot be reached" in said
