# SPDX-License-Identifier: Apache-2.0
"""The bake file is what buildx takes it for, and BuildKit builds the same images from it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from slipway.images import matrix, render
from slipway.images.bake import bake_file
from slipway.lab.status import CARRIED_IMAGE
from slipway.lab.workbench import LabHost
from tests.support.tiny_images import HELLO, dockerfile, tiny
from tests.support.tiny_images import matrix as tiny_matrix

FILE = "/root/docker-bake.json"
BASE = tiny("test-base-1.0")
APP = replace(tiny("test-app", BASE.name), base_tag=BASE.local_tags[-1])
DOCKERFILES = {
    BASE.name: dockerfile("RUN echo of the base > /here"),
    APP.name: dockerfile('ENV GREETING="${BASE}%{x}" PATH="/other:${PATH}"', "RUN cat /here > /there"),
}


@pytest.fixture
def host(converged_host: LabHost) -> Iterator[LabHost]:
    converged_host.sh(f"docker load --quiet --input {CARRIED_IMAGE}")
    yield converged_host
    converged_host.sh(f"rm -f {FILE}; docker image prune --all --force; docker builder prune --all --force")


def bake(host: LabHost, text: str, *options: str) -> str:
    host.sh(f"cat > {FILE} <<'END_OF_BAKE'\n{text}END_OF_BAKE")
    return host.sh(f"cd /root; docker buildx bake --file {FILE} {' '.join(options)} 2>/dev/null")


def test_buildx_reads_every_image_of_the_matrix_as_it_was_written(host: LabHost) -> None:
    images = matrix.without_lab(matrix.load())
    text = bake_file(images, partial(render.render, buildkit=True), {"org.opencontainers.image.revision": "0" * 40})
    read = json.loads(bake(host, text, "--print"))["target"]
    assert len(read) == len(images)
    for image in images.values():
        target = read[image.name.replace(".", "_")]
        assert target["dockerfile-inline"] == render.render(image, buildkit=True)
        assert target["tags"] == list(image.local_tags)
        assert target["platforms"] == list(image.platforms)
        assert target["args"]["BASE"] == (image.base if image.has_local_base else image.base_reference)


def test_buildkit_builds_an_image_on_the_one_of_the_other_target(host: LabHost) -> None:
    text = bake_file(tiny_matrix(BASE, APP), lambda image: DOCKERFILES[image.name], {"revision": "of the test"})
    bake(host, text, "--load")
    assert host.sh(f"docker run --rm {APP.local_tags[0]} /bin/cat /there") == "of the base"
    label = "{{ index .Config.Labels %s }}"
    ask = "docker image inspect --format"
    assert host.sh(f"{ask} '{label % json.dumps('revision')}' {APP.local_tags[-1]}") == "of the test"
    assert host.sh(f"{ask} '{label % json.dumps('org.opencontainers.image.base.name')}' {BASE.local_tags[0]}") == HELLO
    assert '"GREETING=%{x}"' in host.sh(f"{ask} '{{{{ json .Config.Env }}}}' {APP.local_tags[0]}")
