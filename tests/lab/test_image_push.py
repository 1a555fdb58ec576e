# SPDX-License-Identifier: Apache-2.0
"""Publishing tiny images to a real registry, whole or not at all; what refusals say; building on what is published."""

import base64
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.images import digests, registry
from slipway.images.build import State, build
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.push import push
from slipway.images.registry import Denied, NotFound, Unreachable
from slipway.images.supply import Registry, Supply
from slipway.lab import image_supply
from slipway.lab.engine import Engine
from slipway.lab.lab import Lab
from tests.support.tiny_images import HELLO, dockerfile, matrix, tiny


@pytest.fixture(scope="module")
def server(lab: Lab) -> Registry:
    """The lab's registry, which has the user ci."""
    server = image_supply.offline(lab).registry
    assert server
    return server


@pytest.fixture(autouse=True)
def no_logins_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def write_login(folder: Path, server: Registry) -> None:
    auth = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": auth}}}))


class Bench:
    """A workshop whose supply has the registry, with images of names that no other test has used."""

    def __init__(self, carrier: Engine, server: Registry, *images: Image) -> None:
        self.client = carrier.client
        self.changes = ""
        self.said: list[str] = []
        self.server = server
        self.prefix = f"{server.address}/slipway"
        supply = Supply("what the lab carries", network="none", registry=server)
        self.workshop = BuildEnvironment(matrix(*images), carrier, supply, self.dockerfile, self.said.append)

    def log_in_as(self, login: Registry | None) -> None:
        self.workshop = replace(self.workshop, supply=replace(self.workshop.supply, registry=login))

    def dockerfile(self, image: Image) -> str:
        return dockerfile(f"LABEL name={image.name}", f"RUN echo {image.name} {self.changes} > /name")

    def build(self) -> None:
        assert {outcome.state for outcome in build(self.workshop)} <= {State.BUILT, State.UNCHANGED}

    def change(self) -> None:
        self.changes += "changed "
        self.build()

    def names_of_the_registry(self) -> list[str]:
        """Return the names by which the engine knows images as the registry's."""
        names = [name for image in self.client.images.list() for name in (*image.tags, *image.attrs["RepoDigests"])]
        return [name for name in names if name.startswith(self.server.address)]

    def there(self, *images: Image) -> dict[str, str]:
        """Return the digests that the registry has, by tag."""
        registry.log_in(self.client, self.server.address, self.server)
        found = {}
        for image in images:
            for tag in (*image.tags, *image.moving_tags):
                try:
                    found[f"{image.repository}:{tag}"] = registry.digest_of(
                        self.client, f"{self.prefix}/{image.repository}:{tag}"
                    )
                except NotFound:
                    continue
        return found


def publish(bench: Bench, names: Sequence[str] = (), *, prefix: str = "", overwrite: bool = False) -> dict[str, str]:
    """Push to the bench's registry; what the lab carries has no digest in a registry."""
    return push(bench.workshop, prefix or bench.prefix, names, overwrite=overwrite, allow_unpinned=True)


@pytest.fixture
def image() -> Image:
    return tiny(f"test-{secrets.token_hex(4)}")


@pytest.fixture
def bench(carrier: Engine, server: Registry, image: Image) -> Bench:
    bench = Bench(carrier, server, image)
    bench.build()
    return bench


def test_all_tags_are_there_with_one_content_and_no_name_of_the_registry_stays(bench: Bench, image: Image) -> None:
    digests = publish(bench)
    assert list(digests) == [f"{bench.prefix}/{image.name}:{tag}" for tag in (*image.tags, *image.moving_tags)]
    assert set(bench.there(image).values()) == set(digests.values())
    assert len(set(digests.values())) == 1
    assert set(bench.client.images.get(image.local_tags[0]).tags) == set(image.local_tags)
    assert bench.names_of_the_registry() == []


def test_what_is_published_can_be_pulled_where_it_was_not_built(bench: Bench, image: Image) -> None:
    built = bench.client.images.get(image.local_tags[0]).id
    publish(bench)
    bench.client.images.remove(str(built), force=True)
    assert registry.pull(bench.client, f"{bench.prefix}/{image.name}:latest") == built


def test_what_is_there_already_is_not_pushed_again_but_the_tags_that_move_are(bench: Bench, image: Image) -> None:
    first = publish(bench)
    moving = f"{bench.prefix}/{image.name}:latest"
    assert publish(bench) == {moving: first[moving]}
    assert bench.names_of_the_registry() == []


@pytest.mark.slow
def test_a_tag_with_other_content_is_refused_before_anything_of_any_image_is_pushed(
    bench: Bench, carrier: Engine, image: Image
) -> None:
    publish(bench)
    before = bench.there(image)
    other, on_it = tiny(f"{image.name}-other"), tiny("test-on-it", image.name, publish=False)
    both = Bench(carrier, bench.server, other, image, on_it)
    both.build()
    both.change()  # what is published is a base of an image that has no name any more
    with pytest.raises(ImageError, match="Already published with different content: ") as refused:
        publish(both)
    assert all(f"{both.prefix}/{image.name}:{tag}" in str(refused.value) for tag in image.tags)
    assert "--overwrite" in str(refused.value)
    assert both.there(image, other) == before
    assert both.names_of_the_registry() == []
    publish(both, overwrite=True)
    after = both.there(image, other)
    assert len(after) == 6
    assert not set(after.values()) & set(before.values())
    assert both.names_of_the_registry() == []


def test_a_wrong_password_is_denied_with_the_account_and_leaves_nothing(bench: Bench, image: Image) -> None:
    bench.log_in_as(replace(bench.server, password="wrong"))
    address = re.escape(bench.server.address)
    with pytest.raises(Denied, match=rf"registry {address} denies the account ci: .*docker login {address}"):
        publish(bench)
    assert bench.there(image) == {}


def test_a_stranger_is_denied(bench: Bench, image: Image) -> None:
    bench.log_in_as(None)
    with pytest.raises(Denied, match=f"registry {re.escape(bench.server.address)} denies anonymous access"):
        publish(bench)
    assert bench.there(image) == {}


def test_the_users_own_login_is_used_where_there_is_one(bench: Bench, image: Image, tmp_path: Path) -> None:
    write_login(tmp_path, bench.server)
    bench.log_in_as(None)
    assert len(publish(bench)) == len(bench.there(image)) == 3


@pytest.mark.slow
def test_a_credential_helper_is_asked_where_the_user_has_one(
    bench: Bench, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = {"ServerURL": bench.server.address, "Username": "ci", "Secret": bench.server.password}
    helper = tmp_path / "docker-credential-kept"
    helper.write_text(f"#!/bin/sh\necho '{json.dumps(login)}'\n")
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {bench.server.address: "kept"}}))
    bench.log_in_as(None)
    assert len(publish(bench)) == len(bench.there(image)) == 3


def test_what_was_built_on_a_stand_in_goes_nowhere_else(bench: Bench) -> None:
    stands_in = replace(bench.workshop.supply, bases={HELLO: HELLO})
    bench.workshop = replace(bench.workshop, supply=stands_in)
    with pytest.raises(
        ImageError, match=r"only be pushed to the lab's registry \(\S+\), not to registry\.example\.com: .* LAB=online"
    ):
        publish(bench, prefix="registry.example.com/team")
    assert publish(bench)


def test_what_stands_on_a_base_without_a_digest_is_pushed_only_where_that_is_said(bench: Bench, image: Image) -> None:
    with pytest.raises(ImageError, match=rf"Not pinned by a digest: {HELLO}\. Run `slipway-images refresh-digests`"):
        push(bench.workshop, bench.prefix)
    assert bench.there(image) == {}


def test_a_registry_that_does_not_answer_is_told_from_one_that_denies(bench: Bench) -> None:
    with pytest.raises(Unreachable, match=r"cannot reach the registry 127\.0\.0\.1:9: .*connection refused"):
        publish(bench, prefix="127.0.0.1:9/team")


def test_what_goes_wrong_while_pushing_is_told_apart_too(bench: Bench, image: Image) -> None:
    """The engine streams it inside a response with status 200."""
    for address, kind in (("127.0.0.1:9", Unreachable), (bench.server.address, Denied)):
        bench.client.api.tag(image.local_tags[0], f"{address}/{image.name}", "1")
        with pytest.raises(kind):
            registry.push(bench.client, f"{address}/{image.name}:1")


def test_what_is_not_built_as_the_project_has_it_is_refused_with_the_remedy(bench: Bench, image: Image) -> None:
    bench.changes = "changed"
    with pytest.raises(ImageError, match=f"Run `slipway-images build {image.name}` first"):
        publish(bench)
    assert bench.there(image) == {}


def test_what_is_not_to_be_published_is_left_out_and_refused_by_name(
    carrier: Engine, server: Registry, image: Image
) -> None:
    private = replace(tiny(f"{image.name}-private"), publish=False)
    bench = Bench(carrier, server, image, private)
    bench.build()
    with pytest.raises(ImageError, match=f"`publish` is false for {private.name}"):
        publish(bench, [private.name, image.name])
    assert bench.there(image) == {}
    publish(bench)
    assert len(bench.there(image, private)) == 3


@pytest.fixture
def published(bench: Bench, image: Image) -> str:
    """The reference of an image that only the registry has."""
    publish(bench)
    bench.client.images.remove(image.local_tags[0], force=True)
    bench.client.images.remove(str(bench.client.images.get(image.local_tags[-1]).id), force=True)
    return f"{bench.prefix}/{image.name}:1-r1"


def test_pins_are_the_digests_that_registries_have(bench: Bench, published: str, tmp_path: Path) -> None:
    file = tmp_path / "digests.json"
    on_it = tiny("test-on-it", published, has_local_base=False)
    digests.refresh(bench.client, [on_it, tiny("test-on-that", "test-on-it")], file)
    assert json.loads(file.read_text()) == {published: registry.digest_of(bench.client, published)}


def test_no_pin_is_written_when_one_base_cannot_be_asked_for(bench: Bench, published: str, tmp_path: Path) -> None:
    file = tmp_path / "digests.json"
    file.write_text("as it was")
    on_it = tiny("test-on-it", published, has_local_base=False)
    for missing, kind in (("127.0.0.1:9/os:9", Unreachable), (f"{published}-missing", NotFound)):
        with pytest.raises(kind):
            digests.refresh(bench.client, [on_it, tiny("test-lost", missing, has_local_base=False)], file)
        assert file.read_text() == "as it was"


def test_a_pinned_base_is_pulled_by_its_digest_which_the_labels_tell(
    carrier: Engine, bench: Bench, published: str, tmp_path: Path
) -> None:
    write_login(tmp_path, bench.server)
    digest = registry.digest_of(bench.client, published)
    on_it = tiny("test-on-it", published, has_local_base=False, digest=digest)
    other = Bench(carrier, bench.server, on_it)
    other.build()
    assert f"test-on-it: pulling {published}@{digest}" in other.said
    labels = other.client.images.get(on_it.local_tags[0]).labels
    assert labels["org.opencontainers.image.base.name"] == published
    assert labels["org.opencontainers.image.base.digest"] == digest
    other.said.clear()
    other.build()
    assert other.said == []
    other.client.api.remove_image(f"{published}@{digest}")
