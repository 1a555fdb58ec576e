# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What stops a cache from being filled; tests/lab/test_registry_cache.py has a real registry."""

import socket
import threading

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import fill


def test_a_registry_that_breaks_off_is_a_failure_with_a_remedy() -> None:
    """Fault: the connection to the registry that fills the cache breaks. Outcome: a sentence with a
    remedy; the cache runs again.
    """
    with pytest.raises(fill.FillError, match="check the way to registry_cache_upstream"):
        fill.ask(fill.free_port(), "GET", "/v2/")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        with pytest.raises(fill.FillError, match="broke off"):
            fill.ask(server.getsockname()[1], "GET", "/v2/")
        thread.join()
