# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Signs requests with AWS Signature Version 4.

Follows "Create a signed AWS API request" in the IAM User Guide, whose examples are in the tests.
"""

import hashlib
import hmac
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
UNRESERVED = "-_.~"


def sign(credentials, service, region, method, url, headers, body, moment):
    """Return the headers of the signed request. moment: a datetime in UTC. body: bytes."""
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    scope = "/".join((stamp[:8], region, service, "aws4_request"))
    to_sign = dict(headers, Host=urlsplit(url).netloc)
    to_sign["X-Amz-Date"] = stamp
    if credentials.session_token:
        to_sign["X-Amz-Security-Token"] = credentials.session_token
    request = canonical_request(method, url, to_sign, body)
    text = "\n".join((ALGORITHM, stamp, scope, digest(request.encode("utf-8"))))
    signature = mac(signing_key(credentials.secret, scope), text).hex()
    authorization = (
        f"{ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={signed_headers(to_sign)}, "
        f"Signature={signature}"
    )
    return dict(to_sign, Authorization=authorization)


def canonical_request(method, url, headers, body):
    parts = urlsplit(url)
    lines = sorted("{}:{}\n".format(name.lower(), " ".join(value.split())) for name, value in headers.items())
    return "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/" + UNRESERVED),
            canonical_query(parts.query),
            "".join(lines),
            signed_headers(headers),
            digest(body),
        )
    )


def canonical_query(query):
    pairs = [
        (quote(name, safe=UNRESERVED), quote(value, safe=UNRESERVED))
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return "&".join("=".join(pair) for pair in sorted(pairs))


def signed_headers(headers):
    return ";".join(sorted(name.lower() for name in headers))


def signing_key(secret, scope):
    key = ("AWS4" + secret).encode("utf-8")
    for part in scope.split("/"):
        key = mac(key, part)
    return key


def mac(key, text):
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()


def digest(data):
    return hashlib.sha256(data).hexdigest()
