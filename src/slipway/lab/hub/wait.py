# SPDX-License-Identifier: Apache-2.0
"""Waits until the hub's servers answer under their names. Runs in the hub's container."""

import ssl
import sys
import time
import urllib.error
import urllib.request

SECONDS = 15
# Registries require anonymous clients to authenticate; the token server gives them a token.
EXPECTED = {
    "https://registry-1.docker.io/v2/": 401,
    "https://registry.slipway.test/v2/": 401,
    "https://auth.docker.io/token": 200,
}


def main() -> int:
    """Return 0 if all servers answer as expected; print the first that does not within SECONDS and return 1."""
    deadline = time.monotonic() + SECONDS
    tls = ssl.create_default_context(cafile="/srv/slipway/keys/ca.crt")
    for url, expected in EXPECTED.items():
        while (answer := get(url, tls)) != expected:
            if time.monotonic() > deadline:
                print(f"{url} answers {answer} instead of {expected}")
                return 1
            time.sleep(0.05)
    return 0


def get(url: str, tls: ssl.SSLContext) -> int | str:
    """Return the status of a GET request, or the reason why it failed."""
    try:
        with urllib.request.urlopen(url, timeout=2, context=tls) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
