# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the AWS of an instance: a strict IMDSv2, and Secrets Manager and CloudWatch, which verify signatures.

Lab hosts run it, so it needs only the standard library: `python3 stand_in_aws.py <port> <folder>`. The folder contains
the package slipway_agent for signatures, and secrets.json, which is read at every request: text by name, null for
secrets that the role may not read. Published metrics are written to metrics.jsonl. While a file no-role exists, the
instance has no role.
"""

import datetime
import hmac
import json
import re
import secrets
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROLE = "web-server"
REGION = "eu-central-1"
INSTANCE = "i-0123456789abcdef0"
GROUP = "web-servers"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
PUT_METRICS = "GraniteServiceVersion20100801.PutMetricData"


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

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def metadata(self, path: str) -> str | None:
        """Return the text at a path of any version. That of a directory is the list of names in it."""
        known = {
            "meta-data/placement/region": REGION,
            "meta-data/instance-id": INSTANCE,
            "meta-data/tags/instance/aws:autoscaling:groupName": GROUP,
            **self.instance,
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
        """Run GetSecretValue or PutMetricData, for a request signed with the role's credentials."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
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

    def is_signed(self, body: bytes, service: str) -> bool:
        """Return whether the request has the signature of the role's credentials."""
        from slipway_agent.aws import sigv4
        from slipway_agent.aws.credentials import Credentials

        keys = self.server.keys
        if not keys:
            return False
        moment = datetime.datetime.strptime(self.headers.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ")
        url = f"http://{self.headers['Host']}{self.path}"
        signed = {name: self.headers[name] for name in ("Content-Type", "X-Amz-Target")}
        signer = Credentials(ROLE, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
        expected = sigv4.sign(signer, service, REGION, "POST", url, signed, body, moment)
        return hmac.compare_digest(expected["Authorization"], self.headers.get("Authorization", ""))

    def refuse(self, code: str) -> None:
        self.answer(400, json.dumps({"__type": code, "message": "from the stand-in"}))

    def answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing; requests are counted."""


def main(port: str, folder: str) -> None:
    sys.path.insert(0, folder)
    keys = {"AccessKeyId": "ASIASTANDIN", "SecretAccessKey": secrets.token_hex(), "Token": secrets.token_hex()}
    Aws(int(port), keys, Path(folder)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
