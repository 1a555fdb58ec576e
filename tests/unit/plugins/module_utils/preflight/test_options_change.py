# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.preflight import options_change


def container(name: str, mounts: list[dict[str, Any]] | None = None, **config: Any) -> dict[str, Any]:
    """What the engine says about a container, as far as it is asked."""
    return {"Name": f"/{name}", "HostConfig": {"NetworkMode": "bridge", **config}, "Mounts": mounts or []}


def bind(source: object, *, writable: bool = True, mode: str = "") -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "RW": writable, "Mode": mode}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"Privileged": True}, "privileged"),
        ({"NetworkMode": "host"}, "network of the host"),
        ({"PidMode": "host"}, "processes of the host"),
        ({"Privileged": True, "PidMode": "host"}, "privileged, processes of the host"),
    ],
)
def test_a_container_that_needs_the_ids_of_the_host_is_named_with_its_reasons(
    config: dict[str, Any], reason: str
) -> None:
    """Fault: `userns-remap` beside a container that is privileged, or uses a namespace of the host. Outcome: it is
    named with the reason, unless it has `--userns=host` already.
    """
    assert options_change.needing_host_ids([container("web", **config), container("db")]) == [f"web ({reason})"]
    assert options_change.needing_host_ids([container("web", UsernsMode="host", **config)]) == []


def test_a_mount_of_root_s_is_named_if_the_container_writes_to_it(tmp_path: Path) -> None:
    """Fault: `userns-remap` beside a container that writes to a directory of root's. Outcome: it is named with it."""
    for mount in (bind("/etc", writable=False), bind("/tmp"), bind(tmp_path / "gone"), {"Type": "volume"}):
        assert options_change.needing_host_ids([container("web", [mount])]) == []
    assert options_change.needing_host_ids([container("web", [bind("/etc")])]) == ["web (writes to root's /etc)"]


def test_a_new_option_is_announced_only_where_a_container_notices(tmp_path: Path) -> None:
    lonely = [container("web"), container("db", NetworkMode="shop")]
    assert options_change.warnings(lonely[:1], {"icc"})[0].startswith("icc and userland-proxy take effect when")
    assert "cannot reach each other" not in " ".join(options_change.warnings(lonely, {"icc"}))
    both = [container("web"), container("db", NetworkMode="default")]
    assert options_change.warnings(both, {"icc", "userns-remap"}) == [
        "With icc: false, web, db, which share the default network, cannot reach each other: give them a network of "
        "their own (docker network create)"
    ]
    safe = container("web", SecurityOpt=["no-new-privileges=true"])
    assert options_change.warnings([safe], {"no-new-privileges"}) == []
    assert "db cannot use programs such as sudo" in options_change.warnings([safe, both[1]], {"no-new-privileges"})[0]
    labelled, plain = container("web", [bind("/srv", mode="ro,z")]), container("db", [bind("/srv")])
    assert options_change.warnings([labelled], {"selinux-enabled"}) == []
    assert "db cannot use the directories" in options_change.warnings([labelled, plain], {"selinux-enabled"})[0]


def test_many_containers_are_counted() -> None:
    assert options_change.listed([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
