# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tokens with a fixed form are found, however they are written."""

import base64
import json
import string
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials, tokens

from tests.support.repeatable_secrets import RepeatableSecrets
from tests.unit.plugins.module_utils.machine_image.conftest import found, plant

secrets = RepeatableSecrets(__name__)

ALPHABET = string.ascii_letters + string.digits


def some(length: int, alphabet: str = ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def upper(length: int) -> str:
    return some(length, string.ascii_uppercase + string.digits)


def lower(length: int) -> str:
    return some(length, string.ascii_lowercase + string.digits)


def digits(length: int) -> str:
    return some(length, "123456789")


def hexa(length: int) -> str:
    return secrets.token_hex(length)[:length]


def based(length: int) -> str:
    """Return what base64 may be, with each of its special characters near the beginning."""
    return "a+/" + some(length - 3)


def uuid() -> str:
    return "-".join(hexa(length) for length in (8, 4, 4, 4, 12))


# As their providers issue them; nothing here is written as one piece, so that no scanner stumbles over it.
TOKENS = {
    "Docker swarm": "SWMTKN" + f"-1-{lower(50)}-{lower(25)}",
    "Docker swarm's key": "SWMKEY" + f"-1-{based(43)}",
    "k3s": "K10" + f"{hexa(64)}::server:{hexa(32)}",
    "kubeadm": f"--token {lower(6)}" + f".{lower(16)}",
    "AWS, Bedrock": "ABIA" + some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "Google OAuth": "GOCSPX" + f"-{some(28)}",
    "Google access": "ya29" + f".{some(60)}",
    "Azure": f"{some(3)}8" + f"Q~{some(34)}",
    "Azure storage": "AccountName=x;Account" + f"Key={some(86)}==;",
    "Azure bus": "SharedAccess" + f"Key={some(43)}=",
    "Alibaba": "LTAI" + some(20),
    "Heroku": "HRKU" + f"-AA{some(58)}",
    "Fly": "fm2" + f"_{some(120)}",
    "Fly, old": "fo1" + f"_{some(43)}",
    "Netlify": "nfp" + f"_{some(36)}",
    "Cloudflare": "v1.0" + f"-{hexa(24)}-{hexa(146)}",
    "Tailscale": "tskey" + f"-auth-{some(17)}-{some(32)}",
    "OpenShift": "sha256" + f"~{some(43)}",
    "Sourcegraph": "sgp" + f"_{hexa(16)}_{hexa(40)}",
    "GitLab, runner": "token = " + "GR1348941" + some(20),
    "CircleCI": "CCIPAT" + f"_{some(22)}_{hexa(40)}",
    "Buildkite": "bkua" + f"_{lower(40)}",
    "Harness": "pat" + f".{some(22)}.{some(24)}.{some(20)}",
    "Pulumi": "pul" + f"-{hexa(40)}",
    "Prefect": "pnu" + f"_{some(36)}",
    "Postman": "PMAK" + f"-{hexa(24)}-{hexa(34)}",
    "Linear": "lin" + f"_api_{some(40)}",
    "Octopus": "API" + f"-{upper(26)}",
    "Atlassian": "TOKEN=" + f"ATATT3x{some(180)}",
    "Bitbucket": "password: " + f"ATBB{some(28)}",
    "RubyGems": "rubygems" + f"_{hexa(48)}",
    "Clojars": "CLOJARS" + f"_{lower(60)}",
    "crates.io": 'token = "' + f'cio{some(32)}"',
    "NuGet": "NUGET_KEY=" + f"oy2{lower(43)}",
    "Artifactory": "apikey: " + f"AKCp{some(69)}",
    "Anthropic": "sk-ant" + f"-api03-{some(93)}AA",
    "OpenAI": "sk" + f"-{some(20)}T3BlbkFJ{some(20)}",
    "OpenAI, project": "sk-proj" + f"-{some(74)}T3BlbkFJ{some(74)}",
    "OpenRouter": "sk-or" + f"-v1-{hexa(64)}",
    "Hugging Face": "hf" + f"_{some(34)}",
    "Groq": "gsk" + f"_{some(52)}",
    "xAI": "xai" + f"-{some(80)}",
    "Perplexity": "pplx" + f"-{some(48)}",
    "Replicate": "r8" + f"_{some(37)}",
    "NVIDIA": "nvapi" + f"-{some(64)}",
    "Pinecone": "pcsk" + f"_{some(5)}_{some(60)}",
    "LangSmith": "lsv2" + f"_pt_{hexa(32)}_{hexa(10)}",
    "Slack app": "xapp" + f"-1-{upper(11)}-{digits(13)}-{hexa(64)}",
    "Brevo": "xkeysib" + f"-{hexa(64)}-{some(16)}",
    "Mailgun": "key" + f"-{hexa(32)}",
    "Notion": "ntn" + f"_{digits(11)}{some(35)}",
    "Figma": "figd" + f"_{some(40)}",
    "Telegram": f"{digits(10)}" + f":AA{some(33)}",
    "Discord": f"M{some(23)}" + f".{some(6)}.{some(38)}",
    "Discord's webhook": "https://discord" + f".com/api/webhooks/{digits(18)}/{some(68)}",
    "PlanetScale": "pscale" + f"_tkn_{some(43)}",
    "Supabase": "sbp" + f"_{hexa(40)}",
    "Databricks": "DATABRICKS_TOKEN=" + f"dapi{hexa(32)}",
    "ClickHouse": "key: " + f"4b1d{some(38)}",
    "Grafana": "glsa" + f"_{some(32)}_{hexa(8)}",
    "Grafana Cloud": "glc" + f"_{some(60)}",
    "New Relic": "NRAK" + f"-{upper(27)}",
    "Dynatrace": "dt0c01" + f".{upper(24)}.{upper(64)}",
    "Sentry": "sntryu" + f"_{hexa(64)}",
    "Doppler": "dp.pt" + f".{some(43)}",
    "Terraform": f"{some(14)}" + f".atlasv1.{some(64)}",
    "1Password": "ops" + f"_eyJ{some(300)}",
    "1Password's key": "A3" + f"-{upper(6)}-{upper(11)}-{upper(5)}-{upper(5)}-{upper(5)}",
    "Square": "sq0atp" + f"-{some(22)}",
    "Shopify": "shpat" + f"_{hexa(32)}",
    "Twilio": "TWILIO_SECRET=" + f"SK{hexa(32)}",
    "42": "s-s4t2ud" + f"-{hexa(64)}",
    "Adafruit": "aio" + f"_{some(28)}",
    "Adobe": "p8e" + f"-{some(32)}",
    "Aiven": "AVNS" + f"_{some(19)}",
    "Airtable": "pat" + some(14) + f".{hexa(64)}",
    "Alchemy": "alcht" + f"_{some(30)}",
    "Amazon's login": "amzn1.oa2-cs.v1" + f".{hexa(64)}",
    "Anthropic, session": "sk-ant" + f"-sid01-{some(86)}",
    "Apideck": "sk_live" + f"_{some(8)}-{some(84)}",
    "Apify": "apify_api" + f"_{some(36)}",
    "Artifactory, reference": "token: " + f"cmVmd{some(59)}",
    "Astra": "TOKEN=" + f"AstraCS:{some(24)}:{hexa(64)}",
    "Atlassian, underscore": "TOKEN=" + f"ATATT3x_-{some(180)}=0A1B2C3D",
    "Atlassian, organization": "TOKEN=" + f"ATCTT3x{some(180)}=0A1B2C3D",
    "Authress": "sc" + f"_{lower(20)}.{lower(4)}.acc-{lower(12)}.{some(60)}",
    "Azure's signature": "https://x.blob.core.windows.net/y?sv=2024&sig" + f"={some(43)}%3D",
    "Bannerbear": "bb_pr" + f"_{hexa(30)}",
    "BestTime": "pri" + f"_{hexa(32)}",
    "Bitbucket Data Center": "BBDC" + f"-{some(44)}",
    "Buildkite, cluster": "bkct" + f"_{some(22)}.{some(24)}",
    "Cashfree": "cfsk_ma_prod" + f"_{hexa(32)}_{hexa(8)}",
    "Checkout.com": "sk" + f"_{uuid()}",
    "CircleCI, project": "CCIPRJ" + f"_{some(22)}_{hexa(40)}",
    "ClickUp": "pk" + f"_{digits(8)}_{upper(32)}",
    "Close": "api" + f"_{some(22)}.{some(22)}",
    "Cloudflare, token": "cfut" + f"_{some(40)}{hexa(8)}",
    "CockroachDB": "CCDB1" + f"_{some(22)}_{some(40)}",
    "Contentful": "CFPAT" + f"-{some(43)}",
    "Databricks OAuth": "DATABRICKS_SECRET=" + f"dose{hexa(32)}",
    "Datadog": "ddp" + f"_{some(36)}",
    "DeepSeek": "sk" + f"-{hexa(32)}",
    "DevCycle": "dvc_server" + f"_{some(36)}",
    "Doppler, environment": "dp.st" + f".dev_eu.{some(43)}",
    "Dropbox": "sl" + f".{some(136)}",
    "Dropbox, new": "sl.u" + f".{some(136)}",
    "Duffel": "duffel_live" + f"_{some(43)}",
    "Elastic": "essu" + f"_{based(60)}==",
    "Endor": "ENDOR_API_CREDENTIALS_KEY=" + f"endr+{some(16)}",
    "FiveM": "cfxk" + f"_{some(20)}_{some(6)}",
    "Figma, organization": "figu" + f"_{some(40)}",
    "Finage": "API" + f"_KEY{upper(32)}",
    "Firebase": "AAAA" + f"{some(7)}:APA91{some(129)}",
    "Fleetbase": "flb_live" + f"_{some(20)}",
    "Flexport": "shltm" + f"_{some(40)}",
    "Flutterwave": "FLWSECK" + f"-{lower(32)}-X",
    "Frame.io": "fio-u" + f"-{some(64)}",
    "FullStory": "na1" + f".{based(100)}",
    "GoCardless": "live" + f"_Ab1{some(37)}",
    "Google, bound key": "AQ" + f".Ab{some(48)}",
    "Google, refresh": "refresh_token: " + f"1//0{some(20)}-_{some(60)}",
    "Google, storage": "key = " + f"GOOG1E{upper(55)}",
    "Grafana, old": "API_KEY=" + f"eyJrIjoi{some(80)}",
    "Harness, service": "sat" + f".{some(22)}.{some(24)}.{some(20)}",
    "HubSpot": "pat-na1" + f"-{uuid()}",
    "Infracost": "ico" + f"-{some(32)}",
    "Intercom": "TOKEN=" + f"dG9rO{some(54)}=",
    "Ionic": "ion" + f"_{some(42)}",
    "Klaviyo": "pk" + f"_{hexa(34)}",
    "Langfuse": "sk-lf" + f"-{uuid()}",
    "LaunchDarkly": "sdk" + f"-{hexa(8)}-{hexa(4)}-4{hexa(3)}-{hexa(4)}-{hexa(12)}",
    "Lichess": "lip" + f"_{some(20)}",
    "Linear OAuth": "lin_oauth" + f"_{hexa(64)}",
    "LinkedIn": "WPL_AP1" + f".{some(16)}.{some(8)}==",
    "Lob": "live" + f"_{hexa(35)}",
    "Mailchimp": hexa(32) + "-us" + "12",
    "MailerSend": "mlsn" + f".{hexa(64)}",
    "Mapbox": "sk" + f".eyJ{some(80)}.{some(22)}",
    "MaxMind": some(6) + f"_{some(29)}" + "_mmk",
    "Midtrans": "Mid-server" + f"-{some(24)}",
    "MongoDB Atlas": "mdb_sa_sk" + f"_{some(40)}",
    "Nebula": "dnkey" + f"-{upper(26)}-{upper(52)}",
    "Neon": "napi" + f"_{lower(64)}",
    "New Relic, insights": "NRII" + f"-{some(25)}",
    "New Relic, license": "license_key: " + f"{hexa(32)}FFFFNRAL",
    "New Relic, Europe": "license_key: " + f"eu01xx{hexa(26)}FFFFNRAL",
    "New Relic, mobile": f"AA{hexa(40)}" + "-NRMA",
    "Notion, old": "secret" + f"_{some(43)}",
    "OneSignal": "os_v2_app" + f"_{lower(103)}",
    "OpenAI, service": "sk-service" + f"-{some(74)}T3BlbkFJ{some(74)}",
    "Open VSX": "ovsxat" + f"_{uuid()}",
    "Paddle": "pdl_live_apikey" + f"_{lower(26)}_{some(22)}_{some(3)}",
    "Pagar.me": "ak_live" + f"_{some(30)}",
    "PagerDuty": "PAGERDUTY_TOKEN=" + f"pdus+_{some(40)}",
    "Pangea": "pts" + f"_{some(32, 'abcdefghijklmnopqrstuvwxyz234567')}",
    "Persona": "persona_production" + f"_{uuid()}",
    "Photoroom": "sk_pr" + f"_default_{hexa(40)}",
    "Pinterest": "pina" + f"_{some(60)}",
    "Plaid": "access-production" + f"-{uuid()}",
    "Polar": "polar_oat" + f"_{some(43)}",
    "Portainer": "ptr" + f"_{based(43)}=",
    "PostHog": "phx" + f"_{some(43)}",
    "Postman, collection": "PMAT" + f"-{upper(26)}",
    "Prefect, service": "pnb" + f"_{some(36)}",
    "PubNub": "sec-c" + f"-{some(48)}",
    "RFC 8959": "token: " + f"secret-token:mercury_production_{some(30)}",
    "Ramp": "ramp_sec" + f"_{some(48)}",
    "ReadMe": "rdme" + f"_{lower(70)}",
    "Recharge": "sk" + f"_1x1_{hexa(64)}",
    "Robinhood": "rh-api" + f"-{uuid()}",
    "Rootly": "rootly" + f"_{hexa(64)}",
    "RunPod": "rpa" + f"_{upper(40)}",
    "SaladCloud": "salad_cloud" + f"_user_{some(40)}",
    "Salesforce": "refresh_token=" + f"5Aep861{some(40)}._{some(40)}",
    "Samsara": "samsara_api" + f"_{some(30)}",
    "Scalingo": "tk-us" + f"-{some(48)}",
    "Scrapfly": "scp-live" + f"-{lower(32)}",
    "Segment": "sgp" + f"_{some(64)}",
    "SettleMint": "sm_pat" + f"_{some(16)}",
    "Shippo": "shippo_live" + f"_{hexa(40)}",
    "Shopify, partner": "prtapi" + f"_{hexa(32)}",
    "Sindri": "sindri" + f"_{some(32)}",
    "Slack, browser": "xoxd" + f"-{based(70)}%3D",
    "SonarQube": "squ" + f"_{hexa(40)}",
    "SonarQube Cloud": "sqco" + f"_{some(59)}",
    "Sourcegraph, license": "slk" + f"_{hexa(64)}",
    "Sourcegraph, local": "sgp_local" + f"_{hexa(40)}",
    "Spectral": "spu" + f"-{hexa(32)}",
    "Square, old": "ACCESS_TOKEN=" + f"EAAAl{some(59)}",
    "Stripe's webhook": "whsec" + f"_{some(32)}",
    "Teamwork": "tkn.v1" + f"_{some(71)}=",
    "Telnyx": "API_KEY=" + f"KEY{hexa(32).upper()}_{some(22)}",
    "Tencent": "SecretId: " + f"AKID{some(32)}",
    "Tines": "https://x.tines" + f".com/webhook/{lower(32)}/{lower(32)}",
    "TruffleHog": "thog-secret" + f"-{hexa(32)}",
    "Typeform": "tfp" + f"_{some(44)}",
    "Ubidots": "BBUS" + f"-{some(30)}",
    "Unkey": "unkey" + f"_{some(22)}",
    "Val Town": "vtwn" + f"_{some(28)}",
    "Vercel": "vck" + f"_{some(56)}",
    "Volcengine": "KEY_ID=" + f"AKLT{some(20)}_-{some(24)}",
    "WakaTime": "waka" + f"_{uuid()}",
    "WakaTime OAuth": "waka_tok" + f"_{some(80)}",
    "Weights & Biases": "wandb_v1" + f"_{some(27)}_{some(50)}",
    "Yandex": "y0" + f"_Ag{some(54)}",
    "Yandex IAM": "t1" + f".{some(60)}==.{some(86)}",
    "Yandex's key": "YANDEX_KEY=" + f"AQVN{some(36)}",
    "Zapier": "https://hooks.zapier" + f".com/hooks/catch/{digits(7)}/{lower(7)}",
    "Zoho": "1000" + f".{hexa(32)}.{hexa(32)}",
    "eBay": "PRD" + f"-{hexa(12)}-{hexa(4)}-{hexa(4)}-{hexa(4)}-{hexa(4)}",
    "OpenVPN": "-----BEGIN OpenVPN " + f"Static key V1-----\n{hexa(32)}\n",
    "WireGuard": "[Interface]\nPrivate" + f"Key = {some(42)}8=",
    "WireGuard, shared": "Preshared" + f"Key={some(42)}8=",
}


AROUND = {
    "bare": "%s",
    "sh": "export X='%s'",
    "json": '{"k": "%s"}',
    "text": "%s and more",
    "bin": "\x7fELF\0%s\0",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_is_found_once_wherever_it_stands(root: Path, token: str) -> None:
    for name, around in AROUND.items():
        plant(root, f"opt/app/{name}", around % token)
    lines = found(root)
    assert sorted(line.partition(", line ")[0] for line in lines) == sorted(f"/opt/app/{name}" for name in AROUND)
    assert not any(token[-12:] in line for line in lines)


@pytest.mark.parametrize(
    "what_and_prefix", [(what, prefix) for what, prefixes, _ in tokens.TOKENS for prefix in prefixes.split()]
)
def test_every_prefix_ends_with_a_separator_that_is_an_anchor(what_and_prefix: tuple[str, str]) -> None:
    anchors = [anchor.pattern for anchor in credentials.ANCHORS if anchor.widths]
    assert any(pattern.match(b"x" * 0 + what_and_prefix[1].encode()[-1:] + b"a" * 16) is None for pattern in anchors)
    whole = what_and_prefix[1].encode() + b"a" * 16
    assert any(found.end() >= len(what_and_prefix[1]) for pattern in anchors for found in pattern.finditer(whole))


GITHUB = "ghp" + f"_{some(36)}"


@pytest.mark.parametrize(
    "token", [GITHUB, TOKENS["Sentry"], "AKIA" + "QYLPMN5HABCDEFGH"], ids=["GitHub", "Sentry", "AWS"]
)
@pytest.mark.parametrize(
    "before",
    ["token%3D", "%3A", "\x1b[0m", "\x1b[1;31m", "\x1b[38;5;208m", "\\u003d", "\\x22", "=3D", "\\075", "\\n", "\\\\n"],
    ids=lambda before: repr(before),
)
def test_a_token_is_found_after_an_escaped_character(root: Path, token: str, before: str) -> None:
    plant(root, "opt/app/log", f"x{before}{token}\n")
    assert len(found(root)) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", ["", "a line of an export\r\n" * 4000], ids=["begin", "later"])
def test_a_token_in_utf_16_is_found(root: Path, encoding: str, before: str) -> None:
    """Fault: a secret in a file that is encoded in UTF-16. Outcome: found."""
    file = plant(root, "opt/app/export.reg")
    file.write_bytes(f"{before}token={GITHUB}\r\n".encode(encoding))
    (line,) = found(root)
    assert line.endswith(": a GitHub token")


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


LOGIN = {
    "a line break at its end": '{{"auths": {{"r": {{"auth": "{}"}}}}}}'.format(packed(b"alice:correct-horse\n")),
    "a NUL at its end": '{{"auths": {{"r": {{"auth": "{}"}}}}}}'.format(packed(b"alice:correct-horse\0")),
    "no UTF-8": '{{"auths": {{"r": {{"auth": "{}"}}}}}}'.format(packed(b"alice:caf\xe9-horse")),
    "a long password": '{{"auths": {{"r": {{"auth": "{}"}}}}}}'.format(packed(b"oauth2:" + some(6000).encode())),
    "a long token": '{"auths": {"r": {"identity' + f'token": "{some(6000)}"}}}}}}',
    "two names": '{"auths": {"r": {"username": "alice", "pass' + 'word": "correct-horse"}}}',
    "two names, on lines": '{\n"auths": {\n"r": {\n"username": "alice",\n"pass' + 'word": "correct-horse"\n}}}',
    "ECS": 'ECS_ENGINE_AUTH_DATA={"https://r/":{"username":"alice","pass' + 'word":"correct-horse","email":"a@b"}}',
    "containerd": '[plugins."cri".registry.configs."r".auth]\n  username = "alice"\n  pass'
    + 'word = "correct-horse"\n',
    "a Kubernetes secret": "data:\n  .dockerconfig" + "json: " + packed(b'{"auths":{"r":{"auth":"YTpi"}}}'),
    "YAML": "registries:\n  r:\n    auth: " + packed(b"alice:correct-horse") + "\n",
    "npm": "//npm.internal/:_auth=" + packed(b"alice:correct-horse"),
    "npm's password": "//npm.internal/:_pass" + "word=" + packed(b"correct-horse"),
    "npm's token": "//npm.internal/:_auth" + "Token=" + some(36),
}


@pytest.mark.parametrize("content", LOGIN.values(), ids=LOGIN)
def test_a_login_is_found_in_every_shape(root: Path, content: str) -> None:
    """Fault: a login to a registry in a shape that only some tools write. Outcome: found."""
    plant(root, "opt/app/settings", content)
    (line,) = found(root)
    assert line.split(": ")[1].split()[-1] in ("login", "logins", "token")


@pytest.mark.parametrize("skipped", range(6))
def test_a_key_in_base64_is_found_after_any_number_of_bytes(root: Path, skipped: int) -> None:
    pem = f"-----BEGIN PRIVATE KEY-----\n{packed(secrets.token_bytes(60))}\n"
    plant(root, "opt/app/secret.yml", f"key.json: {packed(b'x' * skipped + json.dumps({'key': pem}).encode())}")
    assert found(root) == ["/opt/app/secret.yml, line 1: a private key"]


@pytest.mark.parametrize(
    "content",
    [
        '"auth": "none", "_auth=", auth: basic, auth: oauth2client',
        "//registry/:_authToken=${NPM_TOKEN}",
        "kubeadm join --token abcdef.0123456789abcdef",
        "std::vector<deadbeef::x> sha256~",
        '"username": "alice", "password": "correct-horse"',
        "function_that_has_a_long_name api_for_everything_else secret_names_of_services live_migration_of_machines",
        "sk-toggleable-content-of-the-label sdk-for-the-platform-of-us-2 s3.us-east-1 access_token_of_sl.under_score",
        "https://x/y?sig=none&amp;sig=%s image: EAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHx",
        "PrivateKey = <your key>",
    ],
)
def test_what_only_looks_like_a_login_is_not_reported(root: Path, content: str) -> None:
    plant(root, "opt/app/settings", content)
    assert found(root) == []
