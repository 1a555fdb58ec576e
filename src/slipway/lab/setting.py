# SPDX-License-Identifier: Apache-2.0
"""Online or offline: the two settings of the same lab."""

from enum import StrEnum

import requests

from slipway.lab.errors import LabError
from slipway.lab.progress import say

# What the online lab cannot do without: the host image's registry and Docker's packages.
NEEDED_ONLINE = ("https://quay.io/v2/", "https://download.docker.com/linux/centos/gpg")
PROBE_SECONDS = 3


class Setting(StrEnum):
    """ONLINE: CentOS Stream from quay.io and Docker's own repository. OFFLINE: the stand-in, from Debian packages."""

    ONLINE = "online"
    OFFLINE = "offline"


def choose(wanted: str) -> Setting:
    """Turn LAB=auto|online|offline into a setting; auto probes once and prints the answer.

    Raises LabError for any other word.
    """
    if wanted in list(Setting):
        return Setting(wanted)
    if wanted != "auto":
        raise LabError(f"LAB={wanted} is not a setting of the lab: use LAB=auto, LAB=online or LAB=offline.")
    unreachable = next((url for url in NEEDED_ONLINE if not _answers(url)), None)
    if unreachable:
        say(f"LAB=auto: {unreachable} cannot be reached, so the lab is offline: hosts are stand-ins.")
        return Setting.OFFLINE
    say("LAB=auto: quay.io and download.docker.com answer, so the lab is online.")
    return Setting.ONLINE


def _answers(url: str) -> bool:
    try:
        requests.head(url, timeout=PROBE_SECONDS)  # any status will do: a registry answers a stranger with 401
    except requests.RequestException:
        return False
    return True
