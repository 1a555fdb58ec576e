# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the repositories defined on the host, in the files that dnf reads."""

import glob
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.packages.dnf_query import DNF_CONFIG

# Of dnf 4 and dnf 5 (dnf.conf(5), dnf5.conf(5)), each of which reads only some; an override changes a definition.
DIRECTORIES = ("/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d", "/usr/share/dnf5/repos.d")
OVERRIDES = ("/etc/dnf/repos.override.d", "/usr/share/dnf5/repos.override.d")
SECTION = re.compile(r"^\[([^\]\n]+)\]", re.MULTILINE)
REPOSDIR = re.compile(r"^reposdir\s*=\s*(.+(?:\n[ \t]+.+)*)", re.MULTILINE)


def files():
    """Return the paths of all files that may define or change a repository, including dnf's own configuration."""
    configured = REPOSDIR.search(read_text(DNF_CONFIG) or "")
    directories = re.split(r"[\s,]+", configured.group(1).strip()) if configured else DIRECTORIES
    found = [path for folder in (*directories, *OVERRIDES) for path in sorted(glob.glob(folder + "/*.repo"))]
    return [DNF_CONFIG, *found]


def definitions():
    """Map the ID of each repository to the files that have a section for it."""
    found = {}  # type: dict[str, list[str]]
    for path in files():
        for section in SECTION.findall(read_text(path) or ""):
            if path not in found.setdefault(section, []):
                found[section].append(path)
    found.pop("main", None)
    return found


def unreadable(repo_id, reason):
    """Return a message about a repository that dnf cannot read, and the way to leave it out."""
    if repo_id is None:
        return f"dnf cannot read the host's repositories ({reason}): fix this, as dnf makecache shows"
    where = " and ".join(definitions().get(repo_id, [])) or "its file"
    return (
        f"the repository {repo_id} of this host cannot be read ({reason}), and dnf installs nothing without it: fix "
        f"it, or leave it out with enabled=0 or skip_if_unavailable=1 in {where}"
    )


def second_definition(repo_id, path):
    """Return a message if a file other than path also defines the repository, or None."""
    own = os.path.realpath(path)
    others = [other for other in definitions().get(repo_id, []) if os.path.realpath(other) != own]
    if not others:
        return None
    return (
        f"the repository {repo_id} is also defined in {' and '.join(others)}, so dnf may install packages from "
        "another source or skip signature checks: remove that section or file"
    )
