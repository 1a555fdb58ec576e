# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.module_utils import daemon_validation
from ansible_collections.slipway.platform.plugins.module_utils.shadow_start import ACCEPTED, REFUSED, UNKNOWN


def test_an_engine_without_validate_has_neither_accepted_nor_refused() -> None:
    text = "unknown flag: --validate\nSee 'dockerd --help'.\n"
    assert daemon_validation.outcome(125, text).verdict == UNKNOWN


def test_a_refusal_has_the_words_of_dockerd() -> None:
    text = "unable to configure the Docker daemon with file daemon.json: invalid mtu\n"
    refused = daemon_validation.outcome(1, text)
    assert (refused.verdict, refused.reason) == (REFUSED, text.strip())


def test_success_is_acceptance() -> None:
    assert daemon_validation.outcome(0, "configuration OK\n").verdict == ACCEPTED
