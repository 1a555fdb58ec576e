# SPDX-License-Identifier: Apache-2.0
"""docker-credential-slipway for registries of ECR, against moto and the stand-in, which has the codes of AWS."""

import base64
import datetime
import json
import os
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import jinja2
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import names
from botocore.exceptions import ClientError
from slipway_agent.aws.ecr import Token, token_in
from slipway_agent.aws.errors import AwsError
from slipway_agent.credential_helper import settings, token_cache

from tests.support import iam_policies
from tests.support.moto_account import Cloud
from tests.support.stand_in_aws import ECR_CALLS_FILE, ECR_FILE, REGION, ROLE, Aws
from tests.unit.agent.conftest import ROLES, install
from tests.unit.agent.credential_helper.conftest import HUB, Command

pytestmark = pytest.mark.program

NAME = f"111122223333.dkr.ecr.{REGION}.amazonaws.com"
ELSEWHERE = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
CHINA = "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn"
PUBLIC = "public.ecr.aws"
PASSWORD = "ecr-password"
MEMORY = Path("/dev/shm")  # a tmpfs, as /run is on a host
NOBODY = 65534


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A directory in memory, in place of /run."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """The instance's metadata service, and ECR."""
    keys = {"AccessKeyId": "ASIASTANDIN", "SecretAccessKey": "key-of-the-role", "Token": "token-of-the-role"}
    server = Aws(0, keys, tmp_path)
    threading.Thread(target=server.serve_forever, args=[0.05]).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ecr(aws: Aws, runtime: Path, tmp_path: Path) -> Command:
    """The command with registries of ECR."""
    entry = {"provider": "ecr", "name": None, "region": None, "endpoint": aws.address}
    content = {
        "metadata_endpoint": aws.address,
        "wait_seconds": 60,
        "registries": {name: dict(entry) for name in (NAME, ELSEWHERE, CHINA, PUBLIC)},
        "runtime_directory": str(runtime),
    }
    program = install("docker-credential-slipway", tmp_path)
    ecr = Command(program, tmp_path / "docker-credentials.json", content)
    ecr.name(NAME)
    return ecr


def give(aws: Aws, **kept: Any) -> None:
    """Have the stand-in give out tokens in another way."""
    assert aws.folder
    (aws.folder / ECR_FILE).write_text(json.dumps(kept))


def calls(aws: Aws) -> list[list[str]]:
    """The services and regions that were asked for tokens."""
    assert aws.folder
    path = aws.folder / ECR_CALLS_FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def cache_of(runtime: Path) -> Path:
    """The directory with the tokens of the user who runs the tests."""
    user = os.geteuid()
    parent = runtime / "user" / str(user) if user else runtime
    parent.mkdir(parents=True, exist_ok=True)
    return parent / token_cache.NAME


def get(command: Command, server: str = NAME) -> str:
    done = command.run("get", server)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Later(datetime.datetime):
    """In moto, tokens expired in 2015."""

    def __new__(cls, *_: int, tzinfo: datetime.tzinfo | None = None) -> Any:
        return datetime.datetime.now(tzinfo) + datetime.timedelta(hours=12)


def test_get_returns_a_token_while_signature_and_policy_are_enforced(
    command: Command, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("moto.ecr.responses.datetime", Later)
    command.content |= {"registries": {NAME: {"provider": "ecr"}}, "runtime_directory": str(tmp_path / "none")}
    command.name(NAME, endpoint=cloud.address)
    cloud.enforce()
    answer = json.loads(get(command))
    assert answer == {"ServerURL": NAME, "Username": "AWS", "Secret": "123456789012-auth-token"}
    cloud.enforce("inf")
    cloud.iam.delete_role_policy(RoleName=ROLE, PolicyName="docker-login-ecr")
    cloud.enforce()
    assert "HTTP 403" in command.failure("get", NAME)


def test_the_policy_lets_the_role_pull_and_not_push(cloud: Cloud) -> None:
    keys = {
        "aws_access_key_id": cloud.keys["AccessKeyId"],
        "aws_secret_access_key": cloud.keys["SecretAccessKey"],
        "aws_session_token": cloud.keys["Token"],
    }
    admin, role = (
        boto3.client("ecr", region_name=REGION, endpoint_url=cloud.address, **account)
        for account in ({"aws_access_key_id": "test", "aws_secret_access_key": "test"}, keys)
    )
    admin.create_repository(repositoryName="app")
    cloud.enforce()
    role.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "1"}])
    with pytest.raises(ClientError, match="not authorized to perform: ecr:PutImage"):
        role.put_image(repositoryName="app", imageManifest="{}", imageTag="1")
    # What docker pulls with, of which moto lacks two.
    assert iam_policies.actions("docker-login-ecr") == {
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    }
    assert iam_policies.actions("docker-login-ecr-public") == {
        "ecr-public:GetAuthorizationToken",
        "sts:GetServiceBearerToken",
    }


def test_the_command_reads_what_the_role_writes(ecr: Command) -> None:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters |= {"to_json": json.dumps, "slipway.platform.registry_key": names.key_of}
    template = environment.from_string((ROLES / "docker_firstboot/templates/docker-credentials.json.j2").read_text())
    ecr.settings.write_text(
        template.render(
            docker_firstboot_metadata_endpoint="http://127.0.0.1:9",
            docker_firstboot_wait_seconds=60,
            __docker_firstboot_credentials=[{"registry": NAME.upper(), "provider": "ecr"}, {"secret": "hub"}],
        )
    )
    assert settings.read(str(ecr.settings)).registries == {
        NAME: settings.Reference("ecr", NAME, None, None),
        HUB: settings.Reference("secretsmanager", "hub", None, None),
    }
    assert ecr.failure("get", NAME).startswith("the instance metadata service at http://127.0.0.1:9 does not respond")


@pytest.mark.parametrize(
    ("server", "service", "region"),
    [(NAME, "ecr", REGION), (ELSEWHERE, "ecr", "us-west-2"), (PUBLIC, "ecr-public", "us-east-1")],
)
def test_the_registry_s_name_says_which_service_is_asked_in_which_region(
    ecr: Command, aws: Aws, server: str, service: str, region: str
) -> None:
    assert json.loads(get(ecr, server)) == {"ServerURL": server, "Username": "AWS", "Secret": PASSWORD}
    assert calls(aws) == [[service, region]]


def test_a_token_serves_later_pulls_without_a_request(ecr: Command, aws: Aws, runtime: Path) -> None:
    directory = cache_of(runtime)
    answer = get(ecr)
    (file,) = directory.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (directory, file)] == [0o700, 0o600]
    give(aws, login="AWS:another")
    aws.requests.clear()
    assert get(ecr) == answer
    assert not aws.requests
    assert calls(aws) == [["ecr", REGION]]
    assert json.loads(get(ecr, ELSEWHERE))["Secret"] == "another"
    assert get(ecr) == answer


def test_a_check_requests_a_token_and_keeps_it(ecr: Command, aws: Aws) -> None:
    """Such as after another role was attached, whose rights the token of the one before does not have."""
    del ecr.content["registries"][CHINA]
    ecr.name(NAME)
    get(ecr)
    give(aws, login="AWS:another")
    assert ecr.run("check").stdout.startswith("found credentials for ")
    assert json.loads(get(ecr))["Secret"] == "another"
    assert calls(aws).count(["ecr", REGION]) == 2


@pytest.mark.parametrize("seconds", [token_cache.MARGIN_SECONDS - 1, 1, -60])
def test_a_token_is_requested_again_shortly_before_it_expires(
    ecr: Command, aws: Aws, runtime: Path, seconds: int
) -> None:
    """Fault: a token of ECR expires within half an hour. Outcome: the next pull requests another."""
    directory = cache_of(runtime)
    get(ecr)
    (file,) = directory.iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "expires": time.time() + seconds}))
    give(aws, login="AWS:another")
    assert json.loads(get(ecr))["Secret"] == "another"


def spoil_text(file: Path) -> None:
    file.write_text("{")


def spoil_shape(file: Path) -> None:
    file.write_text("[]")


def spoil_mode(file: Path) -> None:
    file.chmod(0o640)


def spoil_link(file: Path) -> None:
    file.rename(file.with_suffix(".elsewhere"))
    file.symlink_to(file.with_suffix(".elsewhere"))


def set_the_clock_back(file: Path) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "fetched": time.time() + 60}))


@pytest.mark.parametrize("spoil", [spoil_text, spoil_shape, spoil_mode, spoil_link, set_the_clock_back])
def test_a_cached_token_that_cannot_be_trusted_is_not_used(ecr: Command, aws: Aws, runtime: Path, spoil: Any) -> None:
    """Fault: a cached token of ECR is cut off, a link, readable by others, or of the future. Outcome: another one is
    requested."""
    directory = cache_of(runtime)
    get(ecr)
    (file,) = directory.iterdir()
    spoil(file)
    give(aws, login="AWS:another")
    assert json.loads(get(ecr))["Secret"] == "another"


@pytest.mark.parametrize("seconds", [60, token_cache.MARGIN_SECONDS + 60])
def test_a_token_is_kept_for_its_own_registry_until_shortly_before_it_expires(runtime: Path, seconds: int) -> None:
    directory = cache_of(runtime)
    cache = token_cache.TokenCache(str(runtime))
    cache.put(NAME, Token("AWS", PASSWORD, time.time(), time.time() + seconds))
    found = cache.get(NAME)
    assert (found is not None) == (seconds > token_cache.MARGIN_SECONDS)
    assert cache.get(ELSEWHERE) is None
    assert [path.name for path in directory.iterdir()] == [f"{NAME}.json"]


def test_a_token_is_never_written_to_a_disk(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: /run of a host is on a disk, of which an image may be made. Outcome: no token of ECR is written to it."""
    directory = cache_of(runtime)
    monkeypatch.setattr(token_cache, "IN_MEMORY", frozenset(("ramfs",)))
    token_cache.TokenCache(str(runtime)).put(NAME, Token("AWS", PASSWORD, time.time(), time.time() + 43200))
    assert not directory.exists()
    assert token_cache.is_in_memory(Path("/proc").stat().st_dev) is False


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("logged_in", [True, False])
def test_a_user_has_tokens_of_their_own_while_logged_in(runtime: Path, logged_in: bool) -> None:
    home = runtime / "user" / str(NOBODY)
    if logged_in:
        home.mkdir(parents=True, mode=0o700)
        os.chown(home, NOBODY, NOBODY)
    runtime.chmod(0o755)
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.setgid(65534); os.setuid(65534)\n"
        "from slipway_agent.credential_helper.token_cache import TokenCache\n"
        "from slipway_agent.aws.ecr import Token\n"
        "cache = TokenCache(sys.argv[2]); cache.put('r', Token('AWS', 'p', 1, 9e9)); print(cache.get('r') is not None)"
    )
    library = Path(token_cache.__file__).parents[2]
    copy = runtime / "library"
    shutil.copytree(library, copy, symlinks=False, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        ["/usr/bin/python3", "-c", program, copy, runtime], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{logged_in}\n"
    assert sorted(path.name for path in runtime.rglob("r.json")) == (["r.json"] if logged_in else [])


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
def test_a_directory_of_another_user_is_not_used(runtime: Path) -> None:
    directory = cache_of(runtime)
    directory.mkdir(0o700)
    os.chown(directory, NOBODY, NOBODY)
    token_cache.TokenCache(str(runtime)).put(NAME, Token("AWS", PASSWORD, time.time(), time.time() + 43200))
    assert list(directory.iterdir()) == []


def test_pulls_at_the_same_time_get_a_token(ecr: Command, runtime: Path) -> None:
    directory = cache_of(runtime)
    answers: list[str] = []
    pulls = [threading.Thread(target=lambda: answers.append(get(ecr))) for _ in range(4)]
    for pull in pulls:
        pull.start()
    for pull in pulls:
        pull.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert [path.name for path in directory.iterdir()] == [f"{NAME}.json"]


@pytest.mark.parametrize(
    ("server", "region", "sentence"),
    [
        (
            CHINA,
            REGION,
            f"{CHINA} is in the partition aws-cn, where the role of an instance in aws is not valid: copy its images "
            "to a registry in aws, and list that one",
        ),
        (
            NAME,
            "us-gov-west-1",
            f"{NAME} is in the partition aws, where the role of an instance in aws-us-gov is not valid: copy its "
            "images to a registry in aws-us-gov, and list that one",
        ),
        (
            PUBLIC,
            "cn-north-1",
            "public.ecr.aws is in the partition aws, where the role of an instance in aws-cn is not valid: remove it "
            "from docker_firstboot_credentials, since it serves images without credentials, too",
        ),
    ],
)
def test_a_registry_of_another_partition_is_refused_without_a_request(
    ecr: Command, aws: Aws, server: str, region: str, sentence: str
) -> None:
    """Fault: a registry of ECR is in another partition than the instance. Outcome: refused with both partitions; AWS is
    not asked."""
    aws.instance = {"meta-data/placement/region": region}
    assert ecr.failure("get", server) == sentence
    assert calls(aws) == []


def test_a_name_that_is_not_of_ecr_is_refused_on_the_instance_too(ecr: Command) -> None:
    ecr.content["registries"]["registry.example.com"] = ecr.content["registries"][NAME]
    ecr.name(NAME)
    said = ecr.failure("get", "registry.example.com")
    assert said.startswith("registry.example.com is not the name of a registry of Amazon ECR: use <account>.dkr.ecr.")


@pytest.mark.parametrize(
    ("server", "actions", "policy"),
    [
        (NAME, f"ecr:GetAuthorizationToken in {REGION}", "docker-login-ecr"),
        (
            PUBLIC,
            "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken in us-east-1",
            "docker-login-ecr-public",
        ),
    ],
)
def test_a_denied_request_for_a_token_names_the_actions_and_their_policy(
    ecr: Command, aws: Aws, server: str, actions: str, policy: str
) -> None:
    """Fault: the role may not request a token of ECR. Outcome: one sentence with the actions that it lacks and the
    policy that allows them."""
    give(aws, faults=["AccessDeniedException"])
    assert ecr.failure("get", server) == (
        f"the role {ROLE} is not allowed to call {actions}: attach the policy docs/iam/{policy}.json to it "
        "(AccessDeniedException: from the stand-in)"
    )
    asked = set(actions.split(" in ")[0].split(" and "))
    assert asked <= iam_policies.actions(policy)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredTokenException", f"the credentials of the role {ROLE} have expired (ExpiredTokenException: from the"),
        ("UnrecognizedClientException", f"are not known in {REGION} (UnrecognizedClientException: from the stand-in):"),
        ("ServerException", f"ecr:GetAuthorizationToken in {REGION} failed (ServerException: from the stand-in)"),
    ],
)
def test_another_error_of_ecr_is_one_sentence(ecr: Command, aws: Aws, code: str, words: str) -> None:
    give(aws, faults=[code])
    said = ecr.failure("get", NAME)
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(("throttled", "words"), [(2, PASSWORD), (4, "is throttled (ThrottlingException")])
def test_a_throttled_request_for_a_token_is_repeated_a_few_times(
    ecr: Command, aws: Aws, throttled: int, words: str
) -> None:
    """Fault: ECR throttles requests for tokens. Outcome: repeated for a few seconds, then one sentence."""
    give(aws, faults=["ThrottlingException"] * throttled)
    assert words in ecr.run("get", NAME).stdout
    assert len(calls(aws)) == min(throttled + 1, 4)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SOON = 9e9
HALF: list[Any] = [
    {},
    {"authorizationData": []},
    {"authorizationData": "tok-"},
    {"authorizationData": ["tok-"]},
    {"authorizationData": [{"expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:tok-")}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:tok-"), "expiresAt": "soon"}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:tok-")[:-1], "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": "<" + encoded("AWS:tok-"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": "AWS:tok-", "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded("tok-"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded(":tok-"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:tok-\nX: 1"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": encoded("AWS:tok-ü"), "expiresAt": SOON}]},
    {"authorizationData": [{"authorizationToken": ["tok-"], "expiresAt": SOON}]},
]


@pytest.mark.parametrize("answer", HALF, ids=json.dumps)
def test_half_a_response_is_reported_without_its_content(answer: Any) -> None:
    """Fault: ECR responds without a complete token. Outcome: one sentence without any part of it."""
    with pytest.raises(AwsError) as refused:
        token_in(answer, "https://ecr.example.com")
    assert str(refused.value) == (
        "https://ecr.example.com responds without a complete token: check that it is an endpoint of Amazon ECR"
    )
    assert (refused.value.__cause__, refused.value.__suppress_context__) == (None, True)


def test_no_token_lives_longer_than_aws_lets_it() -> None:
    data = {"authorizationToken": encoded("AWS:tok-"), "expiresAt": 10**12}
    for answer in ({"authorizationData": data}, {"authorizationData": [data]}):
        token = token_in(answer, "https://ecr.example.com")
        assert (token.username, token.password) == ("AWS", "tok-")
        assert token.expires - token.fetched == pytest.approx(43200)


def test_a_response_that_is_refused_is_not_cached(ecr: Command, aws: Aws, runtime: Path) -> None:
    directory = cache_of(runtime)
    give(aws, login="AWS:")
    assert f"{aws.address} responds without a complete token" in ecr.failure("get", NAME)
    assert not directory.exists()


def test_a_token_that_has_expired_points_to_the_clock(ecr: Command, aws: Aws, runtime: Path) -> None:
    """Fault: ECR responds with a token that has expired, by this host's clock. Outcome: the clock is named."""
    directory = cache_of(runtime)
    give(aws, seconds=-1)
    assert ecr.failure("get", NAME).endswith("responds with a token that has expired: check this host's clock")
    assert not directory.exists()


def test_a_look_alike_of_a_registry_of_ecr_gets_nothing(ecr: Command, aws: Aws) -> None:
    for server in (NAME.upper(), f"{NAME}:443", f"https://{NAME}", f"../{NAME}", HUB):
        assert ecr.failure("get", server) == "credentials not found in native keychain"
    assert not aws.requests
