# SPDX-License-Identifier: Apache-2.0
"""Signatures, compared with the values that AWS publishes and with those of botocore."""

import datetime
import string
from urllib.parse import quote, urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st
from slipway_agent.aws import sigv4
from slipway_agent.aws.credentials import Credentials

# The examples' own, from AWS' documentation.
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = datetime.datetime(2015, 8, 30, 12, 36, 0)
LIST_USERS = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def signature(service: str, url: str, headers: dict[str, str]) -> str:
    keys = Credentials("role", KEY_ID, SECRET, None)
    signed: dict[str, str] = sigv4.sign(keys, service, "us-east-1", "GET", url, headers, b"", MOMENT)
    return signed["Authorization"].rpartition("Signature=")[2]


def test_the_signature_of_list_users_is_the_documented_one() -> None:
    """IAM User Guide, "Create a signed AWS API request": the canonical request, the key and the signature."""
    headers = {**FORM, "Host": "iam.amazonaws.com", "X-Amz-Date": "20150830T123600Z"}
    request = sigv4.canonical_request("GET", LIST_USERS, headers, b"")
    digest = sigv4.digest(request.encode())
    assert digest == "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    key = sigv4.signing_key(SECRET, "20150830/us-east-1/iam/aws4_request")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    assert signature("iam", LIST_USERS, FORM) == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


def test_the_signature_of_get_vanilla_is_that_of_the_published_test_suite() -> None:
    expected = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    assert signature("service", "https://example.amazonaws.com/", {}) == expected


SEGMENT = st.text(string.ascii_letters + string.digits + " -_~$é", min_size=1, max_size=8)
HEADER = st.text(string.ascii_letters + string.digits + " =;/", min_size=1, max_size=12).map(str.strip)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.lists(SEGMENT, max_size=3),
    query=st.lists(st.tuples(SEGMENT, st.text(max_size=5)), max_size=3),
    header=HEADER,
    body=st.binary(max_size=30),
    token=st.one_of(st.none(), st.just("session-token")),
)
def test_any_request_is_signed_as_botocore_signs_it(
    method: str, path: list[str], query: list[tuple[str, str]], header: str, body: bytes, token: str | None
) -> None:
    url = "https://example.amazonaws.com/" + quote("/".join(path))
    if query:
        url += "?" + urlencode(query, quote_via=quote)
    stamp = MOMENT.strftime("%Y%m%dT%H%M%SZ")
    request = AWSRequest(method=method, url=url, headers={"X-Amz-Target": header}, data=body)
    request.context["timestamp"] = stamp
    oracle = SigV4Auth(BotocoreCredentials(KEY_ID, SECRET, token), "service", "us-east-1")
    request.headers["X-Amz-Date"] = stamp
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text = oracle.string_to_sign(request, oracle.canonical_request(request))
    expected = oracle.signature(text, request)

    keys = Credentials("role", KEY_ID, SECRET, token)
    signed = sigv4.sign(keys, "service", "us-east-1", method, url, {"X-Amz-Target": header}, body, MOMENT)
    assert signed["Authorization"].endswith("Signature=" + expected)
