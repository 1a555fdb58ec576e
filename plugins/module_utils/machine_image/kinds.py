# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The kinds of credentials that are known by their form, except tokens with a unique prefix: see tokens.py.

Patterns are narrow, since an operating system is full of examples: a key must have a body, a login must decode to one.
"""

import base64
import binascii
import collections
import re

from . import tokens

LONGEST = 8 << 10  # of a credential, in bytes

# before: how many bytes a match may begin before the anchor by which it is found; see ANCHORS.
Kind = collections.namedtuple("Kind", "what pattern is_real before")

# What documentation writes instead of a password, and the hosts reserved for examples (RFC 2606). It must match the
# whole value: a strong password may contain any of these characters.
PLACEHOLDER = re.compile(
    rb"(?i)\W?(?:\$\w+|\$?\{.*\}|\$?\(.*\)|<.*>|\[.*\]|%\w|%\(\w+\)s|\*+|x+|\.+"
    rb"|pass|passwd|password(?:_in)?|pw|pwd|secret|token|foo|bar|baz|xyz|xyzzy|guest"
    rb"|(?:.*\.)?example\.(?:com|net|org)|pypi\.company\.com)\W?"
)
# Published, and on every machine: the logins of RFC 7617 and RFC 6749, the tokens of jwt.io and PyJWT, the keys of
# GnuTLS's self-test, cloud-init's, pip's and xmlsec's examples, a signature in botocore's documentation, and the key
# that Google has assigned to Debian's Chromium.
PUBLIC = (
    b"0123456789abcdef@pypi.company.com",
    b"QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    b"abcdef.0123456789abcdef",
    b"czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    b".eyJzdWIiOiIxMjM0NTY3ODkwIi",
    b".eyJzb21lIjoicGF5bG9hZCJ9.",
    b"MGoCAQAwIQYIKoUDBwEBAQIwFQYJKoUDBwECAQIBBggqhQMHAQECAwRCBECjFpvp",
    b"MEgCAQAwHwYIKoUDBwEBAQEwEwYHKoUDAgIjAQYIKoUDBwEBAgIEIgQgKOF96tom",
    b"MEUCAQAwHAYGKoUDAgITMBIGByqFAwICIwEGByqFAwICHgEEIgQgdNfuHGmmTdPm",
    b"MHcCAQEEIPAKWV7+pZe9c5EubMNfAEKWRQtP/MvlO9HehwHmJssNoAoGCCqGSM49",
    b"MIIDTQIBAAKCAQEAh60B6yPMRIT7udq2kKuwnQDohvT1U0w+RJcSr23C05cM/Ovn",
    b"MIIEogIBAAKCAQEA6yCv+BLrRP/dMPBXJWK21c0aqxIX6JkODL4K+zlyEURt8/Wp",
    b"MIIBxwIBAAJhAKD0YSHy73nUgysO13XsJmd4fHiFyQ+00R7VVu2iV9Qco",
    b"MIIBuwIBAAKBgQDP2HLu7pTExL89USyM0264RCyWX/CMLmukxX0Jdbm29ax8FBJT",
    b"MIIBPAIBAAJBANPQbQ92nlbeg1Q5JNHSO1Yey46nZ7GJltLWw1ccSvp7pnvmfUm",
    b"sig=aBBKDWQvyuVcTPH9EBp",
    b"SyCkfPOPZXDKNn8hhgu3JrA62w",
    # OpenVPN's examples.
    b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDdrrIKQObP4cGi",
    b"MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQCvk86dhofEirs4",
    b"MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIVDt6h9I/tNsCAggA",
    b"MIIJQgIBADANBgkqhkiG9w0BAQEFAASCCSwwggkoAgEAAoICAQCI+p/ZLGUHCANT",
    b"MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQggBG28jKEqUG3n/wcnvcr",
    b"MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQghKHFa1jQGnTwZbFNJoJv",
)
# The beginning of a word, also after an escaped character: in JSON, in a URL, in quoted-printable text, in a string of
# C or Python, or after the colour of a terminal.
WORD = re.compile(
    rb"(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=[%=][0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})"
    rb"|(?<=\\[0-7]{3})|(?<=\[m)|(?<=[\[;][0-9]m)|(?<=[\[;][0-9]{2}m)|(?<=;[0-9]{3}m)"
)
VALUE_BEGIN = re.compile(rb"(?<=[\s:=>\"'(])|(?<=%3[Dd])")
# Keys that are only in sections of repositories, dnf or subscription-manager.
REPOSITORY = re.compile(rb"(?m)^(?:baseurl|metalink|mirrorlist|proxy|proxy_hostname)[ \t]*=")
# An object of log options that is still open, and the first part of a key in it.
LOG_OPTIONS = re.compile(rb"\"(?:log-opts|LogConfig)\"\s*:[^}]*\"[A-Za-z0-9._-]*\Z")
FILE_OPTION = b"-tls-"  # before key: a path
LONGEST_SECTION = 4 << 10
CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
LOGIN_FILE = re.compile(rb'"(?:auth|password|identitytoken|registrytoken)"\s*:\s*"[^"]')


def is_login(found):
    """Return whether this is a base64-encoded user and password, as Docker stores them."""
    return bool(password_of_login(found.group(1)))


def is_auth_header(found):
    """Return whether this is a login, and not an example."""
    password = password_of_login(found.group(1))
    return bool(password and not PLACEHOLDER.fullmatch(password)) and is_not_public(found)


def is_yaml_login(found):
    """Return whether this is a login: elsewhere than in Docker's files, auth: may be anything, so be strict."""
    return bool(WORD.match(found.string, found.start())) and is_auth_header(found)


def password_of_login(text):
    """Return the password of a base64-encoded user:password, or b"". It may be cut off, and in any encoding."""
    user, _, password = decoded(text).partition(b":")
    password = password.rstrip(b"\r\n\0")
    return password if user and is_printable(user) and not CONTROLS.search(password) else b""


def is_printable(text):
    try:
        return text.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def decoded(text):
    """Return the bytes of a text in base64, as far as it is complete, or b""."""
    text = text.rstrip(b"=")
    try:
        return base64.b64decode(text[: len(text) - (len(text) % 4 == 1)] + b"=" * (-len(text) % 4 % 3), validate=True)
    except binascii.Error:
        return b""


def is_login_file(found):
    """Return whether this is a whole config.json of Docker with a login."""
    return bool(LOGIN_FILE.search(decoded(found.group(1))))


def is_npm_login(found):
    """Return whether this is a login to a registry of packages; tokens.py has the one of npm itself."""
    return not found.group(1).startswith(b"npm_") and is_not_placeholder(found) and is_not_example(found)


def is_not_placeholder(found):
    return not any(PLACEHOLDER.fullmatch(part) for part in found.groups())


def is_not_example(found):
    return not any(example in found.group().upper() for example in (b"EXAMPLE", b"XXXX"))


def is_token(found):
    return bool(WORD.match(found.string, found.start())) and is_not_example(found) and is_not_public(found)


def is_signature(found):
    return is_not_example(found) and is_not_public(found)


def is_value_token(found):
    """Return whether the token begins a value and ends where the pattern does, and is no example."""
    return (
        bool(VALUE_BEGIN.match(found.string, found.start()))
        and not re.match(rb"[A-Za-z0-9]", found.string[found.end() : found.end() + 1])
        and is_not_example(found)
    )


def is_not_public(found):
    return not any(public in found.group() for public in PUBLIC)


def is_base64_key(found):
    """Return whether a private key begins here; the text before it may have any length."""
    return any(b"PRIVATE KEY" in decoded(b"A" * skipped + found.group()) for skipped in range(4))


def is_in_repository(found):
    """Return whether the line is in the section of a repository: elsewhere, password= may be anything."""
    return is_not_placeholder(found) and bool(REPOSITORY.search(section_of(found)))


def section_of(found):
    """Return the section of a file such as .repo that the line is in."""
    first = found.string.rfind(b"\n[", max(found.start() - LONGEST_SECTION, 0), found.start())
    last = found.string.find(b"\n[", found.end(), found.end() + LONGEST_SECTION)
    return found.string[max(first, found.start() - LONGEST_SECTION, 0) : last if last >= 0 else None]


def is_repository_token(found):
    """Return whether a user of a repository or its proxy has no password: then the user is a token."""
    password = re.compile(rb"(?m)^%spassword[ \t]*=[ \t]*\S" % found.group(1))
    return is_in_repository(found) and not password.search(section_of(found))


def is_random(token):
    """Return whether this looks random, unlike a user name."""
    return len(token) >= 16 and bool(re.search(rb"[0-9]", token) and re.search(rb"[A-Za-z]", token))


def is_random_token(found):
    return is_random(found.group(1)) and is_not_placeholder(found) and is_not_public(found)


def is_other_token(found):
    """Return whether a user without password, in a URL that needs a login, is a token that does not look random."""
    return is_not_placeholder(found) and not is_random(found.group(1))


def is_in_log_options(found):
    """Return whether the key is in the log options of the engine or a container: elsewhere, it may be anything."""
    before = found.string[max(found.start() - LONGEST_SECTION, 0) : found.start()]
    return is_not_placeholder(found) and bool(LOG_OPTIONS.search(before)) and not before.endswith(FILE_OPTION)


def always(_found):
    return True


# Line breaks and white space; JSON escapes line breaks, possibly several times.
BREAK = rb"(?:[\r\n]|\\+[nr])"
GAP = rb"(?:\s|\\+[nr])"
IS = rb"""\\*["']?\s{0,9}[=:>]\s{0,9}\\*["']?"""
USER = rb"[A-Za-z0-9._~!$&'()*+,;=@%-]"
# Also as a shell, systemd or JSON escapes it: \$ or \u0026.
PASSWORD = rb"(?:[A-Za-z0-9._~!$&'()*+,;=@%:-]|\\{1,4}[$`\"'u])"


def name_and_value(what, names, value, is_real):
    """Return kinds for a value after one of these names; each begins with literal bytes, which Python finds fast."""
    return [Kind(what, re.compile(name + IS + value), is_real, 64) for name in names]


PRIVATE_KEYS = [
    Kind(
        "a private key",  # PEM, OpenSSH, PGP, SSH2
        re.compile(
            rb"----[ -]BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?[ -]----"
            + GAP
            + rb"{1,99}(?:[A-Za-z-]+: [^\r\n\\]{0,255}"
            + BREAK
            + GAP
            + rb"{0,99}){0,9}[A-Za-z0-9+/=]{40,64}"
        ),
        is_not_public,
        3,
    ),
    Kind(
        "a private key",
        re.compile(
            rb"----[ -]BEGIN OpenVPN (?:Static key V1|tls-crypt-v2 (?:client|server) key)-----"
            + GAP
            + rb"{1,9}[0-9A-Za-z+/]{32}"
        ),
        is_not_public,
        3,
    ),
    Kind("a private key", re.compile(rb"Private-Lines: [0-9]+\s{1,2}[A-Za-z0-9+/=]{40}"), always, 7),  # PuTTY
    *(
        Kind("a private key", re.compile(pattern), always, 31)  # GnuPG
        for pattern in (
            rb"\(11:private-key\([0-9]:[a-z]+\([0-9]+:[a-z]+[0-9]+:",
            rb"\(21:protected-private-key\([0-9]:[a-z]+\([0-9]+:[a-z]+[0-9]+:",
            rb"Key: \((?:protected-)?private-key \([a-z]+ ?\(",
        )
    ),
]
VALUES = [
    *name_and_value(
        "an AWS secret key",
        [name + rb"_?(?:[Aa]ccess_?|ACCESS_)?(?:[Kk]ey|KEY)" for name in (b"ecret", b"SECRET")],
        rb"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
        is_not_example,
    ),
    *name_and_value(
        "an AWS session token",
        [rb"ession(?:_t|T)oken", rb"SESSION_TOKEN"],
        rb"[A-Za-z0-9/+=]{100}",
        is_not_example,
    ),
    *name_and_value(
        "a private key",  # WireGuard
        [rb"PrivateKey", rb"PresharedKey"],
        rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![A-Za-z0-9+/=])",
        is_not_example,
    ),
    *name_and_value(
        "an Azure key",
        [rb"AccountKey", rb"SharedAccessKey"],
        rb"[A-Za-z0-9+/]{43}(?:[A-Za-z0-9+/]{43}=)?=",
        is_not_example,
    ),
    *(
        Kind(what, re.compile(re.escape(prefix.encode()) + body.encode()), is_value_token, 0)
        for what, prefixes, body in tokens.VALUES + tokens.OTHER_VALUES
        for prefix in prefixes.split()
    ),
    Kind("a New Relic key", re.compile(rb"[0-9a-f]{32}FFFFNRAL"), is_value_token, 0),
]
TOKEN_BEFORE_HOST = rb"([^\s/@:\"']{1,255}):?@([^\s\"'/]{1,255})"
URLS = [
    Kind(
        "a token in a URL",
        re.compile(rb"(?m)baseurl(?<=^baseurl)[ \t]*=[ \t]*https?://([^\s/@:\"]{1,255}):?@([^\s\"/]{1,255})"),
        is_other_token,
        255,
    ),
    Kind(
        "a token in a URL",
        re.compile(rb"://(?:(?<=http://)|(?<=https://))([A-Za-z0-9._~-]{16,255}):?@([A-Za-z0-9][A-Za-z0-9.-]*)"),
        is_random_token,
        0,
    ),
    Kind(
        "a password in a URL",
        re.compile(
            rb"://(?<=[A-Za-z0-9]://)" + USER + rb"{0,128}:(" + PASSWORD + rb"{3,128})@([A-Za-z0-9][A-Za-z0-9.-]*)"
        ),
        is_not_placeholder,
        0,
    ),
]
# In daemon.json, and in environment files as docker_daemon writes them. With a scheme, URLS has the other kinds.
PROXIES, PROXY_VARIABLES = (
    [
        Kind("a token in a URL", re.compile(before + rb"[a-z0-9]{1,9}://" + TOKEN_BEFORE_HOST), is_other_token, 0),
        Kind("a token in a URL", re.compile(before + TOKEN_BEFORE_HOST), is_not_placeholder, 0),
        Kind(
            "a password in a URL",
            re.compile(before + rb"[^\s/@:\"']{0,255}:(?!//)([^\s\"]{1,255})@([A-Za-z0-9\[][^\s\"'/]{0,255})"),
            is_not_placeholder,
            0,
        ),
    ]
    for before in (rb"-proxy\"\s{0,9}:\s{0,9}\"", rb"_(?:PROXY|proxy)=[\"']?")
)
JSON_VALUES = [
    # The value may be longer than what is looked at.
    Kind(
        "a registry login", re.compile(rb'"auth"\s*:\s*"([A-Za-z0-9+/]{4,4096})(?:={0,2}"|[A-Za-z0-9+/])'), is_login, 9
    ),
    Kind("a registry token", re.compile(rb'"identitytoken"\s*:\s*"[^"\s]{16,4096}'), always, 18),
    *(
        Kind(
            "a log driver secret",
            re.compile(name + rb"\"\s{0,9}:\s{0,9}\"((?:[^\"\\]|\\.){1,1024})\""),
            is_in_log_options,
            0,
        )
        for name in (b"token", b"password", b"secret", b"key")
    ),
]
PASSWORDS = [
    Kind(
        "a netrc password",
        re.compile(rb"machine(?<!\Smachine)\s+(\S{1,255})\s+login\s+(?!anonymous\s)\S{1,255}\s+password\s+(\S{1,255})"),
        is_not_placeholder,
        1023,
    ),
    Kind(
        "a netrc password",
        re.compile(rb"(?m)default(?<=^default)[ \t]+login\s+(?!anonymous\s)\S{1,255}\s+password\s+(\S{1,255})"),
        is_not_placeholder,
        511,
    ),
    Kind(
        "a repository or proxy password",
        re.compile(rb"(?m)password(?:(?<=^password)|(?<=^proxy_password))[ \t]*=[ \t]*(\S{1,255})"),
        is_in_repository,
        0,
    ),
]
REPOSITORY_TOKENS = [
    Kind(
        "a repository or proxy token",
        re.compile(rb"(?m)^((?:proxy_)?)username[ \t]*=[ \t]*(\S{1,255})"),
        is_repository_token,
        32,
    ),
]
HEADERS = [
    Kind(
        "a bearer token",
        re.compile(rb"uthorization\W{1,4}[Bb]earer (?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20}"),
        always,
        0,
    ),
    Kind("an HTTP login", re.compile(rb"uthorization\W{1,4}[Bb]asic ([A-Za-z0-9+/]{4,4096}={0,2})"), is_auth_header, 0),
]
WEB_TOKENS = [
    Kind(
        "a JSON Web Token",
        re.compile(
            rb"e(?:yJ|wo)(?<![A-Za-z0-9_-]...)[A-Za-z0-9_-]{10,4096}={0,2}"
            rb"\.e(?:yJ|wo)[A-Za-z0-9_-]{10,4096}={0,2}\.[A-Za-z0-9_-]{10}"
        ),
        is_not_public,
        4101,
    ),
]
ISCSI_PASSWORDS = [
    Kind(
        "an iSCSI password",
        re.compile(rb"node\.session\.auth\.password(?:_in)?[ \t]*=[ \t]*(\S{1,255})"),
        is_not_placeholder,
        17,
    ),
]
SLACK_WEBHOOKS = [
    Kind(
        "a Slack webhook",
        re.compile(rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,20}/[A-Z0-9]{8,20}/\w{20}"),
        is_token,
        11,
    ),
]
PLAIN_TOKENS = [
    Kind("an AWS access key", re.compile(rb"A[BKS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"), is_token, 2),
    Kind("an Alibaba access key", re.compile(rb"LTAI[A-Za-z0-9]{20}(?![A-Za-z0-9])"), is_token, 3),
    Kind("a Google API key", re.compile(rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"), is_token, 1),
]
# -----BEGIN in base64, as in a kubeconfig, after any number of bytes, and enough to tell what begins.
BASE64_BEGIN = [
    base64.b64encode(b"\0" * skipped + b"-----BEGIN")[first:13] for skipped, first in ((0, 0), (1, 2), (2, 3))
]
BASE64_KEYS = [
    Kind("a private key", re.compile(text + rb"[A-Za-z0-9+/]{37}"), is_base64_key, 2) for text in BASE64_BEGIN
]
YAML_LOGINS = [
    Kind("a registry login", re.compile(rb"auth:[ \t]{1,9}[\"']?([A-Za-z0-9+/]{8,4096}={0,2})"), is_yaml_login, 4)
]
LOGIN_FILES = [
    Kind(
        "registry logins",
        re.compile(rb"\.dockerc(?:onfigjson|fg)\\*[\"']?\s{0,9}[:=]\s{0,9}\\*[\"']?([A-Za-z0-9+/]{20,4096})"),
        is_login_file,
        0,
    ),
]
NPM_LOGINS = [
    Kind(
        "an npm login",
        re.compile(
            rb"(?m)_(?:(?<=^_)|(?<=:_))(?:auth|authToken|password)[ \t]*=[ \t]*[\"']?([A-Za-z0-9+/=._~-]{8,1024})"
        ),
        is_npm_login,
        0,
    ),
]
# Two names beside each other, in what containerd, the ECS agent and Docker read.
LOGIN_PAIRS = [
    *(
        Kind(
            "a registry login",
            re.compile(
                name + rb"[^\n]{0,512}?\\*\"username\\*\"\s{0,9}:\s{0,9}\\*\"[^\"]{1,255}\"\s{0,9},"
                rb"\s{0,9}\\*\"password\\*\"\s{0,9}:\s{0,9}\\*\"((?:[^\"\\]|\\[^\"]){1,1024})"
            ),
            is_not_placeholder,
            1023,
        )
        for name in (b"AUTH_DATA", b'"auths"')  # literal, since a choice is searched slowly
    ),
    Kind(
        "a registry login",
        re.compile(
            rb"\"auths\"\s*:\s*\{[^}]{0,512}\"username\"\s*:\s*\"[^\"]{1,255}\"\s*,\s*"
            rb"\"password\"\s*:\s*\"([^\"]{1,1024})\""
        ),
        is_not_placeholder,
        1023,
    ),
    Kind(
        "a registry login",
        re.compile(
            rb"\.auth\]\s{1,99}(?:\w+ {0,9}= {0,9}\"[^\"\n]*\"\s{1,99}){0,3}password {0,9}= {0,9}[\"']([^\"'\n]{1,255})"
        ),
        is_not_placeholder,
        1023,
    ),
]
CLUSTER_TOKENS = [
    Kind("a k3s token", re.compile(rb"K10[0-9a-f]{64}::[A-Za-z0-9:._-]{6}"), is_token, 67),
]
KUBEADM_TOKENS = [
    Kind(
        "a kubeadm token",
        re.compile(rb"(?:oken|OKEN)\\*[\"']?[\s:=]{1,3}[\"']?[a-z0-9]{6}\.[a-z0-9]{16}(?![A-Za-z0-9])"),
        is_not_public,
        20,
    ),
    Kind("an Airtable token", re.compile(rb"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}(?![A-Za-z0-9])"), is_token, 17),
    Kind(
        "a Discord token",
        re.compile(rb"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}"),
        is_token,
        33,
    ),
]
OTHER_DOTTED = [
    Kind(
        "a Doppler token",  # of an environment, which it names
        re.compile(rb"dp\.st\.[a-z0-9_-]{2,35}\.[A-Za-z0-9]{40}"),
        is_token,
        2,
    ),
    Kind(
        "an Authress key",
        re.compile(
            rb"(?:authress|ext|sc|scauth)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30}"
        ),
        is_token,
        46,
    ),
    Kind(
        "a Zapier webhook",
        re.compile(rb"hooks\.zapier\.com/hooks/(?:catch|standard)/[0-9]{4,12}/[A-Za-z0-9]{5,16}"),
        is_token,
        5,
    ),
    Kind("a Tines webhook", re.compile(rb"\.tines\.com/webhook/[0-9a-z]{32}/[0-9a-z]{32}"), is_not_example, 0),
    Kind("a Terraform token", re.compile(rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60}"), is_token, 14),
    Kind(
        "a Microsoft Teams webhook",
        re.compile(rb"\.webhook\.office\.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}"),
        always,
        0,
    ),
    Kind(
        "a Discord webhook",
        re.compile(rb"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60}"),
        is_not_example,
        10,
    ),
]
# Tokens that are known by how they end, or in the middle.
ENDINGS = [
    Kind("a Mailchimp key", re.compile(rb"[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"), is_token, 32),
    Kind("a New Relic key", re.compile(rb"(?:AA[0-9a-f]{40}|eu01xx[0-9a-f]{36})-NRMA(?![0-9A-Za-z])"), is_token, 42),
]
MAXMIND_KEYS = [
    Kind("a MaxMind key", re.compile(rb"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![0-9A-Za-z])"), is_token, 36),
]
MESSAGING_KEYS = [
    Kind("a Firebase key", re.compile(rb"AAAA[A-Za-z0-9_-]{7}:APA91[A-Za-z0-9_-]{129}"), is_token, 11),
]
# Of Azure's storage, functions and workflows: whoever has the address has the access.
SIGNATURES = [
    Kind("an Azure signature", re.compile(rb"[?&;]sig=[A-Za-z0-9%/+]{43,63}(?:=|%3[Dd])"), is_signature, 4),
]
TELEGRAM_TOKENS = [Kind("a Telegram token", re.compile(rb"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"), is_token, 10)]
TILDE_TOKENS = [
    Kind("an Azure client secret", re.compile(rb"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"), is_token, 5),
    Kind("an OpenShift token", re.compile(rb"sha256~[A-Za-z0-9_-]{43}"), is_token, 6),
]
