# SPDX-License-Identifier: Apache-2.0
"""Secrets for every module parameter that takes one, with every kind of character that output formats escape."""

from typing import Any

CHARACTERS = {
    "plain": "",
    "line break": "\n",
    "quotation marks": "'\"",
    "backslash": "\\",
    "non-ASCII": "ä€",
    "all": "ä'\"\\\n",
}
# Module and parameters; {} is replaced by the secret.
PLANTED: dict[str, tuple[str, dict[str, Any]]] = {
    "docker_access tls.key": ("docker_access", {"tls": {"ca": "ca", "cert": "cert", "key": "{}"}}),
    "docker_login password": (
        "docker_login",
        {"logins": [{"username": "alice", "password": "{}"}], "verify": False},
    ),
    "docker_login token": (
        "docker_login",
        {"logins": [{"username": "alice", "token": "{}"}], "verify": False},
    ),
    "docker_login proxy": (
        "docker_login",
        {"logins": [], "proxy": {"http": "http://me:{}@localhost:9", "https": "{}@proxy"}},
    ),
    "docker_daemon proxy": (
        "docker_daemon",
        {"options": {}, "proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "docker_daemon log-opts": ("docker_daemon", {"options": {"log-opts": {"splunk-token": "{}"}}}),
    "docker_daemon proxies": ("docker_daemon", {"options": {"proxies": {"http-proxy": "http://me:{}@localhost:9"}}}),
    "docker_daemon proxies, a token": (
        "docker_daemon",
        {"options": {"proxies": {"http-proxy": "{}@localhost:9", "https-proxy": "{}@proxy"}}},
    ),
    "docker_daemon registry-mirrors": ("docker_daemon", {"options": {"registry-mirrors": ["https://{}@localhost:9"]}}),
    "docker_firewall daemon_options": (
        "docker_firewall",
        {"policy": "closed", "daemon_options": {"log-opts": {"splunk-token": "{}"}}},
    ),
    "docker_host_report proxy": (
        "docker_host_report",
        {"options": {}, "proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "docker_host_report options": ("docker_host_report", {"options": {"log-opts": {"splunk-token": "{}"}}}),
    "docker_package_repository proxy": (
        "docker_package_repository",
        {"state": "unmanaged", "proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "docker_package_repository repo_root": (
        "docker_package_repository",
        {"state": "unmanaged", "repo_root": "https://me:{}@localhost:9/linux"},
    ),
    "docker_package_repository baseurl": (
        "docker_package_repository",
        {"state": "unmanaged", "baseurl": "https://{}@localhost:9/linux"},
    ),
    "docker_package_repository gpg_key": (
        "docker_package_repository",
        {"state": "unmanaged", "gpg_key": "https://{}:@localhost:9/gpg"},
    ),
    "docker_package_repository daemon_options": (
        "docker_package_repository",
        {"state": "unmanaged", "daemon_options": {"log-opts": {"logentries-token": "{}"}}},
    ),
    "docker_images proxy": (
        "docker_images",
        {"images": [], "proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "docker_rootless daemon_options": (
        "docker_rootless",
        {"users": [], "daemon_options": {"log-opts": {"splunk-token": "{}"}}},
    ),
    "docker_rootless users": (
        "docker_rootless",
        {"users": [{"name": "alice", "daemon_options": {"registry-mirrors": ["https://{}@localhost:9"]}}]},
    ),
    "docker_swarm_node join_token": ("docker_swarm_node", {"managers": [], "join_token": "{}"}),
    "docker_swarm_node unlock_key": ("docker_swarm_node", {"state": "absent", "unlock_key": "{}"}),
    "docker_mirror gpg_key": ("docker_mirror", {"gpg_key": "https://{}:@localhost:9/gpg"}),
    "docker_services secrets": (
        "docker_services",
        {
            "services": [
                {"name": "web", "environment": {"DB_PASSWORD": "{}"}, "secrets": [{"name": "key", "value": "{}"}]}
            ]
        },
    ),
    "docker_services proxy": (
        "docker_services",
        {"services": [], "proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "docker_mirror proxy": ("docker_mirror", {"proxy": "http://me:{}@localhost:9"}),
    "registry_cache password": ("registry_cache", {"username": "alice", "password": "{}"}),
    "registry_cache proxy": (
        "registry_cache",
        {"proxy": {"http": "http://me:{}@localhost:9", "https": "http://{}@localhost:9"}},
    ),
    "registry_cache tls.key": ("registry_cache", {"tls": {"cert": "cert", "key": "{}"}}),
    "registry_cache upstream": ("registry_cache", {"upstream": "https://me:{}@hub.example.com"}),
    "docker_mirror source_root": ("docker_mirror", {"source_root": "https://me:{}@localhost:9/linux"}),
}
REQUIRED: dict[str, dict[str, Any]] = {
    "registry_cache": {"image": "registry", "name": "cache.example.com", "program": ""},
    "docker_mirror": {
        "source_root": "https://localhost:9/linux",
        "directory": "/var/www/planted",
        "releases": {"centos": ["9"]},
        "gpg_fingerprint": ["0" * 40],
    },
}


def planted(name: str, characters: str) -> tuple[str, dict[str, Any]]:
    """Return a module and parameters. The secret has the characters in its middle; each half identifies it."""
    module, parameters = PLANTED[name]
    filled: dict[str, Any] = fill({**REQUIRED.get(module, {}), **parameters}, f"s3cret-{characters}-t0ken")
    return module, filled


def fill(value: Any, secret: str) -> Any:
    if isinstance(value, dict):
        return {name: fill(item, secret) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, secret) for item in value]
    return value.replace("{}", secret) if isinstance(value, str) else value
