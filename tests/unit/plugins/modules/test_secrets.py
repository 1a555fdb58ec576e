# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What each module that takes a secret tells syslog and the controller, whatever characters the secret has.

tests/lab/test_secrets.py asks a real journal.
"""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule

from tests.support.planted_secrets import CHARACTERS, PLANTED, planted

PLUGINS = Path(__file__).parents[4] / "plugins"
# What the controller does alone has a module that is documentation only.
ACTIONS = {path.name for path in PLUGINS.glob("action/*.py")}
MODULES = sorted(path for path in PLUGINS.glob("modules/*.py") if path.name not in ACTIONS)
# Names of options that take an address, a key by its address, or free settings.
TAKES_A_SECRET = re.compile(r"(?:proxy|ur[il]|root|source|key|options|password|token|secret)\Z")


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


def specification_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the argument_spec of a module."""
    found: list[dict[str, Any]] = []

    def stop(_: object, argument_spec: dict[str, Any], **__: object) -> None:
        found.append(argument_spec)
        raise Begun

    monkeypatch.setattr(basic.AnsibleModule, "__init__", stop)
    monkeypatch.setattr(GuardedModule, "current", None)  # as for any tool that reads the specification
    program = importlib.import_module(f"ansible_collections.slipway.platform.plugins.modules.{path.stem}")
    with pytest.raises(Begun):
        program.main()
    return found[0]


def secret_options(options: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the names of options that take a secret, or an address or free settings, which may hold one."""
    for name, option in options.items():
        if option.get("no_log") or (TAKES_A_SECRET.search(name) and option["type"] in ("str", "dict", "raw")):
            if option.get("options"):
                yield from (f"{above}{name}.{each}" for each in option["options"] if each != "no_proxy")
            else:
                yield f"{above}{name}"
        else:
            yield from secret_options(option.get("options") or {}, f"{above}{name}.")


def planted_options(value: Any, above: str = "") -> Iterator[str]:
    """Yield the names of options in whose value the secret is, and of all options above it."""
    if isinstance(value, dict):
        for name, item in value.items():
            inside = list(planted_options(item, f"{above}{name}."))
            yield from ([f"{above}{name}", *inside] if inside else [])
    elif isinstance(value, list):
        for item in value:
            yield from planted_options(item, above)
    elif isinstance(value, str) and "{}" in value:
        yield above.rstrip(".")


@pytest.mark.parametrize(
    "path", [path for path in MODULES if "GuardedModule(" in path.read_text()], ids=lambda path: path.stem
)
def test_a_secret_is_planted_in_every_option_that_takes_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set(secret_options(specification_of(path, monkeypatch)))
    cases = [parameters for module, parameters in PLANTED.values() if module == path.stem]
    assert asked - {option for parameters in cases for option in planted_options(parameters)} == set()


def test_options_that_take_a_secret_are_recognized(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = next(path for path in MODULES if path.stem == "docker_package_repository")
    assert set(secret_options(specification_of(repository, monkeypatch))) == {
        *("baseurl", "daemon_options", "gpg_key", "proxy.http", "proxy.https", "repo_root"),
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_guarded(path: Path) -> None:
    """Those of AWS take no secret, and are modules of amazon.aws."""
    text = path.read_text()
    assert "GuardedModule(" in text or "AnsibleAWSModule(" in text
    assert " AnsibleModule(" not in text
