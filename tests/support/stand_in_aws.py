# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the AWS of an instance: a strict IMDSv2, and services that verify signatures.

The services are Secrets Manager, CloudWatch, Auto Scaling, and the two of ECR.

Lab hosts run it, so it needs only the standard library: `python3 stand_in_aws.py <port> <folder>`. The folder contains
the package slipway_agent for signatures, and secrets.json, which is read at every request: text by name, null for
secrets that the role may not read. Published metrics are written to metrics.jsonl. While a file no-role exists, the
instance has no role. autoscaling.json is the instance's group, as LONE_GROUP is one, and the calls of Auto Scaling are
written to autoscaling.jsonl. metadata.json adds metadata by path. ecr.json says what ECR does, as ECR_TOKEN is one, and
the services and regions that were asked for tokens are written to ecr.jsonl.
"""

import base64
import datetime
import hmac
import json
import re
import secrets
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

ROLE = "web-server"
REGION = "eu-central-1"
INSTANCE = "i-0123456789abcdef0"
GROUP = "web-servers"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
PUT_METRICS = "GraniteServiceVersion20100801.PutMetricData"
# The services of ECR, by what requests for a token are sent to.
TOKENS = {
    "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": "ecr",
    "SpencerFrontendService.GetAuthorizationToken": "ecr-public",
}
ECR_FILE, ECR_CALLS_FILE = "ecr.json", "ecr.jsonl"
# seconds: for which a token is valid. faults: error codes of the next requests.
ECR_TOKEN: dict[str, Any] = {"login": "AWS:ecr-password", "seconds": 43200, "faults": []}
GROUP_FILE, CALLS_FILE, METADATA_FILE = "autoscaling.json", "autoscaling.jsonl", "metadata.json"
# A group of this instance alone. pending: hooks that wait for it. faults: by action, what happens to its next calls.
LONE_GROUP: dict[str, Any] = {
    "members": {INSTANCE: ["InService", "Healthy"]},
    "desired": 1,
    "pending": [],
    "refreshes": [],
    "rebalances": False,
    "faults": {},
}
STAMP = "%Y%m%dT%H%M%SZ"
MOST_SKEW = datetime.timedelta(minutes=5)
# Status and code of each fault.
FAULTS = {
    "throttle": (400, "Throttling"),
    "deny": (403, "AccessDenied"),
    "expire": (403, "ExpiredToken"),
    "fail": (500, "InternalFailure"),
    "break": (503, ""),
}


class Aws(ThreadingHTTPServer):
    """A server on loopback. keys: credentials of the role, or None for an instance without a role."""

    def __init__(self, port: int, keys: dict[str, str] | None, folder: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.keys = keys
        self.folder = folder
        self.instance: dict[str, str] = {}  # additional metadata by path, such as user-data
        self.tokens: set[str] = set()
        self.requests: Counter[str] = Counter()
        self.throttled = 0  # number of next requests for secrets to throttle
        self.ahead = datetime.timedelta()  # of the clock of Auto Scaling

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def kept(self, name: str, default: Any) -> Any:
        """Return the content of a file in the folder, and the default without it."""
        path = self.folder / name if self.folder else None
        return json.loads(path.read_text()) if path and path.exists() else default

    def metadata(self, path: str) -> str | None:
        """Return the text at a path of any version. That of a directory is the list of names in it."""
        known: dict[str, str] = {
            "meta-data/placement/region": REGION,
            "meta-data/instance-id": INSTANCE,
            "meta-data/tags/instance/aws:autoscaling:groupName": GROUP,
            **self.instance,
            **self.kept(METADATA_FILE, {}),
        }
        if self.keys and not (self.folder and (self.folder / "no-role").exists()):
            known[f"meta-data/iam/security-credentials/{ROLE}"] = json.dumps(self.keys)
        _, _, path = path.removeprefix("/").partition("/")
        if path in known:
            return known[path]
        folder = path.rstrip("/") + "/"
        below = [name.removeprefix(folder) for name in known if name.startswith(folder)]
        return "\n".join(sorted({re.sub("/.*", "/", name) for name in below})) or None


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: Aws

    def do_PUT(self) -> None:
        """Return a session token, for a request with a lifetime and without a proxy."""
        self.server.requests["PUT " + self.path] += 1
        if self.path != "/latest/api/token" or "X-Forwarded-For" in self.headers:
            return self.answer(403)
        if not 0 < int(self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", 0)) <= 21600:
            return self.answer(400)
        token = secrets.token_urlsafe()
        self.server.tokens.add(token)
        return self.answer(200, token)

    def do_GET(self) -> None:
        """Return metadata, for a request with a token."""
        self.server.requests["GET " + self.path] += 1
        if self.headers.get(TOKEN_HEADER) not in self.server.tokens:
            return self.answer(401)
        text = self.server.metadata(self.path)
        return self.answer(404) if text is None else self.answer(200, text)

    def do_POST(self) -> None:
        """Run an action, for a request signed with the role's credentials."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" not in self.headers:
            return self.answer_of_group(body)
        if self.headers["X-Amz-Target"] in TOKENS:
            return self.answer_of_ecr(body, TOKENS[self.headers["X-Amz-Target"]])
        publishes = self.headers["X-Amz-Target"] == PUT_METRICS
        if not self.is_signed(body, "monitoring" if publishes else "secretsmanager"):
            return self.refuse("InvalidSignatureException")
        assert self.server.folder
        if publishes:
            with (self.server.folder / "metrics.jsonl").open("ab") as file:
                file.write(body + b"\n")
            return self.answer(200)  # the action has no output, so the body may be empty
        if self.server.throttled:
            self.server.throttled -= 1
            return self.refuse("ThrottlingException")
        name = json.loads(body)["SecretId"]
        kept = json.loads((self.server.folder / "secrets.json").read_text())
        if self.headers["X-Amz-Target"] != "secretsmanager.GetSecretValue" or name not in kept:
            return self.refuse("ResourceNotFoundException")
        if kept[name] is None:
            return self.refuse("AccessDeniedException")
        return self.answer(200, json.dumps({"Name": name, "SecretString": kept[name]}))

    def answer_of_ecr(self, body: bytes, service: str) -> None:
        """Give out a token for the registries of the region that the request is signed for."""
        assert self.server.folder
        region = self.headers["Authorization"].split("/")[2]
        if not self.is_signed(body, service, region):
            return self.refuse("InvalidSignatureException")
        with (self.server.folder / ECR_CALLS_FILE).open("a") as file:
            file.write(json.dumps([service, region]) + "\n")
        kept = {**ECR_TOKEN, **self.server.kept(ECR_FILE, {})}
        if kept["faults"]:
            code = kept["faults"].pop(0)
            (self.server.folder / ECR_FILE).write_text(json.dumps(kept))
            return self.refuse(code)
        token = base64.b64encode(kept["login"].encode()).decode()
        data = {"authorizationToken": token, "expiresAt": time.time() + kept["seconds"]}
        self.answer(200, json.dumps({"authorizationData": [data] if service == "ecr" else data}))

    def is_signed(self, body: bytes, service: str, region: str = REGION) -> bool:
        """Return whether the request has the signature of the role's credentials."""
        from slipway_agent.aws import sigv4
        from slipway_agent.aws.credentials import Credentials

        keys = self.server.keys
        if not keys:
            return False
        moment = datetime.datetime.strptime(self.headers.get("X-Amz-Date", ""), STAMP)
        url = f"http://{self.headers['Host']}{self.path}"
        signed = {name: self.headers[name] for name in ("Content-Type", "X-Amz-Target") if name in self.headers}
        signer = Credentials(ROLE, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
        expected = sigv4.sign(signer, service, region, "POST", url, signed, body, moment)
        return hmac.compare_digest(expected["Authorization"], self.headers.get("Authorization", ""))

    def answer_of_group(self, body: bytes) -> None:
        """Run an action of Auto Scaling, which speaks the Query protocol."""
        assert self.server.folder
        asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
        with (self.server.folder / CALLS_FILE).open("a") as file:
            file.write(json.dumps(asked) + "\n")
        group = self.server.kept(GROUP_FILE, LONE_GROUP)
        faults = group["faults"].get(asked["Action"])
        fault = faults.pop(0) if faults else ""
        if fault == "expire" and self.server.keys:
            self.server.keys = {name: secrets.token_hex() for name in self.server.keys}
        elif not fault:
            problem = self.problem_of(body) or act(group, asked)
            if problem:
                return self.answer(*problem)
        (self.server.folder / GROUP_FILE).write_text(json.dumps(group))
        if fault:
            status, code = FAULTS[fault]
            return self.answer(status, error_text(code, "from the stand-in") if code else "unavailable")
        action = asked["Action"]
        result = RESULTS.get(action, lambda _: "")(group)
        namespace = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
        self.answer(
            200, f'<{action}Response xmlns="{namespace}"><{action}Result>{result}</{action}Result></{action}Response>'
        )

    def problem_of(self, body: bytes) -> tuple[int, str] | None:
        """Return the answer to a request whose signature is wrong or too old."""
        if not self.is_signed(body, "autoscaling"):
            return 403, error_text("SignatureDoesNotMatch", "from the stand-in")
        sent = datetime.datetime.strptime(self.headers["X-Amz-Date"], STAMP)
        now = datetime.datetime.strptime(time.strftime(STAMP, time.gmtime()), STAMP)
        if abs(now + self.server.ahead - sent) > MOST_SKEW:
            return 403, error_text("SignatureDoesNotMatch", "Signature not yet current")
        return None

    def refuse(self, code: str) -> None:
        self.answer(400, json.dumps({"__type": code, "message": "from the stand-in"}))

    def answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing; requests are counted."""


def error_text(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


def act(group: dict[str, Any], asked: dict[str, str]) -> tuple[int, str] | None:
    """Change the group as an action does; return the answer to a request that AWS rejects."""
    of_member = asked.get("InstanceId")
    if of_member and of_member not in group["members"] and asked["Action"] == "SetInstanceHealth":
        return 400, error_text("ValidationError", f"Instance Id not found - No managed instance found for {of_member}")
    if asked["Action"] in ("CompleteLifecycleAction", "RecordLifecycleActionHeartbeat"):
        hook = asked["LifecycleHookName"]
        if of_member not in group["members"] or hook not in group["pending"]:
            return 400, error_text(
                "ValidationError", f"No active Lifecycle Action found with instance ID {escape(str(of_member))}"
            )
        if asked["Action"] == "CompleteLifecycleAction":
            group["pending"].remove(hook)
            kept = asked["LifecycleActionResult"] == "CONTINUE" and hook == "slipway-launch"
            group["members"][of_member][0] = "InService" if kept else "Terminating:Proceed"
    if asked["Action"] == "SetInstanceHealth":
        group["members"][of_member][1] = asked["HealthStatus"]
    return None


def describe(group: dict[str, Any]) -> str:
    members = "".join(
        f"<member><InstanceId>{name}</InstanceId><LifecycleState>{state}</LifecycleState>"
        f"<HealthStatus>{health}</HealthStatus></member>"
        for name, (state, health) in group["members"].items()
    )
    return (
        f"<AutoScalingGroups><member><AutoScalingGroupName>{GROUP}</AutoScalingGroupName>"
        f"<DesiredCapacity>{group['desired']}</DesiredCapacity><Instances>{members}</Instances>"
        f"<CapacityRebalance>{json.dumps(group['rebalances'])}</CapacityRebalance></member></AutoScalingGroups>"
    )


def describe_refreshes(group: dict[str, Any]) -> str:
    members = "".join(f"<member><Status>{status}</Status></member>" for status in group["refreshes"])
    return f"<InstanceRefreshes>{members}</InstanceRefreshes>"


RESULTS = {"DescribeAutoScalingGroups": describe, "DescribeInstanceRefreshes": describe_refreshes}


def main(port: str, folder: str) -> None:
    sys.path.insert(0, folder)
    keys = {"AccessKeyId": "ASIASTANDIN", "SecretAccessKey": secrets.token_hex(), "Token": secrets.token_hex()}
    Aws(int(port), keys, Path(folder)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
