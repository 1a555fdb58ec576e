# SPDX-License-Identifier: Apache-2.0
"""The table of faults in docs/reliability.md, as the tests that prove its lines state them.

A test that proves how a fault is survived says so in its docstring, once or several times:

    Fault: the restart fails because a port is taken. Outcome: the previous files are back, and the engine runs.

A docstring may hold other paragraphs. Test files are parsed and not run.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHAPE = re.compile(r"Fault: (?P<fault>.+?)\. Outcome: (?P<outcome>.+?)\.(?=$| Fault: )")
HEAD = """# What happens when

Each line names a fault, what Slipway does about it, and the tests that prove it. The page is generated from the
docstrings of these tests (`make docs-reference`), so a line disappears with its last test.

Tests in `tests/lab` and `molecule` run real dnf, rpm, systemd and dockerd on [stand-in hosts](glossary.md). AWS itself
was never asked: moto or a stand-in for a service answers, and machines under QEMU boot as on EC2.
"""
# Each section, and what the paths of its tests begin with. A path belongs to the longest beginning.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Before anything is changed": (
        "tests/lab/test_refusals.py",
        "tests/lab/test_preflight.py",
        "tests/lab/test_check_mode.py",
        "tests/unit/plugins/module_utils/preflight",
        "tests/unit/plugins/plugin_utils/test_engine_settings.py",
        "tests/unit/plugins/plugin_utils/test_quoting.py",
        "tests/unit/plugins/modules/test_docker_package_repository.py",
        "tests/unit/roles/test_texts.py",
    ),
    "Configuration and restarts": (
        "tests/lab/test_daemon.py",
        "tests/lab/test_budget.py",
        "tests/lab/test_hardened.py",
        "tests/lab/test_profile.py",
        "tests/lab/test_machine_hosts.py",
        "tests/unit/plugins/module_utils/daemon",
        "tests/unit/plugins/module_utils/engine",
        "tests/unit/plugins/module_utils/host/test_files.py",
    ),
    "Packages, keys and versions": (
        "tests/lab/test_packages.py",
        "tests/lab/test_signers.py",
        "tests/lab/test_versions.py",
        "tests/lab/test_upgrade.py",
        "tests/unit/plugins/module_utils/packages",
        "molecule/lifecycle",
        "molecule/migrate",
    ),
    "Interruptions, power cuts and full disks": ("tests/lab/test_faults.py",),
    "Data, housekeeping and removal": (
        "tests/lab/test_storage.py",
        "tests/lab/test_kept_data.py",
        "tests/lab/test_prune.py",
        "tests/lab/test_removal.py",
    ),
    "Proxies and mirrors": (
        "tests/lab/test_proxy.py",
        "tests/lab/test_mirror.py",
        "molecule/airgap",
        "tests/lab/test_registry_cache.py",
        "tests/unit/plugins/module_utils/registry_cache",
        "tests/unit/plugins/module_utils/net",
        "tests/unit/plugins/modules/test_docker_mirror.py",
    ),
    "Access and credentials": (
        "tests/lab/test_access.py",
        "tests/lab/test_firewall.py",
        "tests/lab/test_registry_auth.py",
        "tests/unit/plugins/module_utils/firewall",
        "tests/lab/test_rootless.py",
        "tests/unit/plugins/module_utils/registry",
        "tests/unit/plugins/module_utils/module",
    ),
    "Swarms": (
        "molecule/swarm",
        "tests/lab/test_swarm",
        "tests/unit/plugins/module_utils/swarm",
        "tests/unit/plugins/plugin_utils/test_secret_file.py",
        "tests/unit/plugins/plugin_utils/test_swarm_plan.py",
    ),
    "Container images on hosts": ("tests/lab/test_images_role.py", "tests/unit/plugins/module_utils/images"),
    "Services": ("tests/lab/test_services.py", "tests/unit/plugins/module_utils/services"),
    "Base images": ("tests/unit/images",),
    "Baking and sealing": (
        "tests/lab/test_baking.py",
        "tests/lab/test_machine_image_seal.py",
        "tests/unit/manifest",
        "tests/unit/plugins/module_utils/machine_image",
        "molecule/bake",
    ),
    "Machine images and fleets on AWS": (
        "tests/lab/test_ami_publish.py",
        "tests/lab/test_fleet_hooks.py",
        "tests/lab/test_fleet.py",
        "tests/lab/test_recovery.py",
        "tests/lab/test_instance_sleep.py",
        "tests/unit/plugins/plugin_utils/test_ami",
        "tests/unit/plugins/plugin_utils/test_fleet",
        "tests/unit/roles/test_skipped_phases.py",
    ),
    "Instances that boot": (
        "tests/lab/test_firstboot.py",
        "tests/lab/test_readiness.py",
        "tests/lab/test_machine_boot.py",
        "tests/lab/test_user_data.py",
        "tests/unit/agent",
        "tests/unit/plugins/plugin_utils/test_ecr_names.py",
        "tests/unit/plugins/plugin_utils/test_firstboot",
        "tests/unit/plugins/plugin_utils/test_plain_secrets.py",
        "tests/unit/plugins/plugin_utils/test_user_data",
        "tests/unit/roles/test_template_values.py",
    ),
    "The report": (
        "tests/lab/test_report.py",
        "tests/unit/plugins/action",
        "tests/unit/plugins/plugin_utils/test_report",
        "tests/unit/report",
    ),
    "Metrics": ("tests/lab/test_host_metrics.py", "tests/unit/agent/metrics"),
}


class DocstringError(Exception):
    """A docstring that speaks of a fault and does not have the shape."""


@dataclass(frozen=True)
class Fault:
    """One line of the table, as one test states it."""

    fault: str
    outcome: str
    path: str

    @property
    def section(self) -> str:
        """The section of the page that lists the fault."""
        known = ((beginning, title) for title, beginnings in SECTIONS.items() for beginning in beginnings)
        matching = [pair for pair in known if self.path.startswith(pair[0])]
        if matching:
            return max(matching, key=lambda pair: len(pair[0]))[1]
        raise DocstringError(
            f"{self.path} proves a fault, and no section of slipway.docs.reliability lists it: add it."
        )


def stated(docstring: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield faults and outcomes of a docstring; place is for the error."""
    for paragraph in docstring.split("\n\n"):
        text = " ".join(paragraph.split())
        found = SHAPE.findall(text)
        if len(found) != text.count("Fault:") or len(found) != text.count("Outcome:"):
            raise DocstringError(f'{place}: write "Fault: <fault>. Outcome: <outcome>." in one paragraph.')
        yield from found


def collect(project: Path) -> list[Fault]:
    """Return the faults that the tests of a project state, in the order of files and lines."""
    paths = [*project.glob("tests/**/test_*.py"), *project.glob("molecule/**/test_*.py")]
    faults: list[Fault] = []
    for path in sorted(paths):
        name = path.relative_to(project).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                place = f"{name}:{node.lineno}"
                faults += [Fault(*pair, name) for pair in stated(ast.get_docstring(node) or "", place)]
    return faults


def render(faults: list[Fault]) -> str:
    """Return the page. A fault that several tests state in the same words has one line."""
    page = [HEAD]
    sections = [fault.section for fault in faults]
    for title in SECTIONS:
        if title not in sections:
            continue
        lines: dict[tuple[str, str], dict[str, None]] = {}
        for fault in faults:
            if fault.section == title:
                lines.setdefault((fault.fault, fault.outcome), {})[fault.path] = None
        page += [f"\n## {title}\n", "| Fault | Outcome | Proven by |", "| --- | --- | --- |"]
        page += [
            f"| {_capitalized(fault)} | {_capitalized(outcome)} | {', '.join(map(_proof, paths))} |"
            for (fault, outcome), paths in lines.items()
        ]
    return "\n".join(page) + "\n"


def _proof(path: str) -> str:
    if path.startswith("molecule/"):
        return f"scenario `{path.split('/')[1]}`"
    return f"`{path.removeprefix('tests/').removeprefix('unit/plugins/')}`"


def _capitalized(text: str) -> str:
    """Begin with a capital letter, unless the first word is a name such as daemon.json or docker_engine_version."""
    first = re.match(r"\w+(?=[\s,;:]|'s\b|-|$)", text)
    named = not first or "_" in first.group()
    return (text if named else text[0].upper() + text[1:]).replace("|", "\\|")
