# SPDX-License-Identifier: Apache-2.0
"""Faults in digests.json are reported in one sentence with the place, and no digest can end an instruction."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slipway.images import digests, digests_file, registry
from slipway.images.errors import ImageError
from tests.support.tiny_images import tiny

DIGEST = f"sha256:{'a' * 64}"
GOOD = json.dumps({"os:9": DIGEST, "os:10": DIGEST}, indent=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "digests.json"


def refusal(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(ImageError) as refused:
        digests_file.read(file)
    message = str(refused.value)
    assert message.splitlines() == [message]
    assert message.encode()
    return message


def test_digests_are_read_by_reference(file: Path) -> None:
    assert digests_file.read(file) == {}
    file.write_text(GOOD, encoding="utf-8-sig")
    assert digests_file.read(file) == {"os:9": DIGEST, "os:10": DIGEST}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"<<<<<<< HEAD\n{GOOD}", "digests.json is not valid JSON: line 1: Expecting value; restore it from git"),
        (GOOD.replace("}", "=======\n}"), "digests.json is not valid JSON: line 4: "),
        ("", "digests.json is not valid JSON: line 1: "),
        ("[" * 100_000, "digests.json is not valid JSON: a value is too large"),
        ("1" * 10_000, "digests.json is not valid JSON: a value is too large"),
        ("[]", "digests.json is not a JSON object with a digest by reference"),
        (json.dumps({"os:9": f"{DIGEST}\n"}), "'os:9' has 'sha256:aaa"),
        (json.dumps({"os:9": "\n"}), r"'os:9' has '\n' instead of sha256: and 64 hexadecimal digits"),
        (json.dumps({"os:9": f"{DIGEST}\nRUN id"}), "instead of sha256: and 64 hexadecimal digits"),
        (json.dumps({"os:9": DIGEST.upper()}), "instead of sha256: and 64 hexadecimal digits"),
        (json.dumps({"os:9": None}), "'os:9' has None instead of"),
        (json.dumps({"os:9": {"a": 1}}), "'os:9' has {'a': 1} instead of"),
        (json.dumps({"\ud800": 1}), r"'\ud800' has 1 instead of"),
        (GOOD.replace("os:10", "os:9"), "digests.json: 'os:9' is there twice, and only one would count: remove one."),
    ],
)
def test_a_fault_is_reported_with_its_place(file: Path, content: str, words: str) -> None:
    """Fault: `digests.json` has a conflict marker, or a line break in a digest. Outcome: nothing is rendered or built,
    and the error names the line or the reference."""
    assert words in refusal(file, content.encode())


def test_another_encoding_is_reported(file: Path) -> None:
    assert "digests.json is in UTF-16" in refusal(file, GOOD.encode("utf-16"))
    assert "digests.json: line 2: byte 0xe4 is not UTF-8" in refusal(file, GOOD.replace("os", "ä").encode("latin-1"))


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
)


def read_or_reported(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    try:
        found = digests_file.read(file)
    except ImageError as error:
        assert str(error).splitlines() == [str(error)]
        assert str(error).encode()
    else:
        assert all(digests_file.is_digest(digest) for digest in found.values())


NO_CLIENT: Any = None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.integers(0, len(GOOD)))
@example(b"\xff\xfe", 0)
@example(b">>>>>>> other\n", 2)
@example(b"\\n", GOOD.index("a" * 64))
def test_any_bytes_are_read_or_reported(file: Path, inserted: bytes, place: int) -> None:
    read_or_reported(file, GOOD.encode()[:place] + inserted + GOOD.encode()[place:])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYTHING)
def test_any_json_is_read_or_reported(file: Path, content: Any) -> None:
    read_or_reported(file, json.dumps(content).encode())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
@example("\n")
@example(f"{DIGEST}\n")
def test_only_a_digest_is_written(file: Path, given_digest: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "digest_of", lambda *_: given_digest)
        with pytest.raises(ImageError, match=r"gives os:9 the digest .*, and digests\.json is unchanged"):
            digests.refresh(NO_CLIENT, [tiny("one", "os:9", has_local_base=False)], file)
    assert not file.exists()
