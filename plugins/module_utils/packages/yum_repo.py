# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Render yum repository files."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.net.proxies import is_address
from ansible_collections.slipway.platform.plugins.module_utils.net.url_secrets import holds_userinfo, split_credentials

HEADER = "# managed by slipway.platform.docker_package_repository\n"
# rpm's architecture names where they differ from the kernel's.
BASEARCH = {"armv7l": "armhfp", "i686": "i386", "i586": "i386"}
# A user name without a password is a token.
SECRET_LINE = re.compile(r"^((?:proxy_)?(?:username|password)\s*=\s*).*$", re.MULTILINE)


class YumRepoError(ValueError):
    """A value cannot be written to a repository file; str() is the message for the user."""


def render(options):
    """Return the text of the file; options are those of the docker_package_repository module. Raise YumRepoError."""
    if "$releasever" in options["baseurl"]:
        raise YumRepoError(
            "baseurl {} contains $releasever, which is 9.4 or 9Server on some hosts: write the major version".format(
                options["baseurl"]
            )
        )
    lines = [f"{key}={one_line(key, value)}" for key, value in settings(options)]
    return HEADER + "[{}]\n".format(section_name(options["repo_id"])) + "\n".join(lines) + "\n"


def settings(options):
    """Return the (key, value) pairs of the section, in the order to write them."""
    pairs = [
        ("name", options["description"]),
        *address_settings(options["baseurl"]),
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


def address_settings(baseurl):
    """Return the pairs for the URL, whose credentials dnf would print and log."""
    try:
        address, user, password = split_credentials(baseurl)
    except ValueError as error:
        raise YumRepoError(f"baseurl is not a URL ({error})") from error
    if holds_userinfo(address):
        raise YumRepoError(
            "the credentials in the repository's URL cannot be told from its host: percent-encode special characters "
            "in the user name and in the password"
        )
    return [("baseurl", address), *credentials("", user, password)]


def proxy_settings(proxy):
    """Return the pairs for the proxy."""
    if not proxy:
        return []
    if not is_address(proxy):
        raise YumRepoError("the proxy must be an address such as http://user:password@proxy.example.com:3128")
    address, user, password = split_credentials(proxy)
    return [("proxy", address), *credentials("proxy_", user, password)]


def credentials(prefix, user, password):
    """Return the pairs for credentials, in keys of their own, where dnf expects them decoded."""
    return [(prefix + key, value) for key, value in (("username", user), ("password", password)) if value]


def file_mode(options):
    """Return the mode of the file: only root may read credentials."""
    return 0o600 if holds_userinfo([options["proxy"], options["baseurl"]]) else 0o644


def render_private(repo_id, baseurl, proxy):
    """Return a section for a configuration that only root can read; no version is excluded."""
    settings = [("name", repo_id), *address_settings(baseurl), ("enabled", "1"), ("skip_if_unavailable", "0")]
    lines = [f"{key}={one_line(key, value)}\n" for key, value in settings + proxy_settings(proxy)]
    return "\n[{}]\n".format(section_name(repo_id)) + "".join(lines)


def flag(value):
    return "1" if value else "0"


def section_name(repo_id):
    if not re.match(r"\A[A-Za-z0-9_.:-]+\Z", repo_id):
        raise YumRepoError(f"repo_id '{repo_id}' may contain only letters, digits and _ . : -")
    return repo_id


def one_line(key, value):
    """Return the value; raise YumRepoError if it contains control characters, which could start another key."""
    if not value.isprintable():
        raise YumRepoError(f"{key} contains a line break or another control character")
    return value


def probe_url(baseurl, machine):
    """Return the URL of the repository's index, to test whether it responds."""
    return baseurl.replace("$basearch", BASEARCH.get(machine, machine)).rstrip("/") + "/repodata/repomd.xml"


def redact(text):
    """Replace the credentials in the text of a file, or in a URL."""
    return SECRET_LINE.sub(r"\1********", url_secrets.redact(text))
