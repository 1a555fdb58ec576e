# SPDX-License-Identifier: Apache-2.0
"""The stand-in for auth.docker.io: issues the tokens that the registry accepts. Runs in the hub's container.

The users are read at every request, so tests can change or revoke a password while the server runs.
"""

import base64
import json
import secrets
import subprocess
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOME = Path("/srv/slipway/hub")
ISSUER = "auth.docker.io"
SERVICE = "registry.docker.io"
SECONDS = 300
PUBLIC = ("library", "ratelimitpreview")
LIMITED = "limited"  # the user that exceeds the rate limit


@dataclass(frozen=True)
class Answer:
    """An HTTP status, the JSON body, and additional headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def answer(credentials: tuple[str, str] | None, scopes: list[str], home: Path = HOME) -> Answer:
    """Answer a token request. As on the real Hub, wrong credentials are rejected, not treated as anonymous."""
    user, password = credentials or ("", "")
    if user == LIMITED:
        return Answer(429, {"details": "too many requests"}, {"Retry-After": "60"})
    users: dict[str, str] = json.loads((home / "users.json").read_text())
    if credentials and users.get(user) != password:
        return Answer(401, {"details": "incorrect username or password"})
    token = signed(claims(user, scopes, int(time.time())), home)
    return Answer(200, {"token": token, "access_token": token, "expires_in": SECONDS})


def claims(user: str, scopes: list[str], now: int) -> dict[str, Any]:
    """Return the claims of a token: its user, its validity, and the granted actions."""
    return {
        "iss": ISSUER,
        "aud": SERVICE,
        "sub": user,
        "iat": now,
        "nbf": now - 60,
        "exp": now + SECONDS,
        "jti": secrets.token_hex(16),
        "access": [granted(user, scope) for scope in scopes],
    }


def granted(user: str, scope: str) -> dict[str, Any]:
    """Return the granted part of a scope such as repository:alice/private:pull,push."""
    kind, _, rest = scope.partition(":")
    name, _, wanted = rest.rpartition(":")
    namespace = name.partition("/")[0]
    allowed = {"pull"} if namespace in PUBLIC else set()
    if user and namespace == user:
        allowed = {"pull", "push"}
    actions = sorted(allowed & set(wanted.split(","))) if kind == "repository" else []
    return {"type": kind, "name": name, "actions": actions}


def signed(content: dict[str, Any], home: Path) -> str:
    """Return a signed JSON web token, which includes the certificate for the registry to verify it."""
    certificate = "".join((home / "token.crt").read_text().splitlines()[1:-1])
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, content))
    command = ["openssl", "dgst", "-sha256", "-sign", str(home / "token.key")]
    signature = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    return f"{text}.{encoded(signature)}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def basic(authorization: str | None) -> tuple[str, str] | None:
    """Return user and password of an Authorization header; a malformed one yields a wrong password."""
    if authorization is None:
        return None
    try:
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    except ValueError:
        return "", authorization
    return user, password


class Handler(BaseHTTPRequestHandler):
    """Handles GET with optional Basic credentials, and the POST form of containerd."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self._reply(url.path, basic(self.headers["Authorization"]), parse_qs(url.query))

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())
        self._reply(self.path, (form.get("username", [""])[0], form.get("password", [""])[0]), form)

    def _reply(self, path: str, credentials: tuple[str, str] | None, fields: dict[str, list[str]]) -> None:
        scopes = [scope for value in fields.get("scope", []) for scope in value.split()]
        reply = answer(credentials, scopes) if path == "/token" else Answer(404, {"details": "not found"})
        body = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nginx logs the requests."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 5002), Handler).serve_forever()
