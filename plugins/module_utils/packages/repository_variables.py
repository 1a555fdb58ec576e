# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Names of the variables that describe a repository, for the remedies in messages."""

from collections import namedtuple

Variables = namedtuple("Variables", ["root", "proxy", "key", "fingerprint"])

ENGINE = Variables(
    "docker_engine_repo_root", "docker_engine_proxy", "docker_engine_gpg_key", "docker_engine_gpg_fingerprint"
)
MIRROR = Variables(
    "docker_mirror_source_root", "docker_mirror_proxy", "docker_mirror_gpg_key", "docker_mirror_gpg_fingerprint"
)
