# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""When a token ends, as far as it says so itself.

JSON Web Tokens do (RFC 7519: exp), and so do the passwords of Amazon ECR. Most others are opaque, Docker Hub's too.
"""

import base64
import json

LONGEST_TOKEN = 20000  # characters; those of ECR have some 3000
LAST_END = 2**40  # seconds since 1970, in the year 36812


def token_end(token):
    """Return the end in seconds since 1970; None if the token does not tell."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    parts = token.split(".")
    claims = decoded(parts[1] if len(parts) == 3 else token)
    end = claims.get("exp" if len(parts) == 3 else "expiration")
    is_number = isinstance(end, (int, float)) and not isinstance(end, bool)
    return int(end) if is_number and 0 < end < LAST_END else None


def decoded(text):
    """Return the dictionary that a text holds as JSON in base64, {} if it holds none."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
        found = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
