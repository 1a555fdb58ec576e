# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What is chosen for the one transaction, as rpm and dnf answer."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import exclusions
from ansible_collections.slipway.platform.plugins.module_utils.packages.rpm import Package
from ansible_collections.slipway.platform.plugins.module_utils.preflight import install, kernels

REPOSITORY = """\
docker-ce	3	28.5.2	1.el10
docker-ce	3	29.7.2	1.el10
containerd.io	0	1.7.28	1.el10
containerd.io	0	2.1.5	1.el10
containerd.io	0	2.2.1	1.el10
"""
REQUIRES = "/usr/sbin/groupadd\ncontainerd.io >= 2.1.5\ndocker-ce-cli\n"
EXTRA = "kernel-modules-extra\t0\t6.12.0\t55.el10\n"


class Module:
    """A module whose dnf answers by the first words of the table that are in its command."""

    def __init__(self, answers: dict[str, str], **params: Any) -> None:
        defaults: dict[str, Any] = {
            "package": "docker-ce",
            "version": "",
            "containerd_version": "",
            "plugins": [],
            "baseurl": "",
            "repo_id": "docker-ce-stable",
            "proxy": None,
            "baking": False,
        }
        self.params = {**defaults, **params}
        self.answers = answers
        self.commands: list[str] = []
        self.warnings: list[str] = []
        self.tmpdir = tempfile.gettempdir()

    def get_bin_path(self, name: str, required: bool = False) -> str:
        return f"/usr/bin/{name}"

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        self.commands.append(" ".join(command))
        for words, answer in self.answers.items():
            if words in self.commands[-1]:
                return 0, answer, ""
        return 1, "", "no such repository"

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def on_host(*packages: Package) -> dict[str, Package]:
    return {package.name: package for package in packages}


ENGINE = Package("docker-ce", "3", "29.7.2", "1.el10")


NEWER = {"firewall-backend": "nftables"}


def test_the_engine_of_a_fresh_host_is_the_newest_of_the_repository() -> None:
    """Fault: an option of a newer engine than the repository's newest, on a fresh host. Outcome: refused before any
    package is installed.
    """
    module = Module({"repoquery": REPOSITORY})
    assert install.engine_to_be(module, {}, [], NEWER).version == "29.7.2"
    module.params["containerd_version"] = "2.1"
    assert install.engine_to_be(module, {}, [], {}).version == "29.7.2"
    assert install.engine_to_be(Module({}), {}, [], NEWER) is None, "the repository is reported when it is written"


def test_a_repository_that_cannot_be_reached_is_left_to_the_check_of_its_address(tmp_path: Path) -> None:
    module = Module({"repoquery": REPOSITORY}, baseurl=f"file://{tmp_path}/nowhere")
    assert install.engine_to_be(module, {}, [], NEWER) is None
    assert module.commands == [], "dnf would wait for minutes where a firewall drops packets"


def test_the_repository_is_asked_only_if_its_answer_matters() -> None:
    module = Module({})
    assert install.engine_to_be(module, on_host(ENGINE), [], NEWER) is ENGINE
    assert install.engine_to_be(module, {}, [], {"live-restore": True, "log-driver": "json-file"}) is None
    assert module.commands == []
    assert install.engine_to_be(Module({}, version="99.9"), on_host(ENGINE), [], NEWER) is None, "a pin without a match"


def containerd(pin: str, installed: dict[str, Package], problems: list[str], module: Module | None = None) -> Any:
    module = module or Module({"--requires": REQUIRES, "repoquery": REPOSITORY})
    module.params["containerd_version"] = pin
    return install.choose_containerd(module, installed, ENGINE, problems)


@pytest.mark.parametrize(("pin", "version"), [("2.1", "2.1.5"), ("2.2.1", "2.2.1")])
def test_a_pinned_containerd_is_an_exact_build_of_the_transaction(pin: str, version: str) -> None:
    problems: list[str] = []
    build = containerd(pin, {}, problems)
    assert (build.version, problems) == (version, [])
    params = {"package": "docker-ce", "version": "", "plugins": ["compose"]}
    assert install.choose_packages(params, [], build) == [
        f"containerd.io-{version}-1.el10",
        "docker-ce",
        "docker-ce-cli",
        "docker-compose-plugin",
    ]


def test_a_containerd_that_satisfies_its_pin_asks_no_repository() -> None:
    held = Package("containerd.io", "0", "2.1.5", "1.el10")
    module = Module({})
    installed = on_host(ENGINE, held, Package("docker-ce-cli", "1", "29.7.2", "1.el10"))
    assert containerd("2.1", installed, [], module) is held
    assert module.commands == []
    assert install.packages_present(module.params, installed, held)
    assert not install.packages_present(module.params, installed, Package("containerd.io", "0", "2.2.1", "1.el10"))


def test_a_containerd_that_the_engine_refuses_is_named_with_the_least_version() -> None:
    """Fault: a pinned containerd that the engine's package does not accept. Outcome: refused, with the least version;
    nothing changes.
    """
    problems: list[str] = []
    containerd("1.7", {}, problems)
    assert problems == [
        "docker-ce 29.7.2 requires containerd.io 2.1.5 or later, and docker_engine_containerd_version holds 1.7.28: "
        "raise it, or leave it empty"
    ]


def test_a_containerd_that_no_repository_has_is_refused_with_those_that_it_has() -> None:
    problems: list[str] = []
    assert containerd("3.0", {}, problems) is None
    (sentence,) = problems
    assert "it has 1.7.28, 2.1.5, 2.2.1. Set docker_engine_containerd_version to one of them." in sentence
    problems = []
    assert containerd("v2", {}, problems) is None
    assert "docker_engine_containerd_version 'v2' is not a valid version: write 2.1 or 2.1.5" in problems[0]


LACKS = [
    kernels.Lack("6.12.0-55.el10.x86_64", "kernel-modules-extra-6.12.0-55.el10", decisive=True),
    kernels.Lack("6.12.0-124.el10.x86_64", "kernel-modules-extra-6.12.0-124.el10", decisive=False),
]


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "lacking", lambda running, baking: LACKS)


@pytest.mark.usefixtures("lacking")
def test_a_module_comes_in_the_transaction_and_a_later_boot_s_is_a_warning() -> None:
    module, problems = Module({"repoquery": EXTRA}), []  # type: ignore[var-annotated]
    assert install.kernel_packages(module, {}, problems) == ["kernel-modules-extra-6.12.0-55.el10"]
    assert problems == []
    (sentence,) = module.warnings
    assert "6.12.0-124" in sentence


@pytest.mark.usefixtures("lacking")
def test_a_module_of_the_kernel_that_runs_the_engine_is_a_problem_where_it_is_impossible() -> None:
    """Fault: a kernel without xt_addrtype, and no repository with its kernel-modules-extra. Outcome: refused, with the
    remedies; nothing changes.
    """
    problems: list[str] = []
    assert install.kernel_packages(Module({}), {}, problems) == []
    (sentence,) = problems
    assert "no enabled repository has kernel-modules-extra-6.12.0-55.el10" in sentence


@pytest.mark.usefixtures("lacking")
def test_an_exclude_of_kernels_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: `exclude=kernel*` in dnf.conf hides the package with the module, and newer kernels. Outcome: named."""
    config = tmp_path / "dnf.conf"
    config.write_text("[main]\nexclude=kernel*\n")
    monkeypatch.setattr(exclusions, "DNF_CONFIG", str(config))
    problems: list[str] = []
    install.kernel_packages(Module({}), {}, problems)
    (sentence,) = problems
    assert f"exclude=kernel* in {config} hides kernel-modules-extra: remove the entry" in sentence


@pytest.mark.usefixtures("lacking")
@pytest.mark.parametrize("options", [{"iptables": False}, {"firewall-backend": "nftables"}])
def test_an_engine_that_does_not_use_iptables_needs_no_module(options: dict[str, Any]) -> None:
    module, problems = Module({}), []  # type: ignore[var-annotated]
    assert install.kernel_packages(module, options, problems) == []
    assert (problems, module.commands) == ([], [])


@pytest.mark.parametrize(
    ("dnf", "importable", "installed", "needed"),
    [
        ("/usr/bin/dnf5", False, False, True),
        ("/usr/bin/dnf5", True, False, False),
        ("/usr/bin/dnf5", False, True, False),
        ("/usr/bin/dnf-3", False, False, False),
    ],
)
def test_dnf5_s_bindings_come_along_where_ansible_core_would_miss_them(
    monkeypatch: pytest.MonkeyPatch, dnf: str, importable: bool, installed: bool, needed: bool
) -> None:
    """Fault: a minimal Fedora without python3-libdnf5, which ansible-core 2.16 to 2.18 does not bring. Outcome: it is
    installed with the engine.
    """
    monkeypatch.setattr("os.path.realpath", lambda path: dnf)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if importable else None)
    packages = on_host(Package("python3-libdnf5", "0", "5.2.6", "1.fc43")) if installed else {}
    assert install.dnf_bindings(Module({}), packages) == (["python3-libdnf5"] if needed else [])
