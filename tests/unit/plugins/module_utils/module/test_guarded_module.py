# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""How modules end: with a sentence, whatever they did not expect, and without secrets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.slipway.platform.plugins.module_utils.module import guarded_module, texts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained

from tests.support import yaml_files

PROJECT = Path(__file__).parents[5]
# What the controller does alone has a module that is documentation only.
ACTIONS = {path.name for path in PROJECT.glob("plugins/action/*.py")}
MODULES = sorted(path for path in PROJECT.glob("plugins/modules/*.py") if path.name not in ACTIONS)
SECRET = "s3cret-word"
SPEC = {
    "name": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "items": {
        "type": "list",
        "elements": "dict",
        "options": {"tags": {"type": "list", "elements": "str"}, "path": {"type": "path"}},
    },
    "one": {"type": "dict", "options": {"token": {"type": "str", "no_log": True}}},
    "free": {"type": "dict"},
    "count": {"type": "int"},
}


def end(work: Callable[[GuardedModule], object], capsys: pytest.CaptureFixture[str], **parameters: Any) -> Any:
    """Return what a module prints whose main() does the work."""

    def main() -> None:
        work(GuardedModule(argument_spec=json.loads(json.dumps(SPEC)), strict_texts=texts.problem))

    GuardedModule.current = None
    with patch_module_args(parameters), pytest.raises(SystemExit):
        explained(main)()
    return json.loads(capsys.readouterr().out)


def fault(text: str) -> Callable[[GuardedModule], object]:
    def work(_: GuardedModule) -> object:
        raise LookupError(text)

    return work


def test_an_unexpected_exception_is_a_sentence_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Fault: a module meets what nobody expected. Outcome: one sentence with the place and where to report it."""
    result = end(fault("what is it"), capsys, name="x")
    assert result["failed"]
    assert "failed unexpectedly (LookupError: what is it in " in result["msg"]
    assert f"report it with this sentence at {guarded_module.REPORTS}" in result["msg"]
    assert "Traceback" not in json.dumps(result)


@pytest.mark.parametrize("parameters", [{"password": SECRET}, {"name": f"https://me:{SECRET}@host"}])
def test_its_text_is_left_out_where_there_are_secrets(
    capsys: pytest.CaptureFixture[str], parameters: dict[str, str]
) -> None:
    """Fault: an unexpected exception quotes a secret in any form. Outcome: the sentence has no secret."""
    result = end(fault(SECRET[::-1]), capsys, **parameters)
    assert "(LookupError in " in result["msg"]
    assert SECRET[::-1] not in json.dumps(result)
    assert SECRET not in json.dumps(result)


def test_no_log_leaves_its_text_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert "(LookupError in " in end(fault(SECRET), capsys, _ansible_no_log=True)["msg"]


def test_a_tool_that_reads_the_specification_gets_its_own_exception() -> None:
    """ansible-test does so: it has AnsibleModule raise an exception with the specification."""

    def main() -> None:
        raise KeyError(SECRET)

    GuardedModule.current = None
    with pytest.raises(KeyError):
        explained(main)()


def test_a_result_that_cannot_be_formatted_is_replaced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedModule, "guarded", fault(SECRET))
    assert "(LookupError: " in end(fault(SECRET), capsys)["msg"]


def test_the_place_is_the_innermost_one_in_the_collection() -> None:
    def outer() -> None:
        texts.problem({"a": 1}, 5)

    with pytest.raises(AttributeError) as caught:
        outer()
    assert guarded_module.place_of(caught.value).startswith("module_utils/module/parameter_secrets.py:")


@pytest.mark.parametrize("message", ["", " \n"])
def test_no_failure_has_an_empty_message(capsys: pytest.CaptureFixture[str], message: str) -> None:
    result = end(lambda module: module.fail_json(msg=message), capsys)
    assert "failed without a reason: report it at https://" in result["msg"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_explains_what_it_does_not_expect(path: Path) -> None:
    assert path.read_text().count("\n@explained\ndef main():\n") == 1


def test_faults_are_reported_where_the_collection_is_developed() -> None:
    repository = yaml_files.read(PROJECT / "galaxy.yml")["repository"]
    assert f"{repository}/issues" == guarded_module.REPORTS


@pytest.mark.parametrize(
    ("parameters", "place", "kind"),
    [
        ({"name": 1.1}, "name", "a number (1.1)"),
        ({"name": True}, "name", "a boolean (True)"),
        ({"password": 42798}, "password", "a number"),
        ({"items": [{"tags": ["1.10"]}, {"tags": ["a", 511]}]}, "items[1].tags[1]", "a number (511)"),
        ({"items": [{"tags": 1.1}]}, "items[0].tags", "a number (1.1)"),
        ({"items": [{"path": 5}]}, "items[0].path", "a number (5)"),
        ({"one": {"token": 42798}}, "one.token", "a number"),
    ],
)
def test_a_number_or_boolean_in_place_of_a_text_is_refused(
    capsys: pytest.CaptureFixture[str], parameters: dict[str, Any], place: str, kind: str
) -> None:
    """Fault: YAML makes 1.1 of the tag 1.10, or a number of a token. Outcome: "quote it", with the place."""
    result = end(lambda module: module.exit_json(), capsys, **parameters)
    assert (
        result["msg"]
        == f"{place} is {kind} in YAML, which may differ from what you wrote: quote it. Nothing was changed."
    )
    assert "42798" not in result["msg"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"name": {"a": 1}}, "name is a mapping: set it to a text."),
        ({"items": [{"tags": [None]}]}, "items[0].tags[0] is empty: set it to a text."),
        ({"items": [{"tags": [["a"]]}]}, "items[0].tags[0] is a list: set it to a text."),
    ],
)
def test_what_quotes_cannot_make_a_text_is_refused(
    capsys: pytest.CaptureFixture[str], parameters: dict[str, Any], sentence: str
) -> None:
    result = end(lambda module: module.exit_json(), capsys, **parameters)
    assert result["msg"].startswith(sentence)


def test_texts_and_what_is_no_text_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    parameters = {
        "name": "1.10",
        "password": None,
        "items": [{"tags": ["1.10", "yes"]}, {"tags": "a,b"}, {"tags": None}],
        "one": {"token": "0123"},
        "free": {"a": 1, "b": True},
        "count": "5",
    }
    assert "failed" not in end(lambda module: module.exit_json(), capsys, **parameters)
