# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find likely secrets, by name or by form, in settings and user data that are not confidential.

Names count everywhere: as keys, and in commands and files within a text, such as DB_PASSWORD=... or --token ....
"""

import base64
import binascii
import contextlib
import email
import re
import zlib

import yaml
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets

# What names end with, in addition to those of parameter_secrets.
MORE_NAMES = re.compile(
    r"(?i)passphrase\Z|(?:\A|[_.-])(?:pass|pwd|psk)\Z"
    r"|(?:account|activation|auth|encryption|pre-?shared|registration|validation)[_-]?key\Z"
)
# The option names something about a secret, or where it is.
ABOUT = re.compile(
    r"(?i)[_.-](?:age|arn|command|days|dir|enabled|expiry|files?|helper|id|length|name|path|policy|region|seconds|timeout"
    r"|ttl|type|ur[il]|version)\Z"
)
CHPASSWD = "chpasswd"
RANDOM = ("R", "RANDOM")  # cloud-init makes a password of its own
# Values that stand for a secret which is elsewhere: variables, commands, templates, files, ARNs and other addresses.
HARMLESS = re.compile(
    r"(?is)\$\w+|\$\(.*|`.*|\{\{.*|\{%.*|<[^>]*>|%\w+%|%s|\*+|\.+"
    r"|\$\{(?!\w+:?[-=+][^}$])(?:.*\}|[^}]*)"  # without a default that is a text: ${X:-text}
    r"|true|false|yes|no|on|off|none|null|~"
    r"|arn:.*|[a-z][a-z0-9+.-]*://[^@]*"
    r"|/(?:data|dev|etc|home|mnt|opt|proc|root|run|srv|tmp|usr|var)(?:/[\w.@-]+)+"
)
# BuildKit's and Podman's options for a secret name it, and say where it is.
REFERENCE = re.compile(r"(?i)(?:(?:id|env|src|source|target|type|required|mode|uid|gid)=[\w./:-]*(?:,|\Z))+")
# A name by which a secret is stored, such as prod/db-1; only as the value of a name that may mean either.
STORED = re.compile(r"/?(?:[a-z][a-z._-]{0,63}[0-9]{0,4}/){1,15}[a-z][a-z._-]{0,63}[0-9]{0,4}")
MAY_BE_STORED = re.compile(r"(?i)(?:secret|credential)s?[0-9]*\Z")
# A call, or an item of something, as far as VALUE matches it: an expression in a script. In quotes, it would be a text.
EXPRESSION = re.compile(r"(?i)[a-z_][\w.]*(?:\(.*|\[\w*)")

SECRET_WORD = (
    r"(?:passw(?:or)?d|passphrase|secret|token|credentials?|[_.-]pass|[_.-]pwd|[_.-]psk"
    r"|(?:access|account|activation|api|auth|encryption|license|pre-?shared|private|registration|validation)[_.-]?key)"
)
VALUE = r"""(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s"',;&|)\]}]+))"""
ASSIGNED = re.compile(  # NAME=value, also among the options of a mount
    rf"(?i)(?<![\w$./-])(?<!\$\{{)(?P<name>[\w.-]{{0,64}}?(?:{SECRET_WORD}|(?<![\w.-])(?:pass|pwd|psk))[0-9]*)"
    rf"[\"']?[ \t]*=(?!=)[ \t]*{VALUE}"
)
KEYED = re.compile(  # name: value, at the beginning of a line or of a quoted text
    rf"(?im)(?:^[ \t#-]{{0,40}}|[\"'{{,][ \t]{{0,9}})(?P<name>[\w.-]{{0,64}}?{SECRET_WORD}[0-9]*)[\"']?[ \t]*:[ \t]+"
    rf"(?:{VALUE})(?=[ \t]*(?:[,}}\"'\r]|\#|$))"
)
OPTION = re.compile(rf"(?i)(?<!\S)--?(?P<name>[a-z0-9-]{{0,32}}?{SECRET_WORD})(?:=|[ \t]+){VALUE}")
ARGUMENTS = [
    re.compile(r"\bdocker[ \t]{1,9}login\b[^\n]{0,300}?[ \t]-p[ =]?" + VALUE),
    re.compile(r"\bsshpass[ \t]+-p[ ]?" + VALUE),
    re.compile(r"\b(?:curl|wget)\b[^\n]{0,300}?[ \t](?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"'$]{1,64}:" + VALUE),
    re.compile(
        r"(?<![\w.:-])[\w.-]{1,64}:(?P<bare>[^\s\"'|]{1,128})[\"']?[ \t]{0,9}\|[ \t]{0,9}(?:sudo[ \t]{1,9})?chpasswd\b"
    ),
]
HASH = re.compile(r"\$(?:1|2[abxy]|5|6|7|gy|md5|sha1|y)\$[A-Za-z0-9./=,$+-]{20,}")

CLOUD_CONFIG = re.compile(rb"\A(?:## *template: *jinja[ \t]*\r?\n)?#cloud-config\b")
MIME = re.compile(rb"(?i)\A(?:Content-Type|MIME-Version):")
GZIP = b"\x1f\x8b"
LARGEST = 1 << 20  # of what is decompressed
TOO_LARGE = "a compressed part of more than 1 MiB, which is not searched"
MOST_VALUES = 100 * 1000
DEEPEST = 5  # of encodings within each other


def find(settings):
    """Return descriptions of the secrets found, never the secrets themselves."""
    return sorted({what for what, _ in _of_value(settings, "", 0)})


def in_user_data(data, depth=0):
    """Return pairs of a description and a line, which is 0 where it is unknown, for each likely secret in bytes."""
    if data.startswith(GZIP):
        content, is_whole = _decompressed(data)
        inside = in_user_data(content, depth + 1) if depth < DEEPEST else []
        return _without_lines([*inside, *([] if is_whole else [(TOO_LARGE, 0)])])
    found = set(_of_text(_text(data), 1, data))
    if CLOUD_CONFIG.match(data):
        with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):  # the text was searched
            found.update(_of_value(parsed(data), "", depth))
    elif MIME.match(data) and depth < DEEPEST:
        parts = [part.get_payload(decode=True) for part in email.message_from_bytes(data).walk()]
        known = {what for what, _ in found}
        inside = [pair for part in parts if part for pair in in_user_data(part, depth + 1)]
        found.update((what, 0) for what, _ in inside if what not in known)
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def to_bytes(text):
    """Return the bytes of a text. Ansible reads bytes that are not UTF-8 as surrogates; YAML can have any others."""
    try:
        return str(text).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return str(text).encode("utf-8", "surrogatepass")


def parsed(data):
    """Return the values of YAML with their lines; scalars other than booleans and null are texts.

    Raises yaml.YAMLError, ValueError or RecursionError.
    """
    loader = yaml.SafeLoader(data.decode("utf-8-sig"))
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    return _Plain().of(node) if node else None


class Text(str):
    """A text with the line that it is on."""

    line = 0


class _Plain:
    """Makes values of nodes. Aliases are followed, as long as they neither form a cycle nor expand to too much."""

    def __init__(self):
        self.left = MOST_VALUES

    def of(self, node, above=()):
        self.left -= 1
        if self.left < 0 or node in above:
            return None
        if isinstance(node, yaml.MappingNode):
            return {self.key(key): self.of(value, (*above, node)) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.of(value, (*above, node)) for value in node.value]
        if node.tag.endswith((":bool", ":null")):
            return None
        return self.key(node)

    @staticmethod
    def key(node):
        text = Text(node.value if isinstance(node, yaml.ScalarNode) else "")
        text.line = node.start_mark.line + (2 if getattr(node, "style", None) in ("|", ">") else 1)
        return text


def _of_value(value, name, depth):
    """Yield a description and a line for each secret in settings with any nesting; name: that of the value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_secret(key, item) or (key == CHPASSWD and _sets_passwords(item)):
                yield f"a value for {key}", _line(key)
            else:
                yield from _of_value(item, key, depth)
        yield from _of_encoded(value, depth)
    elif isinstance(value, (list, tuple)):
        if value and all(isinstance(item, str) for item in value):
            yield from _of_text(" ".join(value), _line(value[0]), None)
        for item in value:
            yield from _of_value(item, name, depth)
    elif isinstance(value, str):
        yield from _of_text(value, _line(value), to_bytes(f"{name}: {value}"))
    elif value is not None and not isinstance(value, bool):
        yield from _of_text(str(value), 0, to_bytes(f"{name}: {value}"))


def _of_encoded(entry, depth):
    """Do so for the content of an entry of write_files that is encoded."""
    encoding, content = str(entry.get("encoding", "")), entry.get("content")
    if depth < DEEPEST and isinstance(content, str) and any(form in encoding for form in ("b64", "base64")):
        try:
            data = base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError):
            return
        for what, _ in in_user_data(data, depth + 1):
            yield what, _line(content)


def _of_text(text, line, raw):
    """Do so for a text that begins on a line; raw: its bytes for the search for credentials, None for no search."""
    if raw is not None:
        for what, start in credentials.matches(raw):
            yield what, line + raw.count(b"\n", 0, start) if line else 0
    for pattern in (ASSIGNED, KEYED, OPTION):
        for match in pattern.finditer(text):
            name = match.group("name")
            if _is_value(match, name) and not ABOUT.search(name) and name != CHPASSWD:
                yield f"a value for {name.lstrip('-')}", _line_at(text, line, match.start("name"))
    for pattern in ARGUMENTS:
        for match in pattern.finditer(text):
            if _is_value(match):
                yield "a password in a command", _line_at(text, line, match.start())
    for match in HASH.finditer(text):
        yield "a password hash", _line_at(text, line, match.start())


def _is_value(match, name=""):
    groups = match.groupdict()
    value = next((groups[name] for name in ("double", "single", "bare") if groups.get(name)), "").rstrip("\\")
    quoted = groups.get("double") or groups.get("single")
    structure = value[:1] in ("{", "[", "|", ">", "&", "!", "-", "=") or EXPRESSION.fullmatch(value)
    return bool(value) and bool(quoted or not structure) and not _is_harmless(name, value)


def _is_harmless(name, value):
    """Return whether the value stands for a secret which is elsewhere."""
    stored = MAY_BE_STORED.search(name) and (STORED.fullmatch(value) or REFERENCE.fullmatch(value))
    return bool(HARMLESS.fullmatch(value) or stored)


def _is_secret(name, value):
    return (
        isinstance(name, str)
        and name != CHPASSWD
        and (parameter_secrets.is_secret(name, value) or (bool(MORE_NAMES.search(name)) and _has_value(value)))
        and not ABOUT.search(name)
        and not (isinstance(value, str) and _is_harmless(name, value.strip()))
    )


def _has_value(value):
    return bool(value) and not isinstance(value, bool)


def _sets_passwords(settings):
    """Return whether cloud-init's chpasswd has passwords of users, rather than expire or random ones."""
    if not isinstance(settings, dict):
        return bool(settings) and not isinstance(settings, bool)
    listed = settings.get("list")
    lines = listed.splitlines() if isinstance(listed, str) else listed if isinstance(listed, (list, tuple)) else []
    return any(str(line).strip() and str(line).partition(":")[2].strip() not in RANDOM for line in lines)


def _decompressed(data):
    """Return the beginning of what is compressed, all members of it, and whether that is all."""
    found = b""
    while data.startswith(GZIP):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found += member.decompress(data, LARGEST + 1 - len(found))
        except zlib.error:
            break  # no reader gets further than here
        if len(found) > LARGEST:
            return found[:LARGEST], False
        data = member.unused_data
    return found, True


def _without_lines(found):
    return sorted({(what, 0) for what, _ in found})


def _text(data):
    return data.decode("utf-8", "surrogateescape")


def _line(text):
    return getattr(text, "line", 0)


def _line_at(text, line, start):
    return line + text.count("\n", 0, start) if line else 0
