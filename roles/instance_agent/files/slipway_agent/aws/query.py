# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The Query protocol of older AWS services: requests are forms, and responses are XML."""

from collections import namedtuple
from urllib.parse import urlencode
from xml.etree import ElementTree


class QueryService(namedtuple("QueryService", ["name", "version"])):
    """A service as service.call takes it. version: version of its API, which is a date."""

    def request(self, action, message):
        fields = [("Action", action), ("Version", self.version)]
        for name in sorted(message):
            fields += form_fields(name, message[name])
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return headers, urlencode(fields).encode("ascii")

    def content_of(self, body):
        # No response has a document type, whose entities could expand without end.
        if b"<!DOCTYPE" in body:
            return None
        try:
            content = value_of(ElementTree.fromstring(body))
        except (ElementTree.ParseError, RecursionError):
            return None
        return content if isinstance(content, dict) else {}

    def output_in(self, content, action):
        return content.get(action + "Result") or {}

    def error_in(self, content):
        error = content.get("Error")
        if not isinstance(error, dict):
            return "", ""
        return str(error.get("Code") or ""), str(error.get("Message") or "")


def form_fields(name, value):
    """Return the fields of a parameter: of a list, one for each member."""
    if isinstance(value, list):
        return [(f"{name}.member.{place}", item) for place, item in enumerate(value, 1)]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    return [(name, value)]


def value_of(element):
    """Return a list for an element of members, a dictionary for one of others, and else its text.

    An empty list is an empty text.
    """
    children = [(child.tag.split("}")[-1], value_of(child)) for child in element]
    if not children:
        return element.text or ""
    if all(name == "member" for name, _ in children):
        return [value for _, value in children]
    return dict(children)
