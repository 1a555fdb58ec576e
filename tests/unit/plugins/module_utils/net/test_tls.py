# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Which certificates are accepted: tests/unit/plugins/module_utils/registry/test_certificates.py tries them."""

import re
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[5] / "plugins"
UTILS = sorted(path for path in PLUGINS.glob("*/**/*.py") if path.name != "tls.py")


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.stem)
def test_every_client_has_the_trust_of_the_engine(path: Path) -> None:
    """Fault: a private CA was made without keyUsage, and Python is 3.13 or newer. Outcome: accepted, as by the engine.

    A default of Python's own would be strict: in urlopen, in an opener without an HTTPSHandler, in HTTPSConnection.
    """
    text = path.read_text()
    assert "create_default_context" not in text
    assert not re.search(r"\burlopen\(|HTTPSConnection\(", text)
    assert "build_opener(" not in text or "HTTPSHandler(context=tls.client_context())" in text or "self.tls" in text
