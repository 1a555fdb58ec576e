# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Checks the settings of docker_engine before a host is asked."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import access_policy
from ansible_collections.slipway.platform.plugins.module_utils.daemon import options as daemon_options
from ansible_collections.slipway.platform.plugins.module_utils.engine import prune_options
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies, url_secrets
from ansible_collections.slipway.platform.plugins.plugin_utils import quoting

MIRROR = re.compile(r"\Ahttps://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/?\Z")


def problems(settings):
    """Return a sentence for each mistake; settings are the role's variables without their prefix."""
    found = quoting.problems(settings["texts"], "docker_engine_{}")
    if settings["package"] == "docker-engine" and settings["repo_manage"] and not settings["repo_baseurl"]:
        found.append(
            "docker_engine_package: docker-engine is the historic package, whose repository was shut down in 2020: "
            "name a mirror that has it in docker_engine_repo_baseurl, with its key in docker_engine_gpg_key and "
            "docker_engine_gpg_fingerprint, or use docker-ce."
        )
    if settings["purge_data"] and settings["state"] != "absent":
        found.append(
            "docker_engine_purge_data removes images, containers and volumes, and goes with docker_engine_state: "
            "absent only."
        )
    found += daemon_options.problems(
        settings["daemon_options"], settings["daemon_options_unknown"], settings["open_api_confirmed"]
    )
    if settings["profile"] == "hardened":
        found += hardened_problems(settings["options"])
    found.append(image_store_problem(settings["image_store"], settings["daemon_options"].get("features")))
    found += mirror_problems(settings["registry_mirrors"], settings["daemon_options"])
    found += prune_options.problems(settings["prune"])
    found += [proxies.problem(settings["proxy"]), proxies.problem_of_daemon(settings["daemon_options"])]
    return [sentence if sentence.endswith((".", "?")) else sentence + "." for sentence in found if sentence]


def mirror_problems(mirrors, options):
    """Yield what is wrong with registry mirrors, of which the engine would accept some and fall back to the Hub."""
    if mirrors and "registry-mirrors" in options:
        yield (
            "docker_engine_registry_mirrors and registry-mirrors in docker_engine_daemon_options are both set: remove "
            "one of the two"
        )
    for mirror in mirrors:
        if not MIRROR.match(mirror):
            yield (
                f"docker_engine_registry_mirrors has '{url_secrets.redact(mirror)}': write https://, the name of the "
                "cache and its port, such as https://cache.example.com:5000, without a path and without credentials"
            )


def hardened_problems(options):
    """Return a sentence for each contradiction between the profile hardened and the options of daemon.json."""
    found = []
    hosts = options.get("hosts")
    remote = [str(host) for host in hosts if access_policy.is_remote(str(host))] if isinstance(hosts, list) else []
    if remote and not access_policy.requires_client_certificates(options):
        found.append(
            "docker_engine_profile: hardened allows {} only with client certificates, also on loopback: use "
            "docker_access_tls instead, or set tlsverify, tlscacert, tlscert and tlskey in "
            "docker_engine_daemon_options".format(" and ".join(remote))
        )
    if options.get("iptables") is False and options.get("icc") is False:
        found.append(
            "docker_engine_daemon_options: iptables: false does not work with icc: false of docker_engine_profile: "
            "hardened: remove it, or set icc: true"
        )
    features = options.get("features")
    in_store = isinstance(features, dict) and features.get("containerd-snapshotter") is True
    if in_store and options.get("userns-remap"):
        found.append(
            "containerd's image store does not work with userns-remap of docker_engine_profile: hardened: remove "
            "docker_engine_image_store or features.containerd-snapshotter, or set userns-remap: null in "
            "docker_engine_daemon_options"
        )
    return found


def image_store_problem(store, features):
    """Return a sentence if features are no dictionary, or contradict docker_engine_image_store; None otherwise."""
    if features is None:
        return None
    if not isinstance(features, dict):
        return "docker_engine_daemon_options: features must be a dictionary, such as {containerd-snapshotter: true}."
    chosen = features.get("containerd-snapshotter")
    if not store or chosen is None or chosen is (store == "containerd"):
        return None
    return (
        f"docker_engine_image_store is {store}, and features in docker_engine_daemon_options has "
        f"containerd-snapshotter: {str(chosen).lower()}: remove one of the two."
    )
