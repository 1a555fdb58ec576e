# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Evaluates every expression of a role's tasks and handlers, without running a task.

A program of its own, which needs nothing but ansible-core, so that the expressions can be evaluated by another release
than the one that runs the tests. Each line of stdin is {"role": name, "cases": {case: {"of": variable, "variables":
{...}}}}, answered by a line: for each case, what Ansible's validation refuses, and by its place the value of each
condition, loop, argument and template that depends on the variable. {"role": name, "skipping": {variable: value}} is
answered by the expressions that fail with --skip-tags of each phase.
"""

import copy
import functools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common import validation
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.conditional import Conditional
from ansible.playbook.play import Play
from ansible.plugins.loader import init_plugin_loader
from ansible.plugins.lookup import template as template_lookup
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from jinja2 import Environment

PROJECT = Path(__file__).parents[2]
COLLECTION = "slipway.platform."
# What would query AWS.
REMOTE = ("amazon.aws.ssm_parameter",)
OMITTED = "OMITTED"
# Of ansible-playbook, which makes variables such as ansible_check_mode and ansible_run_tags of them.
COMMAND_LINE = {"check": False, "diff": False, "inventory": ("localhost,",), "skip_tags": (), "tags": ("all",)}
CONVERTERS = {
    "bool": validation.check_type_bool,
    "dict": validation.check_type_dict,
    "float": validation.check_type_float,
    "int": validation.check_type_int,
    "list": validation.check_type_list,
}


class Role:
    """A role of the collection and its tasks, handlers included, in the order of its files."""

    def __init__(self, name: str) -> None:
        self.folder = PROJECT / "roles" / name
        self._loader = DataLoader()
        self._loader.set_basedir(str(PROJECT))
        inventory = InventoryManager(loader=self._loader, sources="localhost,")
        self._variables = VariableManager(loader=self._loader, inventory=inventory)
        self._host = inventory.get_host("localhost")
        self._templar = Templar(loader=self._loader)
        self._tasks = list(self._all_tasks(COLLECTION + name))
        self._texts = [self._text(task) for _, task, _ in self._tasks]

    def _all_tasks(self, name: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Yield (place, task, variables) of each task, once: main.yml imports most files."""
        found: set[str] = set()
        paths = sorted((self.folder / "tasks").glob("*.yml"), key=lambda path: path.stem != "main")
        for path in paths:
            if any(place.startswith(f"{path}:") for place in found):
                continue
            role = {"name": name, "tasks_from": path.stem, "rolespec_validate": False}
            play = self._play(tasks=[{"import_role": role}])
            for task in _flat(play.compile()):
                if task.get_path() not in found:
                    yield path.name, task, self._known(play, task)
                found.add(task.get_path())
        play = self._play(roles=[name])
        for task in _flat(play.roles[0].get_handler_blocks(play)):
            yield "handlers", task, self._known(play, task)

    def _known(self, play: Any, task: Any) -> dict[str, Any]:
        found = self._variables.get_vars(play=play, host=self._host, task=task)
        return {**found, "ansible_search_path": task.get_search_path()}

    @staticmethod
    def _text(task: Any) -> str:
        """Return all that the task says, where the names of what it depends on are looked for."""
        return str([task.dump_attrs(), _source(task)])

    def _play(self, **parts: Any) -> Any:
        play = {"hosts": "localhost", "gather_facts": False, **parts}
        return Play.load(play, variable_manager=self._variables, loader=self._loader)

    def refusals(self, variables: dict[str, Any]) -> list[str]:
        """Return what the validation of the role's arguments refuses, defaults that are templates included."""
        options = _yaml(self.folder / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        known = {**self._tasks[0][2], **variables}
        given = self._with(known).template({name: known[name] for name in options if name in known})
        return list(ArgumentSpecValidator(options).validate(given, validate_role_argument_spec=True).error_messages)

    def _with(self, known: dict[str, Any]) -> Any:
        """Return the templar, which is one for all, since a new one loads each filter again."""
        self._templar.available_variables = known
        return self._templar

    def trace(self, of: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the value of every expression that depends on a variable, by its place."""
        self._dependent = dependent(of)
        check_mode = dependent("ansible_check_mode")
        found: dict[str, Any] = {}
        for number, (place, task, known) in enumerate(self._tasks):
            if not self._depends(self._texts[number]):
                continue
            for check in (False, True) if check_mode.search(self._texts[number]) else (False,):
                # As extra variables, which precede all others.
                inside = {**known, **variables, "ansible_check_mode": check}
                for part, value in self._expressions(task, inside):
                    found[f"{place} {number} {task.get_name()}{' (check mode)' * check}: {part}"] = value
        return found

    def faults_without(self, tag: str, variables: dict[str, Any]) -> list[str]:
        """Return the expressions that fail if the tasks with a tag are skipped, and so register nothing."""
        skipped = [tag in task.tags for _, task, _ in self._tasks]
        lost = {task.register for (_, task, _), is_lost in zip(self._tasks, skipped, strict=True) if is_lost}
        kept = {task.register for (_, task, _), is_lost in zip(self._tasks, skipped, strict=True) if not is_lost}
        state = {name: value for name, value in variables.items() if name not in lost - kept}
        self._dependent = re.compile(
            "|".join(dependent(name).pattern for name in sorted(filter(None, lost - kept))) or "(?!)"
        )
        found = []
        for (place, task, known), is_skipped in zip(self._tasks, skipped, strict=True):
            inside = {**known, **state, "ansible_check_mode": False}
            conditions = [] if is_skipped else [(text, self._condition(text, inside)) for text in task.when or []]
            runs = not is_skipped and all(value is not False for _, value in conditions)
            parts = self._expressions(task, inside) if runs else []
            found += [
                f"{place} {task.get_name()}: {part}: {value}"
                for part, value in [*conditions, *parts]
                if self._depends(task.dump_attrs()) and "FAILS" in json.dumps(value)
            ]
        return found

    def tags(self) -> list[str]:
        """Return the tags of single phases."""
        return sorted({tag for _, task, _ in self._tasks for tag in task.tags} - {self.folder.name, "always"})

    def _expressions(self, task: Any, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        loop = self._value(task.loop, known) if task.loop else [None]
        if self._depends(task.loop):
            yield "loop", loop
        for part in ("environment", "module_defaults", "retries", "delay"):
            if self._depends(getattr(task, part)):
                yield part, self._value(getattr(task, part), known)
        variable = (task.loop_control.loop_var if task.loop_control else None) or "item"
        for number, item in enumerate((loop[:2] or [{}]) if isinstance(loop, list) else []):
            inside = {**known, variable: item} if task.loop else known
            for part in ("when", "until", "changed_when", "failed_when"):
                for text in filter(self._depends, getattr(task, part) or []):
                    yield f"{part} {number} {text}", self._condition(text, inside)
            # A loop over nothing has conditions, but no item for its arguments.
            if loop and self._depends([task.args, _source(task)]):
                yield f"arguments {number}", self._arguments(task, inside)

    def _depends(self, expression: Any) -> bool:
        return bool(expression) and bool(self._dependent.search(str(expression)))

    def _arguments(self, task: Any, known: dict[str, Any]) -> Any:
        arguments = dict(task.args)
        action = task.action.rpartition(".")[2]
        if action == "assert":
            that = arguments.pop("that")
            conditions = that if isinstance(that, list) else [that]
            return [self._condition(text, known) for text in conditions], self._value(arguments, known)
        if action == "template":
            source = _yaml_quoted(arguments["src"])
            lookup = "{{ lookup('ansible.builtin.template', " + source + ", convert_data=false) }}"
            return self._value(arguments, known), self._value(_trusted(lookup), known)
        types = _module_types(task.action)
        # One at a time, so that one that fails does not hide the others; as a dictionary, since omitted ones vanish.
        values = [
            (name, self._value({name: value}, known)) for name, value in arguments.items() if self._depends(value)
        ]
        return {
            name: value if isinstance(value, str) else _converted(value.get(name, OMITTED), types.get(name, ""))
            for name, value in values
        }

    def _value(self, expression: Any, known: dict[str, Any]) -> Any:
        if any(word in str(expression) for word in REMOTE):
            return None
        try:
            return _canonical(self._with(known).template(expression), known)
        except Exception as error:
            return f"FAILS: {error}"

    def _condition(self, expression: Any, known: dict[str, Any]) -> Any:
        if isinstance(expression, bool):
            return expression
        templar = self._with(known)
        try:
            if hasattr(templar, "evaluate_conditional"):
                return bool(templar.evaluate_conditional(expression))
            conditional = Conditional(loader=self._loader)
            conditional.when = [expression]
            return bool(conditional.evaluate_conditional(templar, known))
        except Exception as error:
            return f"FAILS: {error}"


@functools.cache
def definitions() -> dict[str, str]:
    """Return the texts of the roles' variables, and of their templates by the names of these."""
    found = {}
    for path in (PROJECT / "roles").glob("*/*/main.yml"):
        if path.parent.name in ("defaults", "vars"):
            found.update({name: str(value) for name, value in (_yaml(path) or {}).items()})
    found.update({path.name: path.read_text() for path in (PROJECT / "roles").glob("*/templates/*")})
    for path in (PROJECT / "roles").glob("*/tasks/*.yml"):
        for task in _all_dictionaries(_yaml(path)):
            for name, value in (task.get("vars") or {}).items():
                found[name] = found.get(name, "") + str(value)
    return found


def _all_dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _all_dictionaries(item)


@functools.cache
def dependent(variable: str) -> re.Pattern[str]:
    """Return a pattern of the names of all that depends on the variable."""
    names, size = {variable}, 0
    while len(names) > size:
        size = len(names)
        pattern = _any_of(names)
        names |= {name for name, text in definitions().items() if pattern.search(text)}
    return _any_of(names)


def _any_of(names: set[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)")


def _source(task: Any) -> str:
    """Return the name of the template that a task writes."""
    return str(task.args.get("src", "")) if task.action.endswith(".template") else ""


def _flat(tasks: list[Any]) -> Iterator[Any]:
    for task in tasks:
        if isinstance(task, Block):
            yield from _flat([*task.block, *task.rescue, *task.always])
        elif task.action not in ("meta", "ansible.builtin.meta"):
            yield task


@functools.cache
def _module_types(action: str) -> dict[str, str]:
    """Return the types of the parameters of a module of this collection."""
    path = PROJECT / "plugins/modules" / f"{action.removeprefix(COLLECTION)}.py"
    if not action.startswith(COLLECTION) or not path.is_file():
        return {}
    documentation = path.read_text().split('DOCUMENTATION = r"""', 1)[1].split('"""', 1)[0]
    return {name: option.get("type", "str") for name, option in yaml.safe_load(documentation)["options"].items()}


def _converted(value: Any, kind: str) -> Any:
    """Return a module's argument as the module converts it."""
    if kind in CONVERTERS and value is not None and value != OMITTED:
        try:
            return _canonical(CONVERTERS[kind](value), {})
        except TypeError as error:
            return f"FAILS: {error}"
    return value


def _canonical(value: Any, known: dict[str, Any]) -> Any:
    """Return plain data; a number is its text, since a text with a number is the same to a module."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _canonical(item, known) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item, known) for item in value]
    text = str(value)
    return OMITTED if value == known.get("omit") else text


def _trusted(expression: str) -> Any:
    """Mark a template of this program as one, as ansible-core 2.19 requires."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return expression
    return trust_as_template(expression)


@functools.cache
def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def _yaml_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def compiled_once() -> Any:
    """Have Jinja compile each text once: ansible-core does it at each evaluation, which takes most of the time."""
    compile_text = Environment.compile
    known: dict[Any, Any] = {}

    def compiled(self: Environment, source: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(source, str):
            return compile_text(self, source, *arguments, **options)
        kind = (self.variable_start_string, self.trim_blocks, self.lstrip_blocks, self.keep_trailing_newline)
        key = (str(source), kind, arguments, *options.items())
        if key not in known:
            known[key] = compile_text(self, source, *arguments, **options)
        return known[key]

    return mock.patch.object(Environment, "compile", compiled)


def answer(role: Role, case: dict[str, Any]) -> dict[str, Any]:
    refusals = role.refusals(case["variables"])
    return {"refusals": refusals, "trace": {} if refusals else role.trace(case["of"], case["variables"])}


def main() -> None:
    """Answer the requests on stdin."""
    context.CLIARGS = ImmutableDict(COMMAND_LINE)
    init_plugin_loader([])
    # The lookup adds variables to its copy of all variables, which takes longer than the rendering if the copy is deep.
    with compiled_once(), mock.patch.object(template_lookup, "deepcopy", copy.copy):
        for line in sys.stdin:
            request = json.loads(line)
            role = Role(request["role"])
            if "skipping" in request:
                faults = {tag: role.faults_without(tag, request["skipping"]) for tag in role.tags()}
                print(json.dumps(faults), flush=True)
                continue
            answers = {name: answer(role, case) for name, case in request["cases"].items()}
            print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
