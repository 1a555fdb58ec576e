# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Fill the cache from a list of images by digest, for hosts behind an air gap.

The registry itself does it: in proxy mode it stores what it is asked for, and without it takes tags, which it accepts
only if it has all that an image consists of.
"""

import contextlib
import http.client
import json
import os
import socket
import time

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import files, paths

FOLDER = "/run/slipway-registry-cache-fill"
NAME = paths.CONTAINER + "-fill"
ROOT = "docker/registry/v2"
KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
BLOCK = 1024 * 1024
START_SECONDS, STORE_SECONDS, TIMEOUT_SECONDS = 30, 120, 300


class FillError(Exception):
    """An image cannot be stored; str() is the message, without a full stop."""


def blob(directory, digest):
    hexadecimal = digest.partition(":")[2]
    return os.path.join(directory, ROOT, "blobs/sha256", hexadecimal[:2], hexadecimal, "data")


def stored(directory, digest):
    """Return the parsed manifest of a digest, or None if it is not stored."""
    text = host_files.read_text(blob(directory, digest))
    return json.loads(text) if text else None


def missing(directory, images):
    """Return the images of which a part or a tag is not stored."""
    return [image for image in images if not is_complete(directory, image)]


def is_complete(directory, image):
    tags = os.path.join(directory, ROOT, "repositories", image["name"], "_manifests/tags")
    links = (host_files.read_text(os.path.join(tags, str(tag), "current/link")) for tag in image.get("tags") or ())
    return all(link == image["digest"] for link in links) and has_all(directory, image["name"], image["digest"])


def has_all(directory, name, digest):
    link = os.path.join(directory, ROOT, "repositories", name, "_manifests/revisions/sha256", digest[7:], "link")
    manifest = stored(directory, digest) if os.path.exists(link) else None
    if manifest is None:
        return False
    children, blobs = parts(manifest)
    return all(has_all(directory, name, child) for child in children) and all(
        os.path.exists(blob(directory, item)) for item in blobs
    )


def parts(manifest):
    """Return the digests of a manifest's manifests, and those of its blobs."""
    children = [item["digest"] for item in manifest.get("manifests") or ()]
    blobs = [item["digest"] for item in [manifest.get("config"), *(manifest.get("layers") or ())] if item]
    return children, blobs


def fill(module, images):
    """Store the images and their tags; the cache itself must be stopped. Raise FillError."""
    directory = module.params["directory"]
    host_files.make_directory(directory, 0o700)
    with registry(module, with_upstream=True) as port:
        for image in images:
            store(port, directory, image["name"], image["digest"])
    with registry(module, with_upstream=False) as port:
        for image in images:
            for tag in image.get("tags") or ():
                put_tag(port, directory, image, str(tag))


@contextlib.contextmanager
def registry(module, with_upstream):
    """Run a registry on the cache's storage at a port of the loopback, which is yielded."""
    port = free_port()
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": paths.STORAGE}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if with_upstream:
        config["proxy"] = files.upstream(module.params)
    try:
        host_files.make_directory(FOLDER, 0o700)
        host_files.put(os.path.join(FOLDER, "config.json"), json.dumps(config), 0o600)
        trusted = next((path for path in files.BUNDLES if os.path.exists(path)), None)
        if trusted:
            host_files.put(os.path.join(FOLDER, "trusted.crt"), host_files.read_text(trusted), 0o600)
        host_files.put(os.path.join(FOLDER, "environment"), files.environment(module.params), 0o600)
        module.run_command(["docker", "rm", "--force", NAME])
        code, _, errors = module.run_command(["docker", "run", "--detach", *arguments(module.params)])
        if code:
            raise FillError("The registry that fills the cache does not start ({})".format(" ".join(errors.split())))
        wait(module, port)
        yield port
    finally:
        module.run_command(["docker", "rm", "--force", NAME])
        for name in ("config.json", "trusted.crt", "environment"):
            host_files.remove(os.path.join(FOLDER, name))
        host_files.remove_if_empty(FOLDER)


def arguments(params):
    return [
        *("--name", NAME, "--network", "host", "--userns", "host", "--read-only", "--cap-drop", "ALL"),
        *("--env", f"SSL_CERT_FILE={FOLDER}/trusted.crt", "--env-file", f"{FOLDER}/environment"),
        *("--volume", f"{FOLDER}:{FOLDER}:ro,Z", "--volume", "{}:{}:Z".format(params["directory"], paths.STORAGE)),
        *("--entrypoint", "/bin/registry", params["image"], "serve", f"{FOLDER}/config.json"),
    ]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait(module, port):
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(FillError):
            return ask(port, "GET", "/v2/")
        state = module.run_command(["docker", "inspect", "--format", "{{.State.Running}}", NAME])[1].strip()
        if state != "true" or time.monotonic() > deadline:
            said = " ".join(module.run_command(["docker", "logs", "--tail", "3", NAME])[2].split())[-400:]
            raise FillError(
                f"The registry that fills the cache does not start ({said}): check the way to registry_cache_upstream"
            )
        time.sleep(0.1)


def ask(port, method, path, headers=(), body=None):
    """Return status and answer of a request; an answer that is not JSON is read, and left out. Raise FillError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        text = b""
        for block in iter(lambda: answer.read(BLOCK), b""):
            text = block if len(text) + len(block) > BLOCK else text + block
        return answer.status, text.decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise FillError(
            f"The registry that fills the cache broke off ({error or type(error).__name__}): check the way to "
            "registry_cache_upstream, and the space on the disk, and run again"
        ) from error
    finally:
        connection.close()


def store(port, directory, name, digest):
    """Have the registry fetch a manifest and all that it names, and wait until it has stored it."""
    get(port, name, "manifests", digest)
    await_file(blob(directory, digest), name)
    children, blobs = parts(stored(directory, digest))
    for child in children:
        store(port, directory, name, child)
    for item in blobs:
        if not os.path.exists(blob(directory, item)):
            get(port, name, "blobs", item)
    for item in blobs:
        await_file(blob(directory, item), name)


def get(port, name, kind, digest):
    status, text = ask(port, "GET", f"/v2/{name}/{kind}/{digest}", [("Accept", ", ".join(KINDS))])
    if status != 200:
        raise FillError(
            "{}@{} cannot be fetched (HTTP {}{}): check its name and digest, and whether registry_cache_username may "
            "pull it".format(name, digest, status, ", " + reason(text) if reason(text) else "")
        )


def reason(text):
    """Return the message of a registry's error, or ""."""
    try:
        return str(json.loads(text)["errors"][0]["message"])[:200]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def await_file(path, name):
    """In proxy mode, the registry stores a blob beside the answer, and may end later."""
    deadline = time.monotonic() + STORE_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise FillError(f"A part of {name} was not stored within {STORE_SECONDS} s: check the space on the disk")
        time.sleep(0.1)


def put_tag(port, directory, image, tag):
    text = host_files.read_text(blob(directory, image["digest"]))
    kind = json.loads(text).get("mediaType") or KINDS[2]
    path = "/v2/{}/manifests/{}".format(image["name"], tag)
    status, answer = ask(port, "PUT", path, [("Content-Type", kind)], text.encode("utf-8", "surrogateescape"))
    if status != 201:
        raise FillError("{}:{} was not accepted (HTTP {}, {})".format(image["name"], tag, status, reason(answer)))
