# SPDX-License-Identifier: Apache-2.0
"""The claims of tests/images hold for images that keep the rules, and find each rule that is broken."""

import re
from collections import defaultdict
from dataclasses import replace

import pytest

from slipway.images.build import State, build
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Healthcheck, Image, User
from slipway.images.supply import Supply
from slipway.images.verify import verify
from slipway.lab.engine import Engine
from tests.support.tiny_images import build_containers, dockerfile, matrix, tiny

SOURCE = {"org.opencontainers.image.source": "https://example.com"}
NOTHING_TO_ASK = tiny("test-command", user=User("app", 10001), labels=SOURCE)
SOUND = (
    "RUN mkdir -p -m 755 /etc && echo app:x:10001:10001::/:/bin/sh > /etc/passwd && mkdir -p -m 1777 /tmp",
    "RUN printf '#!/bin/sh\\necho UTF-8\\n' > /bin/locale && chmod 755 /bin/locale",  # busybox has none
    "LABEL org.opencontainers.image.source=https://example.com",
    "USER 10001:10001",
)
SERVES = (
    """CMD ["sh", "-c", "trap 'exit 0' TERM; touch /tmp/started; while :; do sleep 1 & wait; done"]""",
    "HEALTHCHECK --retries=2 CMD test -e /tmp/started",
)
STUBBORN = """CMD ["sh", "-c", "trap '' TERM; touch /tmp/started; while :; do sleep 1; done"]"""


def as_root(command: str) -> tuple[str, ...]:
    return ("USER 0:0", f"RUN {command}", "USER 10001:10001")


SERVICES = {"test-service": SERVES, "test-sick": (*SERVES, "HEALTHCHECK --retries=2 CMD false")}
SERVICES["test-stubborn-service"] = (*SERVES, STUBBORN)
COMMANDS: dict[str, tuple[str, ...]] = {
    "test-command": (),
    "test-crash": ('CMD ["false"]',),
    "test-stubborn": (STUBBORN,),
    "test-root": ("USER 0:0",),
    "test-setuid": as_root("touch /lent && chmod 4755 /lent"),
    "test-setgid": as_root("touch /lent && chmod 2755 /lent"),
    "test-writable-file": as_root("touch /open && chmod 666 /open"),
    "test-writable-folder": as_root("mkdir /open && chmod 777 /open"),
    "test-cache": as_root("mkdir -p /var/cache/dnf && touch /var/cache/dnf/packages"),
    "test-no-locale": as_root("rm /bin/locale"),
    "test-fat": as_root("dd if=/dev/zero of=/fat bs=1M count=2"),
    "test-no-source": ("LABEL org.opencontainers.image.source=",),
    "test-no-tool": (),
}
LENT = {"test_no_file_is_setuid_unless_the_matrix_lists_it"}
OPEN = {"test_nothing_but_sticky_folders_is_world_writable"}
SERVED = {"test_a_service_becomes_healthy_and_stops_on_its_stop_signal"}
ENDED = {"test_a_command_succeeds_or_stops_on_its_stop_signal"}
BROKEN = {
    "test-sick": SERVED,
    "test-stubborn-service": SERVED,
    "test-crash": ENDED,
    "test-stubborn": ENDED,
    "test-root": {"test_it_runs_as_the_user_of_the_matrix", "test_it_is_not_root_without_a_reason"},
    "test-setuid": LENT,
    "test-setgid": LENT,
    "test-writable-file": OPEN,
    "test-writable-folder": OPEN,
    "test-cache": {"test_package_caches_are_empty"},
    "test-no-locale": {"test_its_locale_is_utf_8"},
    "test-fat": {"test_it_stays_within_its_size_budget"},
    "test-no-source": {"test_its_labels_state_its_source"},
    "test-no-tool": {"test_its_tool_has_the_version_of_the_image"},
}


def images() -> dict[str, Image]:
    asked = Healthcheck(("test", "-e", "/tmp/started"))
    services = [replace(NOTHING_TO_ASK, name=name, repository=name, healthcheck=asked) for name in SERVICES]
    commands = [replace(NOTHING_TO_ASK, name=name, repository=name) for name in COMMANDS if name != "test-no-tool"]
    # The claim goes by the repository's name.
    no_tool = replace(NOTHING_TO_ASK, name="test-no-tool", repository="node", tags=("test",), moving_tags=())
    return matrix(*services, *commands, no_tool)


@pytest.mark.slow
def test_each_broken_rule_is_found_and_nothing_else(carrier: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    instructions = {**SERVICES, **COMMANDS}
    workshop = BuildEnvironment(
        images(),
        carrier,
        Supply("what the lab carries", network="none"),
        lambda image: dockerfile(*SOUND, *instructions[image.name]),
        lambda _: None,
    )
    assert {outcome.state for outcome in build(workshop)} == {State.BUILT}
    containers = build_containers(carrier.client)
    with pytest.raises(ImageError, match="Some claims failed"):
        verify(workshop, allow_unpinned=True)
    found = defaultdict(set)
    for claim, name in re.findall(r"^FAILED \S+::(\w+)\[([\w-]+)\]", capfd.readouterr().out, re.MULTILINE):
        found[name].add(claim)
    assert found == BROKEN
    assert build_containers(carrier.client) == containers
    verify(workshop, ["test-command", "test-service"], allow_unpinned=True)
