# SPDX-License-Identifier: Apache-2.0
"""Builds of tiny images on the lab's engine: their order, what is left alone, and what a failure leaves."""

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound

from slipway.images import context
from slipway.images.build import Outcome, State, build, raise_failures
from slipway.images.build_environment import BuildEnvironment
from slipway.images.content_key import LABEL
from slipway.images.errors import ImageError
from slipway.images.escape import exec_form, quoted
from slipway.images.image import Context, Image
from slipway.images.supply import Supply
from slipway.lab.engine import Engine
from slipway.lab.paths import PROJECT
from tests.support.containers import output_of
from tests.support.nasty_values import NASTY
from tests.support.tiny_images import HELLO, build_containers, dockerfile, matrix, tiny

SUPPLY = Supply("what the lab carries", {HELLO: HELLO}, network="none")
BASE, APP, OTHER = tiny("test-base"), tiny("test-app", "test-base"), tiny("test-other")


class Bench:
    """A workshop whose Dockerfiles a test may change, and what it was told."""

    def __init__(self, carrier: Engine, *images: Image, supply: Supply = SUPPLY) -> None:
        self.client = carrier.client
        self.dockerfiles = {image.name: dockerfile(f"LABEL name={image.name}") for image in images}
        self.said: list[str] = []
        self.workshop = BuildEnvironment(
            matrix(*images), carrier, supply, lambda image: self.dockerfiles[image.name], self.said.append
        )

    def build(self, *names: str, force: bool = False) -> dict[str, Outcome]:
        self.said.clear()
        return {outcome.image.name: outcome for outcome in build(self.workshop, names, force=force)}

    def id(self, image: Image) -> str:
        return str(self.client.images.get(image.local_tags[-1]).id)

    def inspect(self, image: Image) -> Any:
        return self.client.images.get(image.local_tags[0]).attrs

    def run(self, image: Image, *command: str) -> str:
        return output_of(self.client, image.local_tags[0], list(command), network_mode="none")


def states(outcomes: Mapping[str, Outcome]) -> dict[str, State]:
    return {name: outcome.state for name, outcome in outcomes.items()}


def test_a_base_is_built_before_what_stands_on_it_and_is_in_it(carrier: Engine) -> None:
    bench = Bench(carrier, APP, BASE)
    bench.dockerfiles["test-base"] = dockerfile("RUN echo of the base > /here")
    assert list(states(bench.build())) == ["test-base", "test-app"]
    assert bench.run(APP, "cat", "/here") == "of the base"
    first_of_app = next(number for number, line in enumerate(bench.said) if line.startswith("test-app:"))
    assert all(line.startswith("test-base:") for line in bench.said[:first_of_app])
    assert any(re.fullmatch(r"test-base: 3/\d+ RUN echo of the base > /here", line) for line in bench.said)


def test_an_image_has_all_its_names_when_it_is_built(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    bench.build()
    assert set(bench.inspect(BASE)["RepoTags"]) == set(BASE.local_tags)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor builds one image at a time")
def test_images_that_do_not_stand_on_each_other_are_built_at_the_same_time(carrier: Engine) -> None:
    """Each waits before its last step until the other has come as far; one after the other they would wait in vain."""
    together = threading.Barrier(2, timeout=60)

    def meet(line: str) -> None:
        if "/meet" in line:
            together.wait()

    bench = Bench(carrier, BASE, OTHER)
    bench.workshop = replace(bench.workshop, report=meet)
    bench.dockerfiles = {image.name: dockerfile(f"RUN touch /meet-{image.name}") for image in (BASE, OTHER)}
    outcomes = bench.build(force=True)
    assert states(outcomes) == {"test-base": State.BUILT, "test-other": State.BUILT}, outcomes


def test_values_are_in_the_image_as_they_were_written(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    lines = [f"LABEL value{number}={quoted(value)}" for number, value in enumerate(NASTY)]
    lines += [f"ENV VALUE{number}={quoted(value)}" for number, value in enumerate(NASTY)]
    bench.dockerfiles["test-base"] = dockerfile(*lines, f"CMD {exec_form(NASTY)}")
    bench.build()
    config = bench.inspect(BASE)["Config"]
    assert [config["Labels"][f"value{number}"] for number in range(len(NASTY))] == list(NASTY)
    assert {f"VALUE{number}={value}" for number, value in enumerate(NASTY)} <= set(config["Env"])
    assert config["Cmd"] == list(NASTY)


def test_what_is_unchanged_is_left_alone(carrier: Engine) -> None:
    bench = Bench(carrier, BASE, APP, OTHER)
    bench.build()
    before = [bench.id(image) for image in (BASE, APP, OTHER)]
    outcomes = bench.build()
    assert set(states(outcomes).values()) == {State.UNCHANGED}
    assert bench.said == []
    assert [bench.id(image) for image in (BASE, APP, OTHER)] == before


def test_a_change_builds_the_image_and_all_that_stand_on_it(carrier: Engine) -> None:
    bench = Bench(carrier, BASE, APP, OTHER)
    bench.build()
    bench.dockerfiles["test-app"] += "LABEL changed=1\n"
    assert states(bench.build()) == {
        "test-base": State.UNCHANGED,
        "test-other": State.UNCHANGED,
        "test-app": State.BUILT,
    }
    bench.dockerfiles["test-base"] += "LABEL changed=1\n"
    assert states(bench.build("test-app")) == {"test-base": State.BUILT, "test-app": State.BUILT}


def test_the_commit_and_the_time_rebuild_nothing(carrier: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(carrier, BASE)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    bench.build()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2")
    assert states(bench.build()) == {"test-base": State.UNCHANGED}


def test_another_version_of_the_same_content_is_another_image(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    bench.build()
    bench.workshop = replace(bench.workshop, images=matrix(replace(BASE, version="2")))
    assert states(bench.build()) == {"test-base": State.BUILT}
    assert bench.inspect(BASE)["Config"]["Labels"]["org.opencontainers.image.version"] == "2"


def test_a_name_that_was_lost_comes_back_without_a_build(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    bench.build()
    bench.client.images.remove(BASE.local_tags[-1])
    assert states(bench.build()) == {"test-base": State.UNCHANGED}
    assert bench.id(BASE) == bench.inspect(BASE)["Id"]


@pytest.mark.slow
def test_force_builds_without_the_engines_cache(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    bench.dockerfiles["test-base"] = dockerfile("RUN cat /proc/sys/kernel/random/uuid > /uuid")
    bench.build()
    uuid = bench.run(BASE, "cat", "/uuid")
    assert states(bench.build(force=True)) == {"test-base": State.BUILT}
    assert bench.run(BASE, "cat", "/uuid") != uuid


def test_a_failure_tells_the_step_and_its_last_lines_and_the_old_image_stays(carrier: Engine) -> None:
    bench = Bench(carrier, BASE, APP, OTHER)
    bench.build()
    before = {image.name: bench.id(image) for image in (BASE, APP, OTHER)}
    containers = build_containers(bench.client)
    bench.dockerfiles["test-base"] = dockerfile("RUN seq 30; echo no luck; exit 3")
    bench.dockerfiles["test-other"] += "LABEL changed=1\n"
    outcomes = bench.build()
    assert states(outcomes) == {
        "test-base": State.FAILED,
        "test-other": State.BUILT,
        "test-app": State.SKIPPED,
    }
    assert outcomes["test-app"].reason == "needs test-base"
    first, *output = outcomes["test-base"].reason.splitlines()
    assert re.fullmatch(r"test-base cannot be built: 3/\d+ RUN seq 30; echo no luck; exit 3 ended with status 3", first)
    assert output == [*(str(number) for number in range(12, 31)), "no luck"]
    assert (bench.id(BASE), bench.id(APP)) == (before["test-base"], before["test-app"])
    assert bench.id(OTHER) != before["test-other"]
    assert build_containers(bench.client) == containers
    with pytest.raises(ImageError, match="no luck"):
        raise_failures(outcomes.values())


def test_a_dockerfile_that_is_none_is_told_with_the_image(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    bench.dockerfiles["test-base"] = dockerfile("RUNN true")
    reason = bench.build()["test-base"].reason
    assert reason.startswith("test-base cannot be built: the Dockerfile failed: ")
    assert "unknown instruction: RUNN" in reason


def test_the_labels_tell_what_it_is_made_from(carrier: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    bench = Bench(carrier, BASE, APP)
    bench.build()
    oci = "org.opencontainers.image"
    base, app = bench.inspect(BASE)["Config"]["Labels"], bench.inspect(APP)["Config"]["Labels"]
    assert base[f"{oci}.created"] == "2026-01-01T00:00:00Z"
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", base[f"{oci}.revision"])
    assert (base[f"{oci}.version"], base[f"{oci}.base.name"]) == ("1", HELLO)
    assert app[f"{oci}.base.name"] == BASE.local_tags[-1]
    assert len(base[LABEL]) == 64
    assert base[LABEL] != app[LABEL]


def test_a_dockerfile_copies_what_is_included_and_not_itself(carrier: Engine) -> None:
    image = tiny("test-context", context=Context("tools", ("setup",)))
    bench = Bench(carrier, image)
    bench.dockerfiles["test-context"] = dockerfile("COPY . /all/")
    assert bench.build()["test-context"].state is State.BUILT
    assert bench.run(image, "ls", "-A", "/all") == "setup"
    assert bench.run(image, "cat", "/all/setup") == (PROJECT / "tools/setup").read_text().strip()


def test_a_file_name_that_is_no_utf_8_is_copied_as_it_is(
    carrier: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "app") + b"/caf\xe9")).write_text("coffee")
    monkeypatch.setattr(context, "archive", partial(context.archive, project=tmp_path))
    image = tiny("test-context", context=Context(".", ("app",)))
    bench = Bench(carrier, image)
    bench.dockerfiles["test-context"] = dockerfile("COPY . /all/")
    outcome = bench.build()["test-context"]
    assert outcome.state is State.BUILT, outcome.reason
    assert bench.run(image, "sh", "-c", r"cat /all/app/$(printf 'caf\351')") == "coffee"


def test_of_a_whole_matrix_what_cannot_be_built_is_skipped_and_by_name_it_is_refused(carrier: Engine) -> None:
    supply = Supply("a stand-in", {"os": HELLO}, only_these_bases=True, packages=frozenset(), network="none")
    stands_in = tiny("test-base", "os", has_local_base=False)
    foreign = tiny("test-foreign", "other-os", has_local_base=False)
    bench = Bench(carrier, stands_in, foreign, tiny("test-app", "test-foreign"), supply=supply)
    outcomes = bench.build()
    assert {name: outcome.reason for name, outcome in outcomes.items()} == {
        "test-base": "",
        "test-foreign": "no stand-in for other-os",
        "test-app": "needs test-foreign",
    }
    assert bench.inspect(stands_in)["Config"]["Labels"]["org.opencontainers.image.base.name"] == HELLO
    with pytest.raises(ImageError, match="from a stand-in: test-foreign: no stand-in for other-os"):
        bench.build("test-app")


def test_an_unknown_name_builds_nothing(carrier: Engine) -> None:
    bench = Bench(carrier, BASE)
    with pytest.raises(ImageError, match="Unknown image test-bsae: use one of test-base"):
        bench.build("test-base", "test-bsae")
    with pytest.raises(ImageNotFound):
        bench.id(BASE)


def test_a_base_that_no_registry_gives_is_told_with_the_registry(carrier: Engine) -> None:
    foreign = tiny("test-foreign", "127.0.0.1:9/os:1", has_local_base=False)
    outcome = Bench(carrier, foreign).build()["test-foreign"]
    assert outcome.state is State.FAILED
    assert outcome.reason.startswith("test-foreign cannot be built: its base 127.0.0.1:9/os:1 cannot be pulled. ")
    assert "cannot reach the registry 127.0.0.1:9" in outcome.reason
