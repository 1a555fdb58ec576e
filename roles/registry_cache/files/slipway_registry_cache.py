# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Prepares and checks the registry cache of this host. Units of systemd run it; the role registry_cache installs it.

prepare: writes what the container reads. Without a way to the upstream registry, distribution's proxy mode does not
    even start, so the cache then serves what it has, read-only.
check: removes the oldest blobs where the cache is larger than its limit, ends reading only when the upstream registry
    answers again, and fails with a sentence if the cache is not well.
"""

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request

SETTINGS = "/etc/slipway/registry-cache"
RUNTIME = "/run/slipway-registry-cache"
SERVICE = "slipway-registry-cache.service"
BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
HUB_KEY = "https://index.docker.io/v1/"
HUB = "https://registry-1.docker.io"
ATTEMPTS, PAUSE_SECONDS, TIMEOUT_SECONDS = 3, 1, 5
# Of the limit, down to which a clean-up removes blobs.
LOW_MARK = 0.8
# A blob that is used now, or has just been stored, stays.
YOUNGEST_SECONDS = 600
LEAST_SPACE = 200 * 10**6
WARNING_SECONDS = 30 * 24 * 3600


class Unwell(Exception):
    """The cache does not work; the message is for the user."""


def main():
    commands = {"prepare": prepare, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        return "usage: slipway-registry-cache prepare|check"
    try:
        commands[sys.argv[1]](load("settings.json"))
    except Unwell as error:
        return str(error)
    return 0


def load(name):
    with open(os.path.join(SETTINGS, name), encoding="utf-8") as stream:
        return json.load(stream)


# --- prepare ----------------------------------------------------------------------------------------------------------


def prepare(settings):
    """Write the container's files into RUNTIME, which systemd has made for root alone."""
    config = load("config.json")
    proxy = config.get("proxy")
    is_offline = bool(proxy) and not answers(proxy["remoteurl"])
    if is_offline:
        print("The upstream registry does not answer: serving what is cached, read-only, until it does.", flush=True)
        read_only(config)
    elif proxy and settings["helper"]:
        proxy["username"], proxy["password"] = credentials(settings["helper"], proxy["remoteurl"])
    write("config.json", json.dumps(config))
    write("state.json", json.dumps({"offline": is_offline}))
    for name in ("tls.crt", "tls.key", "clients.crt"):
        path = os.path.join(SETTINGS, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                write(name, stream.read())
    bundle = next((path for path in BUNDLES if os.path.exists(path)), None)
    if bundle:
        shutil.copyfile(bundle, os.path.join(RUNTIME, "trusted.crt"))


def read_only(config):
    """Make the configuration one of a registry that only serves its storage."""
    del config["proxy"]
    config["storage"].setdefault("maintenance", {})["readonly"] = {"enabled": True}


def answers(upstream):
    """Return whether a registry answers, whatever it says of anonymous requests."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            with urllib.request.urlopen(upstream + "/v2/", timeout=TIMEOUT_SECONDS):
                return True
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return True
        except (OSError, ValueError):
            pass
    return False


def credentials(helper, upstream):
    """Return user and password that a credential helper has for the upstream registry."""
    key = HUB_KEY if upstream == HUB else upstream.partition("://")[2]
    program = "docker-credential-" + helper
    try:
        done = subprocess.run(
            [program, "get"], input=key.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
        answer = json.loads(done.stdout.decode()) if done.returncode == 0 else {}
        found = answer["Username"], answer["Secret"]
    except FileNotFoundError as error:
        raise Unwell(program + " is not installed: install it, or change registry_cache_helper.") from error
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        raise Unwell("{0} has no credentials for {1}: try {0} get.".format(program, key)) from error
    return found


def write(name, text):
    descriptor = os.open(os.path.join(RUNTIME, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


# --- check ------------------------------------------------------------------------------------------------------------


def check(settings):
    try:
        with open(os.path.join(RUNTIME, "state.json"), encoding="utf-8") as stream:
            is_offline = json.load(stream)["offline"]
    except FileNotFoundError as error:
        raise Unwell("The cache does not run: see journalctl -u {}.".format(SERVICE)) from error
    upstream = load("config.json").get("proxy", {}).get("remoteurl")
    if upstream and not is_offline:  # what else is removed, nobody brings back
        clean_up(settings["directory"], settings["limit"])
    if is_offline and answers(upstream):
        print("The upstream registry answers again: caching goes on.", flush=True)
        subprocess.run(["systemctl", "--no-block", "restart", SERVICE], check=True)
        return
    require_health(settings)
    require_certificate()
    if upstream and not is_offline:
        require_space(settings["directory"])
    if is_offline:
        raise Unwell(
            "{} does not answer, so the cache serves only what it has: check the network and the proxy of this host, "
            "and status.docker.com for Docker Hub.".format(upstream)
        )


def require_health(settings):
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open("http://127.0.0.1:{}/debug/health".format(settings["metrics_port"]), timeout=TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        reason = " ".join(error.read(2000).decode(errors="replace").split())
        raise Unwell("The cache is not healthy ({}): see journalctl -u {}.".format(reason, SERVICE)) from error
    except OSError as error:
        raise Unwell("The cache does not answer ({}): see journalctl -u {}.".format(error, SERVICE)) from error


def require_certificate():
    command = ["openssl", "x509", "-noout", "-checkend", str(WARNING_SECONDS), "-in", os.path.join(SETTINGS, "tls.crt")]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise Unwell(
            "The cache's certificate ends within 30 days: run playbooks/registry_cache.yml, which renews one of the "
            "own CA; for one of yours, put its successor into registry_cache_tls first."
        )


def require_space(directory):
    status = os.statvfs(directory)
    if status.f_bavail * status.f_frsize < LEAST_SPACE:
        raise Unwell(
            "The file system of {} is full, so the cache stores nothing more, and hosts pull from the upstream "
            "registry: free space, or lower registry_cache_limit_gb.".format(directory)
        )


def clean_up(directory, limit):
    """Remove the blobs that were not used for longest while the storage is larger than its limit.

    In proxy mode the registry fetches a blob again that is not there. A blob counts as used when it was read last,
    which file systems record once a day (relatime), or not at all (noatime): it counts from its download on then.
    """
    root = os.path.join(directory, "docker/registry/v2/blobs")
    blobs = sorted(found(root))
    total = sum(size for _, size, _ in blobs) + size_of(os.path.join(directory, "docker/registry/v2/repositories"))
    if total <= limit:
        return
    before, removed = total, 0
    for used, size, path in blobs:
        if total <= limit * LOW_MARK or used > time.time() - YOUNGEST_SECONDS:
            break
        remove(path)
        total, removed = total - size, removed + 1
    print(
        "The cache had {} MB of {} MB: removed {} blobs, and has {} MB.".format(
            *map(megabytes, (before, limit)), removed, megabytes(total)
        ),
        flush=True,
    )
    if total > limit:
        raise Unwell(
            "The cache is larger than its limit, and holds only what was used just now: raise "
            "registry_cache_limit_gb, or wait for the next check."
        )


def remove(path):
    """Remove a blob and its directory; the registry may have done so meanwhile, or fetch it again."""
    try:
        os.unlink(path)
        os.rmdir(os.path.dirname(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise


def megabytes(size):
    return size // 10**6


def found(root):
    """Yield when it was used last, size and path of each blob."""
    for parent, _, names in os.walk(root):
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            if name == "data" and stat.S_ISREG(status.st_mode):
                yield max(status.st_atime, status.st_mtime), status.st_size, path


def size_of(root):
    """Return the size of all files: links, and what is being downloaded."""
    total = 0
    for parent, _, names in os.walk(root):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


if __name__ == "__main__":
    sys.exit(main())
