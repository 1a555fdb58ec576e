# SPDX-License-Identifier: Apache-2.0
"""A moto server that records all calls, since moto ignores some parameters, such as the encryption of copies."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import boto3
import requests
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from slipway.lab.play import Run

KEYS = {"aws_access_key_id": "moto-key", "aws_secret_access_key": "moto-word"}
# With which tests themselves call AWS, so that the calls of playbooks can be told apart.
OWN_KEYS = {"aws_access_key_id": "test-key", "aws_secret_access_key": "test-word"}
SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/[0-9]+/(?P<region>[^/]+)/(?P<service>[^/]+)/")
# CloudWatch's protocol, whose body is binary (CBOR): the path names the action.
BINARY = re.compile(r"/service/[^/]+/operation/(?P<action>[A-Za-z]+)\Z")
DENIAL_IN_JSON = b'{"__type": "AccessDeniedException", "message": "The response was lost"}'
DENIAL = b"""<?xml version="1.0"?><Response><Errors><Error><Code>UnauthorizedOperation</Code>
<Message>The response was lost</Message></Error></Errors><RequestID>0</RequestID></Response>"""


@dataclass(frozen=True)
class Request:
    """One signed API call."""

    region: str
    service: str
    action: str
    parameters: dict[str, Any]


@dataclass
class RecordedAws:
    """A moto server that records calls and can lose a response."""

    calls: list[Request] = field(default_factory=list)
    # Service and action of all calls of playbooks, whatever was reset.
    played: set[tuple[str, str]] = field(default_factory=set)
    lost: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        self.moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=MotoRequestHandler)
        self.address = f"http://127.0.0.1:{self.server.port}"
        threading.Thread(target=self.server.serve_forever).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reset(self) -> None:
        requests.post(f"{self.address}/moto-api/reset", timeout=10)
        self.calls.clear()
        self.lost = ("", "")

    def client(self, service: str, region: str) -> Any:
        return boto3.client(service, region_name=region, endpoint_url=self.address, **OWN_KEYS)

    def lose_answer(self, action: str, region: str) -> None:
        """Execute the next call of this action, but return an error to the caller."""
        self.lost = (action, region)

    def made(self, action: str) -> list[Request]:
        return [call for call in self.calls if call.action == action]

    def changes(self) -> list[str]:
        """Return the actions that change something, in order."""
        read_only = ("Describe", "Get", "List")
        return [call.action for call in self.calls if not call.action.startswith(read_only)]

    def refused(self, run: Run) -> str:
        """Return why a playbook on the controller failed; it must not have changed anything."""
        assert run.status != 0
        assert self.changes() == []
        message = run.failure("localhost")
        assert message.endswith(". Nothing was changed."), message
        assert "Traceback" not in message
        return message

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None:
            return self.moto(environ, start_response)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        binary = BINARY.match(environ["PATH_INFO"])
        parameters: dict[str, Any] = {}
        if not binary:
            parameters = json.loads(body) if target else dict(parse_qsl(body.decode()))
        action = binary["action"] if binary else target.split(".")[-1] or parameters["Action"]
        self.calls.append(Request(scope["region"], scope["service"], action, parameters))
        if scope["key"] == KEYS["aws_access_key_id"]:
            self.played.add((scope["service"], action))
        if (action, scope["region"]) != self.lost:
            return self.moto(environ, start_response)
        self.lost = ("", "")
        list(self.moto(environ, _ignore_response))
        kind, denial = ("application/x-amz-json-1.1", DENIAL_IN_JSON) if target else ("text/xml", DENIAL)
        start_response("403 Forbidden", [("Content-Type", kind), ("Content-Length", str(len(denial)))])
        return [denial]


def _ignore_response(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
    return lambda data: None
