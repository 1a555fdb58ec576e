# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.module_utils.daemon import validation
from ansible_collections.slipway.platform.plugins.module_utils.daemon.trial_start import ACCEPTED, REFUSED, UNKNOWN


def test_the_result_of_an_engine_without_validate_is_unknown() -> None:
    text = "unknown flag: --validate\nSee 'dockerd --help'.\n"
    assert validation.outcome(125, text).verdict == UNKNOWN


def test_a_rejection_is_reported_with_the_message_of_dockerd() -> None:
    text = "unable to configure the Docker daemon with file daemon.json: invalid mtu\n"
    refused = validation.outcome(1, text)
    assert (refused.verdict, refused.reason) == (REFUSED, text.strip())


def test_success_means_accepted() -> None:
    assert validation.outcome(0, "configuration OK\n").verdict == ACCEPTED
