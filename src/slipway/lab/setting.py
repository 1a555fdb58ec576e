# SPDX-License-Identifier: Apache-2.0
"""The two settings of the lab: online and offline."""

from enum import StrEnum

import requests

from slipway.lab.errors import LabError
from slipway.lab.progress import say

# The online lab needs the registry of the host image and Docker's package repository.
NEEDED_ONLINE = ("https://quay.io/v2/", "https://download.docker.com/linux/centos/gpg")
PROBE_SECONDS = 3


class Setting(StrEnum):
    """ONLINE: CentOS Stream from quay.io and Docker's repository. OFFLINE: the stand-in, from Debian packages."""

    ONLINE = "online"
    OFFLINE = "offline"


def choose(wanted: str) -> Setting:
    """Return the setting for LAB=auto|online|offline; auto probes the servers and prints the result.

    Raises LabError for any other value.
    """
    if wanted in list(Setting):
        return Setting(wanted)
    if wanted != "auto":
        raise LabError(f"LAB={wanted} is not a valid setting: use LAB=auto, LAB=online or LAB=offline.")
    unreachable = next((url for url in NEEDED_ONLINE if not _answers(url)), None)
    if unreachable:
        say(f"LAB=auto: {unreachable} cannot be reached, so the lab is offline and hosts are stand-ins.")
        return Setting.OFFLINE
    say("LAB=auto: quay.io and download.docker.com answer, so the lab is online.")
    return Setting.ONLINE


def _answers(url: str) -> bool:
    try:
        requests.head(url, timeout=PROBE_SECONDS)  # any status will do: registries answer anonymous requests with 401
    except requests.RequestException:
        return False
    return True
