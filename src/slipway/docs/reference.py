# SPDX-License-Identifier: Apache-2.0
"""The reference of roles, modules and other plugins, made by antsibull-docs of argument_specs and documentation.

The committed pages, docs/reference, are antsibull-docs' simplified form, which code hosts render. Each begins with a
digest of what it was made of and of itself, so that a stale or edited page is found without making it again.
"""

import ast
import functools
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PAGES = Path("docs/reference")
KINDS = {"role": "Roles", "module": "Modules", "lookup": "Lookups", "filter": "Filters", "callback": "Callbacks"}
REMEDY = "run make docs-reference or make docs, which install what they need"
# Every page says where the collection is and how to install it. It is not on Galaxy, as antsibull-docs assumes.
SETTINGS = """\
collection_url = {{
    * = {repository}
}}
collection_install = {{
    * = ansible-galaxy collection install git+{repository}.git
}}
"""
FIRST_LINE = re.compile(r"\A\.\. Made by `make docs-reference`, do not edit: (?P<digest>[0-9a-f]{16})\n")


class ToolError(Exception):
    """A program that makes pages is missing or has failed."""


@dataclass(frozen=True)
class Entry:
    """A role or plugin of the collection."""

    name: str
    kind: str
    sources: tuple[Path, ...]
    summary: str

    @property
    def page(self) -> str:
        """The file's name, which antsibull-docs chooses."""
        return f"{self.name}_{self.kind}.rst"


@functools.cache
def _yaml(text: str) -> Any:
    """Parse a YAML text once; callers must not change the result."""
    return yaml.load(text, yaml.CSafeLoader)


def entries(project: Path) -> Iterator[Entry]:
    """Yield what has a page, kind by kind and in the order of names."""
    for specs in sorted(project.glob("roles/*/meta/argument_specs.yml")):
        role = specs.parents[1]
        content = _yaml(specs.read_text())["argument_specs"]["main"]
        yield Entry(role.name, "role", (specs, role / "defaults/main.yml"), content["short_description"])
    fragments = tuple(sorted(project.glob("plugins/doc_fragments/*.py")))
    for kind in KINDS:
        folder = "modules" if kind == "module" else kind
        for path in sorted(project.glob(f"plugins/{folder}/*.py")):
            content = _yaml(documentation(path).get("DOCUMENTATION", "{}"))
            if content:
                yield Entry(path.stem, kind, (path, *fragments), content["short_description"])


def documentation(path: Path) -> dict[str, str]:
    """Return the texts of a Python file that document it, whatever else it holds; a fragment has names of its own."""
    texts = {
        ast.unparse(node.targets[0]): node.value.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]).isupper()
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    if path.parent.name == "doc_fragments":
        return texts
    return {name: text for name, text in texts.items() if name in ("DOCUMENTATION", "EXAMPLES", "RETURN")}


def digest(entry: Entry, body: str) -> str:
    """Return the digest of a page's text and of what it was made of."""
    parts = [body]
    for path in entry.sources:
        parts += [repr(documentation(path) if path.suffix == ".py" else _yaml(path.read_text()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def stale(project: Path) -> list[str]:
    """Return the pages that are missing, were edited, or are not made of what the collection says today."""
    wanted = {entry.page: entry for entry in entries(project)}
    there = {path.name: path.read_text() for path in (project / PAGES).glob("*.rst")}
    found = [name for name in there if name not in wanted]
    for name, entry in wanted.items():
        first, _, body = there.get(name, "").partition("\n")
        stated = FIRST_LINE.match(first + "\n")
        if stated is None or stated["digest"] != digest(entry, body):
            found.append(name)
    return sorted(found)


def write(project: Path) -> None:
    """Make the committed pages again, and remove those of what is gone. Raises ToolError before a page changes."""
    with tempfile.TemporaryDirectory() as made:
        run_antsibull(project, Path(made), "simplified-rst")
        for path in (project / PAGES).glob("*.rst"):
            path.unlink()
        for entry in entries(project):
            body = (Path(made) / entry.page).read_text()
            line = f".. Made by `make docs-reference`, do not edit: {digest(entry, body)}\n"
            (project / PAGES / entry.page).write_text(line + body)


def index(project: Path) -> str:
    """Return the page that lists all others."""
    text = [
        "# Reference",
        "",
        "Made by `make docs-reference` of argument_specs and documentation. `ansible-doc` shows the same:",
        "",
        "```console",
        "$ ansible-doc --type role slipway.platform.docker_engine",
        "$ ansible-doc --type module slipway.platform.docker_daemon",
        "```",
    ]
    for kind, title in KINDS.items():
        listed = [entry for entry in entries(project) if entry.kind == kind]
        text += ["", f"## {title}", "", "| Name | What it does |", "| --- | --- |"]
        text += [f"| [{entry.name}]({entry.page}) | {_markdown(entry.summary)} |" for entry in listed]
        text += ["", "```{toctree}", ":hidden:", f":caption: {title}", ""]
        text += [f"{entry.name} <{entry.page.removesuffix('.rst')}>" for entry in listed] + ["```"]
    return "\n".join(text) + "\n"


def run_antsibull(project: Path, target: Path, form: str) -> None:
    """Have antsibull-docs write pages in one of its forms. Raises ToolError."""
    with tempfile.TemporaryDirectory() as folder:
        _stage(project, Path(folder) / "ansible_collections/slipway/platform")
        settings = Path(folder) / "antsibull.cfg"
        settings.write_text(SETTINGS.format(repository=_yaml((project / "galaxy.yml").read_text())["repository"]))
        command = [
            "antsibull-docs",
            f"--config-file={settings}",
            "collection",
            "--use-current",
            "--squash-hierarchy",
            "--no-indexes",
            "--fail-on-error",
        ]
        options = ["--no-add-antsibull-docs-version", "--output-format", form, "--dest-dir", str(target)]
        (Path(folder) / "ansible.cfg").touch()
        environment = os.environ | {"ANSIBLE_COLLECTIONS_PATH": folder, "ANSIBLE_CONFIG": f"{folder}/ansible.cfg"}
        run_tool([*command, *options, "slipway.platform"], environment)


def run_tool(command: list[str], environment: Mapping[str, str] = os.environ) -> None:
    """Run a program, whose output goes to the terminal. Raises ToolError."""
    try:
        subprocess.run(command, check=True, env=environment)
    except FileNotFoundError as error:
        raise ToolError(f"{command[0]} is not installed: {REMEDY}") from error
    except subprocess.CalledProcessError as error:
        raise ToolError(f"{command[0]} failed with exit status {error.returncode}: see its output above") from error


def _stage(project: Path, collection: Path) -> None:
    """Lay out the collection by links, and have its argument_specs name templated defaults in words.

    antsibull-docs takes a default for a literal, and refuses a template where a dictionary or a boolean is meant.
    """
    collection.mkdir(parents=True)
    for name in ("LICENSE", "README.md", "changelogs", "galaxy.yml", "meta", "plugins"):
        (collection / name).symlink_to(project / name)
    for specs in project.glob("roles/*/meta/argument_specs.yml"):
        role = collection / "roles" / specs.parents[1].name
        (role / "meta").mkdir(parents=True)
        for path in specs.parents[1].iterdir():
            if path.name != "meta":
                (role / path.name).symlink_to(path)
        content = yaml.safe_load(specs.read_text())  # not the cached copy, since it is changed below
        for point in content["argument_specs"].values():
            for option in point.get("options", {}).values():
                _tell_default(option)
        (role / "meta/argument_specs.yml").write_text(yaml.safe_dump(content, sort_keys=False))


def _tell_default(option: dict[str, Any]) -> None:
    default = option.get("default")
    if option["type"] not in ("str", "path", "raw") and isinstance(default, str) and "{{" in default:
        told = option["description"]
        option["description"] = [
            *([told] if isinstance(told, str) else told),
            f"The default is C({option.pop('default')}).",
        ]


def _markdown(text: str) -> str:
    return re.sub(r"\b[CV]\((.+?)\)", r"`\1`", text)
