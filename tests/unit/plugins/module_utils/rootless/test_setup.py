# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decisions about engines of users, with a stand-in for the engine; tests/lab/test_rootless.py has real ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.rootless import record, setup, subids
from ansible_collections.slipway.platform.plugins.module_utils.rootless.engine import StartError
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError


class Failure(Exception):
    pass


class Module:
    check_mode = False
    params: dict[str, Any] = {"start_timeout": 1, "users": [], "port_start": 80, "ping": False}  # noqa: RUF012

    def __init__(self, status: int = 0) -> None:
        self.status = status

    def run_command(self, command: list[str], check_rc: bool = False) -> tuple[int, str, str]:
        return self.status, "", "permission denied\n"

    def fail_json(self, msg: str, **_: Any) -> None:
        raise Failure(msg)


class Engine:
    """An engine whose files and data roots are what the test says."""

    default_root = "/home/bob/.local/share/docker"
    unit = "unit"

    def __init__(self, managed: bool, active: bool, held: tuple[str, ...]) -> None:
        self.managed, self.active, self.held = managed, active, set(held)
        self.written: list[tuple[str, str | None, int]] = []

    def is_managed(self) -> bool:
        return self.managed

    def state(self) -> dict[str, str]:
        return {"ActiveState": "active" if self.active else "inactive"}

    def data_root(self) -> str:
        return "/data/bob" if self.managed else self.default_root

    def has_directory(self, path: str) -> bool:
        return path in self.held or path == "/mnt"

    def holds_data(self, root: str) -> bool:
        return root in self.held

    def purge(self, root: str) -> None:
        self.held.remove(root)

    def read(self, path: str) -> str:
        return "old " + path

    def mode_of(self, path: str, otherwise: int) -> int:
        return 0o600

    def put(self, path: str, text: str | None, mode: int = 0o644) -> None:
        self.written.append((path, text, mode))

    def wait_for_manager(self) -> None:
        pass

    def stop(self) -> None:
        self.active = False

    def start(self, verb: str, seconds: int) -> None:
        if self.written[-1][1] == "new":
            raise StartError("broken")


def plan_of(engine: Engine, known: dict[str, Any], purge: bool = False) -> Any:
    return SimpleNamespace(
        name="bob",
        engine=engine,
        record={**record.EMPTY, **known},
        entry={"purge_data": purge},
        options={},
        subids=None,
        changes=[("daemon.json", "new", 0o644)],
        restarted=False,
    )


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(record, "save", kept.__setitem__)
    monkeypatch.setattr(record, "load", lambda name: kept[name])
    monkeypatch.setattr(record, "forget", lambda name: kept.pop(name, None))
    monkeypatch.setattr(setup, "drop_subids", lambda items: kept.__setitem__("dropped", items))
    return kept


def test_kept_data_of_another_root_can_be_purged_later(
    records: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """daemon.json, which names the root, goes with the engine."""
    monkeypatch.setattr(setup, "dismantle", lambda module, engine, known: setattr(engine, "managed", False))
    engine = Engine(managed=True, active=True, held=("/data/bob",))
    module = Module()
    setup.take_down(module, setup.Result(module, []), plan_of(engine, {"subids": [100000, 65536]}))
    assert records["bob"]["data_root"] == "/data/bob"
    assert "dropped" not in records
    result = setup.Result(module, [])
    setup.take_down(module, result, plan_of(engine, records["bob"], purge=True))
    assert engine.held == set()
    assert [entry["before_header"] for entry in result.diff] == ["/data/bob"]
    assert records == {"dropped": [subids.Range("bob", 100000, 65536)]}


def test_numbers_stay_when_the_disk_of_the_data_is_not_mounted(
    records: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "dismantle", lambda module, engine, known: None)
    plan = plan_of(Engine(managed=True, active=False, held=()), {"subids": [100000, 65536], "data_root": "/mnt"})
    setup.take_down(Module(), setup.Result(Module(), []), plan)
    assert records == {"bob": {**record.EMPTY, "subids": [100000, 65536], "data_root": "/mnt"}}


def test_data_of_an_engine_that_the_user_runs_are_not_purged_under_it() -> None:
    own = Engine(managed=False, active=True, held=(Engine.default_root,))
    with pytest.raises(RootlessError, match="bob runs an engine that this role did not set up"):
        setup.refuse_to_purge_what_runs(plan_of(own, {}, purge=True))
    setup.refuse_to_purge_what_runs(plan_of(own, {}))
    setup.refuse_to_purge_what_runs(plan_of(own, {"linger": True}, purge=True))
    own.stop()
    setup.refuse_to_purge_what_runs(plan_of(own, {}, purge=True))


def test_previous_files_come_back_with_their_modes(records: dict[str, Any]) -> None:
    """The old daemon.json may hold a secret, and the new one none."""
    engine = Engine(managed=True, active=True, held=())
    with pytest.raises(Failure, match="It runs with the previous files again"):
        setup.apply(Module(), plan_of(engine, {}), lingers=True, running=True, starts=True)
    assert engine.written == [("daemon.json", "new", 0o644), ("daemon.json", "old daemon.json", 0o600)]
    assert records["bob"]["pending"] is False
    assert records["bob"]["data_root"] == Engine.default_root


@pytest.mark.parametrize("before", [None, "old\n"])
def test_settings_that_the_kernel_refuses_are_not_taken_for_done_by_the_next_run(
    tmp_path: Path, before: str | None
) -> None:
    path = tmp_path / "60.conf"
    path.write_text("new\n")
    with pytest.raises(Failure, match=r"sysctl --load .* fails \(permission denied\), so .* is as it was"):
        setup.load_settings(Module(status=1), ["sysctl", "--load", str(path)], str(path), before)
    assert files.read_text(str(path)) == before


def test_a_range_is_recorded_before_it_is_added_and_forgotten_with_it(
    records: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends early would leave numbers that the removal of the engine does not take back."""
    known: list[Any] = []
    monkeypatch.setattr(subids, "read", lambda: {"/etc/subuid": None})
    monkeypatch.setattr(subids, "rewrite", lambda changed: known.append(records["bob"]["subids"]))
    plan = plan_of(Engine(managed=False, active=False, held=()), {})
    plan.subids = subids.Range("bob", 100000, 65536)
    setup.add_subids([plan])
    assert known == [[100000, 65536]]
    setup.take_back_subids([plan])
    assert records == {"dropped": [plan.subids]}
    plan.record["linger"] = True
    setup.add_subids([plan])
    setup.take_back_subids([plan])
    assert records["bob"] == {**record.EMPTY, "linger": True}
