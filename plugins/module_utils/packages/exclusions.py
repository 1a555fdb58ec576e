# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the settings of dnf that hide packages: excludes, includepkgs and version locks."""

import fnmatch
import glob
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.packages.dnf_query import DNF_CONFIG

# dnf 5 reads drop-ins too (dnf5.conf(5)).
DROP_INS = ("/usr/share/dnf5/libdnf.conf.d/*.conf", "/etc/dnf/libdnf5.conf.d/*.conf")
MAIN = re.compile(r"^\[main\][^\n]*\n(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^(exclude|excludepkgs|includepkgs)[ \t]*[=:][ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
# Of the versionlock plugin of dnf 4 (a pattern per line, ! excludes it) and of dnf 5.
LOCKS = (
    ("/etc/dnf/plugins/versionlock.list", re.compile(r"^!?([^#\s]\S*)", re.MULTILINE)),
    ("/etc/dnf/versionlock.toml", re.compile(r"^name\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)),
)


def hidden(names):
    """Return a clause for each setting that hides some of the packages in every version."""
    found = []
    for path in [DNF_CONFIG, *(path for pattern in DROP_INS for path in sorted(glob.glob(pattern)))]:
        for section in MAIN.findall(read_text(path) or ""):
            for key, value in SETTING.findall(section):
                patterns = re.split(r"[\s,]+", value.strip())
                concerned = [name for name in names if is_hidden(name, key, patterns)]
                if concerned and any(patterns):
                    found.append(f"{key}={','.join(patterns)} in {path} hides {' and '.join(concerned)}")
    return found


def is_hidden(name, key, patterns):
    if key == "includepkgs":
        return not any(fnmatch.fnmatchcase(name, pattern) or is_version_of(name, pattern) for pattern in patterns)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def is_version_of(name, pattern):
    """Return whether the pattern is for versions of the package, such as docker-ce-26.1* or docker-ce-3:26.1.5-1.*."""
    return re.match(re.escape(name) + r"-[0-9*?\[]", pattern) is not None


def locks(names):
    """Return a clause for each version lock on one of the packages."""
    return [
        f"{pattern} in {path} locks its version"
        for path, entry in LOCKS
        for pattern in entry.findall(read_text(path) or "")
        if any(fnmatch.fnmatchcase(name, pattern) or is_version_of(name, pattern) for name in names)
    ]


def remedy(names):
    """Return a clause with all settings that hide some versions of the packages, and what to do; "" without any."""
    found = hidden(names) + locks(names)
    return f"{', and '.join(found)}: remove the entry, or the packages from it" if found else ""
