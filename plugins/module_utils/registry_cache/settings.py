# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the settings of registry_cache before a host is asked."""

import ipaddress
import re

from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import is_dns_name

PREFIX = "registry_cache_"
HIGHEST_PORT = 65535
# By digest, or by the id of one that was loaded.
IMAGE = re.compile(r"\A(?:[a-z0-9][a-z0-9._/:-]*@)?sha256:[0-9a-f]{64}\Z")
NAME = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
DIRECTORY = re.compile(r"\A/[A-Za-z0-9._/-]+\Z")
UPSTREAM = re.compile(r"(?i)\Ahttps?://(?:[a-z0-9._-]*[a-z0-9]|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/*\Z")
REPOSITORY = re.compile(r"\A[a-z0-9]+(?:[._/-]+[a-z0-9]+)*\Z")
DIGEST = re.compile(r"\Asha256:[0-9a-f]{64}\Z")
TAG = re.compile(r"\A\w[\w.-]{0,127}\Z", re.ASCII)
HELPER = re.compile(r"\A[A-Za-z0-9_.-]+\Z")
SYSTEM_DIRECTORIES = ("/", "/var", "/home", "/root", "/opt", "/mnt", "/var/lib", "/var/lib/slipway", "/var/log")
# Nor may the cache be below these: others write there, or nothing stays there.
SYSTEM_TREES = (
    *("/etc", "/usr", "/boot", "/run", "/tmp", "/var/tmp", "/proc", "/sys", "/dev"),
    *("/var/lib/docker", "/var/lib/containerd"),
)


def problems(settings):
    """Return a sentence for each mistake; settings are the role's variables without their prefix."""
    if settings["state"] == "absent":
        return directory_problems(settings["directory"])
    found = []
    found += image_problems(settings["image"])
    found += name_problems(settings["name"])
    found += port_problems(settings)
    found += directory_problems(settings["directory"])
    if settings["limit_gb"] < 1:
        found.append(
            f"{PREFIX}limit_gb is {settings['limit_gb']}: set the gigabytes that the cache may use, at least 1."
        )
    found += tls_problems(settings["tls"])
    found += upstream_problems(settings)
    found += fill_problems(settings["images"])
    proxy = proxies.problem(settings["proxy"])
    return found + ([proxy if proxy.endswith(".") else f"{proxy}."] if proxy else [])


def image_problems(image):
    if not image:
        yield (
            f"{PREFIX}image is empty: name the image of distribution's registry with its digest, such as "
            "docker.io/library/registry@sha256:..., as docker buildx imagetools inspect registry:2 shows it."
        )
    elif not IMAGE.match(image):
        yield (
            f"{PREFIX}image '{image}' is not pinned by a digest, so that whoever moves its tag decides what serves all "
            "hosts their images: write it as <name>@sha256:<64 hexadecimal digits>, without a tag."
        )


def name_problems(name):
    if not is_address(name) and not (NAME.match(name) and is_dns_name(name)):
        yield (
            f"{PREFIX}name '{name}' is neither a host name nor an address: set that by which hosts reach the cache, "
            "without scheme and port."
        )


def is_address(name):
    try:
        return bool(ipaddress.ip_address(name)) and "%" not in name
    except ValueError:
        return False


def port_problems(settings):
    for name in ("port", "metrics_port"):
        if not 1 <= settings[name] <= HIGHEST_PORT:
            yield f"{PREFIX}{name} {settings[name]} is not a port: set one from 1 to {HIGHEST_PORT}."
    if settings["port"] == settings["metrics_port"]:
        yield f"{PREFIX}port and {PREFIX}metrics_port are both {settings['port']}: change one of them."


def directory_problems(directory):
    parts = directory.split("/")
    path = "/" + "/".join(part for part in parts if part not in ("", "."))
    is_of_the_system = path in SYSTEM_DIRECTORIES or f"{path}/".startswith(tuple(f"{tree}/" for tree in SYSTEM_TREES))
    if not DIRECTORY.match(directory) or ".." in parts or is_of_the_system:
        yield (
            f"{PREFIX}directory '{directory}' cannot hold the cache: set an absolute path of a directory of its own, "
            "without special characters."
        )


def tls_problems(tls):
    missing = [name for name in ("cert", "key") if not tls.get(name)]
    if any(tls.values()) and missing:
        yield (
            f"{PREFIX}tls has no {' and no '.join(missing)}: set cert and key as PEM text, or leave all of it out for "
            "a certificate of the cache's own CA."
        )


def upstream_problems(settings):
    """Yield what is wrong with the registry that is cached, and with the credentials for it."""
    if not is_registry(settings["upstream"]):
        yield (
            f"{PREFIX}upstream is not the address of a registry: set https:// and its host, such as "
            "https://registry-1.docker.io, without a path and without credentials."
        )
    login, helper = settings["username"] or settings["password"], settings["helper"]
    if bool(settings["username"]) != bool(settings["password"]):
        yield f"{PREFIX}username and {PREFIX}password belong together: set both, or neither."
    if login and helper:
        yield f"{PREFIX}username and {PREFIX}helper exclude each other: remove one of them."
    if helper and not HELPER.match(helper):
        yield f"{PREFIX}helper '{helper}' is not the name of a credential helper: use one such as slipway."
    if (login or helper) and settings["upstream"].lower().startswith("http:"):
        yield f"{PREFIX}upstream is http, which would carry the credentials in clear text: use https."
    if (login or helper) and is_open(settings):
        yield (
            "A cache with upstream credentials serves every image that these may pull, private ones too, to everyone "
            f"who reaches its port: set {PREFIX}client_ca, so that only hosts with a client certificate get in, use an "
            f"account that sees public images only and set {PREFIX}private_images_confirmed: true, or remove the "
            "credentials."
        )


def is_registry(address):
    """Return whether this is the address of a registry: scheme, host and port, and nothing else."""
    match = UPSTREAM.match(address)
    if not match:
        return False
    return int(match.group("port") or 1) in range(1, HIGHEST_PORT + 1)


def is_open(settings):
    """Return whether everyone who reaches the port gets in, without a confirmation."""
    return not settings["client_ca"] and not settings["private_images_confirmed"]


def fill_problems(images):
    for number, image in enumerate(images, 1):
        place = f"Entry {number} of {PREFIX}images"
        name = image.get("name") if isinstance(image, dict) and isinstance(image.get("name"), str) else ""
        if not isinstance(image, dict) or set(image) - {"name", "digest", "tags"} or not name:
            yield f"{place} must have name and digest, and may have tags: see docs/guides/registry-cache.md."
            continue
        if not REPOSITORY.match(name) or name.startswith("docker.io/"):
            yield f"{place} has the name '{name}': write it as upstream has it, such as library/nginx, without host."
        if not DIGEST.match(str(image.get("digest"))):
            yield (
                f"{place} ({name}) is not pinned: set digest to sha256: and 64 hexadecimal digits, as docker buildx "
                "imagetools inspect shows it."
            )
        tags = image.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            yield f"{place} ({name}) has tags that are not a list of texts: write one, and quote each tag."
            continue
        for tag in tags:
            if not TAG.match(str(tag)):
                yield f"{place} ({name}) has the tag '{tag}', which is not valid: use letters, digits, _, . and -."
