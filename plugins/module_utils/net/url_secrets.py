# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find, validate and redact credentials in URLs; the only place that knows their grammar.

The whole userinfo counts as secret: besides user:password@ there are TOKEN@, TOKEN:@ and TOKEN:x-oauth-basic@.
"""

import re
from urllib.parse import unquote, urlsplit

# What RFC 3986 allows; anything else must be percent-encoded, or programs split the URL at different places.
VALID_USERINFO = r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+@"
# More is found than is valid: the authority up to its last @, and an unencoded password up to the last @ of the word.
# A port is not a password.
STRICT = r"(?<=//){any_but_slash}*@"
SLOPPY = r"(?<=//){name}*:(?![0-9]{{1,5}}(?:[/?#]|\Z)){any}*@"
WORD = {"name": r"[^\s@:/?#\[]", "any": r"\S", "any_but_slash": r"[^\s/?#]"}
# Within text, a URL ends at a double quote, since JSON and Python quote strings. An apostrophe is valid in a URL.
IN_TEXT = {"name": r"[^\s\"<>@:/?#\[]", "any": r"[^\s\"<>]", "any_but_slash": r"[^\s\"<>/?#]"}
# A value that begins like a URL is a URL as a whole, including blanks and line breaks.
ADDRESS = {"name": r"[^@:/?#\[]", "any": r"[\s\S]", "any_but_slash": r"[^/?#]"}


def patterns(characters):
    return [re.compile(pattern.format(**characters)) for pattern in (SLOPPY, STRICT)]


WORD_PATTERNS, TEXT_PATTERNS, ADDRESS_PATTERNS = patterns(WORD), patterns(IN_TEXT), patterns(ADDRESS)
SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://")
# Go programs such as dockerd accept the address of a proxy without a scheme, and users forget it. Without a password,
# only a port or a path tells it from an e-mail address.
BARE_VALUE = re.compile(
    r"\A(?:[^\s@:/?#]*:(?!//)\S*@(?={host}{port}?/?\Z)|[^\s@:/?#]*:[^\s/]*@(?={host}{port}?/)"
    r"|[^\s@:/?#=]+@(?={host}(?:{port}/?\Z|{port}?/)))".format(
        host=r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)", port="(?::[0-9]{1,5})"
    )
)
# Well-known passwords, used where the user name is the secret.
PUBLIC_PASSWORDS = ("", "x-oauth-basic", "x-token-auth")
HIDDEN = "********"
# A shorter user name is hidden only within its URL: anywhere else it may be part of any word.
SHORTEST_TOKEN_HIDDEN_ANYWHERE = 8


def value_patterns(value):
    return [BARE_VALUE, *(ADDRESS_PATTERNS if SCHEME.match(value) else WORD_PATTERNS)]


def userinfo_of(value):
    """Return every userinfo in a string, with its @, as each pattern matches it."""
    return [found.group(0) for pattern in value_patterns(value) for found in pattern.finditer(value)]


def holds_userinfo(value):
    """Return whether a string, list or dict contains a URL with credentials."""
    if isinstance(value, dict):
        return any(holds_userinfo(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_userinfo(item) for item in value)
    return isinstance(value, str) and bool(userinfo_of(value))


def secrets_of(value):
    """Return every form in which credentials in the URLs of a string, list or dict could appear in output."""
    if isinstance(value, dict):
        return {secret for item in value.values() for secret in secrets_of(item)}
    if isinstance(value, (list, tuple)):
        return {secret for item in value for secret in secrets_of(item)}
    if not isinstance(value, str) or ("\n" in value and not SCHEME.match(value)):  # the content of a file
        return set()
    found = userinfo_of(value)
    whole = {value} if found and SCHEME.match(value) else set()
    return whole.union(*map(forms_of, found)) - {""}


def forms_of(userinfo):
    """Return the userinfo and, unless too short, its secret part alone, encoded and decoded."""
    user, _, password = userinfo[:-1].partition(":")
    secret = user if password in PUBLIC_PASSWORDS else password
    if secret == user and len(secret) < SHORTEST_TOKEN_HIDDEN_ANYWHERE:
        return {userinfo}
    return {userinfo, secret, unquote(secret)}


def redact(text):
    """Replace the credentials in the URLs of a text."""
    for pattern in TEXT_PATTERNS:
        text = pattern.sub(HIDDEN + "@", text)
    return text


def redact_value(value):
    """Replace the credentials in a single value, such as an option, which may be a URL as a whole."""
    for pattern in value_patterns(value):
        value = pattern.sub(HIDDEN + "@", value)
    return value


def split_credentials(url):
    """Return the URL without userinfo, the user name and the password, both percent-decoded (None if absent)."""
    parts = urlsplit(url)
    userinfo, separator, host = parts.netloc.rpartition("@")
    if not separator:
        return url, None, None
    user, _, password = userinfo.partition(":")
    return parts._replace(netloc=host).geturl(), unquote(user) or None, unquote(password) or None
