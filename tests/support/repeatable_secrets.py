# SPDX-License-Identifier: Apache-2.0
"""Made-up secrets that are the same in each run: one in a thousand random ones is by chance a token of another kind."""

import base64
import random
from collections.abc import Sequence


class RepeatableSecrets:
    """Has the functions of the module secrets that tests need."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def choice(self, characters: Sequence[str]) -> str:
        return self._random.choice(characters)

    def token_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def token_hex(self, count: int) -> str:
        return self.token_bytes(count).hex()

    def token_urlsafe(self, count: int) -> str:
        return base64.urlsafe_b64encode(self.token_bytes(count)).rstrip(b"=").decode()
