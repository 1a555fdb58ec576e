# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What each module that takes a secret tells syslog and the controller, whatever characters the secret has.

tests/lab/test_secrets.py asks a real journal.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from tests.support.planted_secrets import CHARACTERS, PLANTED, planted

MODULES = sorted(Path(__file__).parents[4].glob("plugins/modules/*.py"))


class Begun(Exception):
    """The module has read its parameters and would begin."""


def begin(module: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the module logs before it begins; one with invalid parameters ends instead."""
    logged: list[str] = []

    def stop(_: object) -> None:
        raise Begun

    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _, message: logged.append(str(message)))
    monkeypatch.setattr(basic.AnsibleModule, "_set_cwd", stop)
    program = importlib.import_module(f"ansible_collections.slipway.platform.plugins.modules.{module}")
    with patch_module_args(parameters), pytest.raises((Begun, SystemExit)):
        program.main()
    return "\n".join(logged)


@pytest.mark.parametrize("characters", CHARACTERS.values(), ids=CHARACTERS.keys())
@pytest.mark.parametrize("name", PLANTED)
def test_no_secret_is_logged(name: str, characters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, parameters = planted(name, characters)
    logged = begin(module, parameters, monkeypatch)
    assert logged.startswith("Invoked with ")
    for half in ("s3cret", "t0ken"):
        assert half not in logged


@pytest.mark.parametrize("characters", CHARACTERS.values(), ids=CHARACTERS.keys())
@pytest.mark.parametrize("name", PLANTED)
def test_no_secret_is_returned_where_a_parameter_is_invalid(
    name: str, characters: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, parameters = planted(name, characters)
    assert begin(module, {**parameters, "misspelt": True}, monkeypatch) == ""
    output = capsys.readouterr().out
    assert json.loads(output)["failed"]
    for half in ("s3cret", "t0ken"):
        assert half not in output


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_guarded(path: Path) -> None:
    """Those of AWS take no secret, and are modules of amazon.aws."""
    text = path.read_text()
    assert "GuardedModule(" in text or "AnsibleAWSModule(" in text
    assert " AnsibleModule(" not in text
