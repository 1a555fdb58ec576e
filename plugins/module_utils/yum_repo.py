# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Renders a yum repository file."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.proxy_address import is_address
from ansible_collections.slipway.platform.plugins.module_utils.url_secrets import secrets_of, split_credentials

HEADER = "# managed by slipway.platform.docker_repository\n"
# rpm's architecture names where they differ from the kernel's.
BASEARCH = {"armv7l": "armhfp", "i686": "i386", "i586": "i386"}
PASSWORD_LINE = re.compile(r"^(proxy_password\s*=\s*).*$", re.MULTILINE)


class YumRepoError(ValueError):
    """A value that cannot be written into a repository file."""


def render(options):
    """The file's text; options are those of the docker_repository module."""
    if "$releasever" in options["baseurl"]:
        raise YumRepoError(
            "baseurl {} has $releasever, which is 9.4 or 9Server on some hosts: write the major version".format(
                options["baseurl"]
            )
        )
    lines = [f"{key}={one_line(key, value)}" for key, value in settings(options)]
    return HEADER + "[{}]\n".format(section_name(options["repo_id"])) + "\n".join(lines) + "\n"


def settings(options):
    """The (key, value) pairs of the section, in the order in which they are written."""
    pairs = [
        ("name", options["description"]),
        ("baseurl", options["baseurl"]),
        ("enabled", flag(options["enabled"])),
        ("gpgcheck", "1"),
        ("repo_gpgcheck", flag(options["repo_gpgcheck"])),
        ("gpgkey", "file://" + options["key_file"]),
    ]
    if options["module_hotfixes"]:
        pairs.append(("module_hotfixes", "1"))
    if options["includepkgs"]:
        pairs.append(("includepkgs", ",".join(options["includepkgs"])))
    return pairs + proxy_settings(options["proxy"])


def proxy_settings(proxy):
    """The proxy's keys; credentials in keys of their own, where dnf wants them undecorated."""
    if not proxy:
        return []
    if not is_address(proxy):
        raise YumRepoError("the proxy is not an address such as http://user:password@proxy.example.com:3128")
    address, user, password = split_credentials(proxy)
    pairs = [("proxy", address)]
    if user:
        pairs.append(("proxy_username", user))
    if password:
        pairs.append(("proxy_password", password))
    return pairs


def file_mode(options):
    """Only root may read a file that holds a password."""
    return 0o600 if secrets_of([options["proxy"], options["baseurl"]]) else 0o644


def render_private(repo_id, baseurl, proxy):
    """A section for a configuration that only root reads, and that asks for all versions."""
    settings = [("name", repo_id), ("baseurl", baseurl), ("enabled", "1"), ("skip_if_unavailable", "0")]
    lines = [f"{key}={one_line(key, value)}\n" for key, value in settings + proxy_settings(proxy)]
    return "\n[{}]\n".format(section_name(repo_id)) + "".join(lines)


def flag(value):
    return "1" if value else "0"


def section_name(repo_id):
    if not re.match(r"\A[A-Za-z0-9_.:-]+\Z", repo_id):
        raise YumRepoError(f"repo_id '{repo_id}' may hold letters, digits and _ . : - only")
    return repo_id


def one_line(key, value):
    """Refuse what would break out of its line, and with it out of its key."""
    if not value.isprintable():
        raise YumRepoError(f"{key} holds a line break or another control character")
    return value


def probe_url(baseurl, machine):
    """The address of the repository's index, which proves that it answers."""
    return baseurl.replace("$basearch", BASEARCH.get(machine, machine)).rstrip("/") + "/repodata/repomd.xml"


def redact(text):
    """The file's text without the proxy's password."""
    return PASSWORD_LINE.sub(r"\1********", text)
