# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds the passwords in URLs, and hides them from output."""

import re
from urllib.parse import unquote, urlsplit

# Greedy up to the last @ of the word: a password with a stray @ or / is hidden whole.
USERINFO = re.compile(r"(?<=://)([^\s\"'@:/]*):[^\s\"']*@")


def secrets_of(value):
    """Every form in which the passwords within a string, list or dict could show up in output."""
    if isinstance(value, dict):
        return {secret for item in value.values() for secret in secrets_of(item)}
    if isinstance(value, (list, tuple)):
        return {secret for item in value for secret in secrets_of(item)}
    userinfo = USERINFO.search(value) if isinstance(value, str) else None
    if not userinfo:
        return set()
    password = userinfo.group(0).partition(":")[2][:-1]
    return {value, password, unquote(password)} - {""}


def redact(text):
    """The text with the passwords of its URLs replaced."""
    return USERINFO.sub(r"\1:********@", text)


def split_credentials(url):
    """The URL without its userinfo, the user name and the password, both percent-decoded (None when absent)."""
    parts = urlsplit(url)
    userinfo, separator, host = parts.netloc.rpartition("@")
    if not separator:
        return url, None, None
    user, _, password = userinfo.partition(":")
    return parts._replace(netloc=host).geturl(), unquote(user) or None, unquote(password) or None
