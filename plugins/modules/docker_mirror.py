#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_mirror
short_description: Mirror selected versions of the engine's packages and their key like download.docker.com
version_added: 0.1.0
description:
  - Verifies the fingerprint of each family's key, finds the selected versions, and fails with a list of all problems
    before anything is changed.
  - Downloads what is missing or damaged, verifies that each package is signed by the pinned key, generates the
    metadata, and only then publishes the trees, each atomically. If any step fails, the published trees stay as they
    are.
  - Removes packages that are no longer selected, last.
  - Every run queries the source, because a pin such as V(26.1) means the newest 26.1.x, and verifies every package.
options:
  source_root:
    description: The source. Its trees must be laid out as those below C(https://download.docker.com/linux).
    type: str
    required: true
  directory:
    description: The mirror's directory. A web server that serves it serves the mirror below C(/linux).
    type: path
    required: true
  releases:
    description: Releases to mirror, by the name of their family.
    type: dict
    required: true
    suboptions:
      centos:
        description: Releases of the tree for CentOS and most of its relatives.
        type: list
        elements: str
        default: []
      fedora:
        description: Releases of Fedora.
        type: list
        elements: str
        default: []
      rhel:
        description: Releases of Red Hat Enterprise Linux.
        type: list
        elements: str
        default: []
  architectures:
    description: Architectures to mirror, independent of the mirror's own.
    type: list
    elements: str
    choices: [aarch64, ppc64le, s390x, x86_64]
    default: [x86_64]
  versions:
    description:
      - Pins of the engine, such as V(26.1) (the newest 26.1.x) or V(26.1.5). An empty list selects the newest version.
      - A pin that is missing in some of the repositories is a warning; one that is missing in all of them is a failure.
    type: list
    elements: str
    default: []
  plugins:
    description: CLI plugins to mirror. Like containerd.io, they are mirrored in their newest version.
    type: list
    elements: str
    choices: [buildx, compose]
    default: [buildx, compose]
  gpg_key:
    description: The key's URL, or its path on the mirror. The default is C(<source_root>/<family>/gpg).
    type: str
  gpg_fingerprint:
    description: Fingerprints of trusted keys, with or without spaces. They must include every key in the key file.
    type: list
    elements: str
    required: true
  signing_key:
    description:
      - Path on the mirror of a secret key without a passphrase, as written by C(gpg --export-secret-keys). It signs the
        metadata, so that hosts can verify them (C(repo_gpgcheck)). Requires gpg on the mirror.
      - Its public part is published next to the packages' key as C(linux/<family>/gpg-with-metadata).
    type: path
  proxy:
    description: The proxy for the source, with credentials if needed.
    type: str
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Lists the packages that would be added and removed. Needs neither createrepo_c nor dnf's download command.
  diff_mode:
    support: full
    details: Shows the packages before and after.
  idempotent:
    support: full
    details: A second run changes something only if the source has newer versions that the pins allow.
seealso:
  - module: slipway.platform.docker_package_repository
"""

EXAMPLES = r"""
- name: Mirror two versions for two releases
  slipway.platform.docker_mirror:
    source_root: https://download.docker.com/linux
    directory: /var/www/slipway-mirror
    releases:
      centos: ["9", "10"]
    versions: ["26.1", "20.10.24"]
    gpg_fingerprint: [060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35]
"""

RETURN = r"""
pending:
  description: Whether the mirror differed from the selection; the same as C(changed), for tasks that override that.
  returned: success
  type: bool
packages:
  description: The packages of each tree, in check mode after the run that was simulated.
  returned: success
  type: dict
  sample: {linux/centos/9/x86_64/stable: [docker-ce-3:26.1.5-1.el9.x86_64]}
problems:
  description: A sentence for each problem.
  returned: when something that was selected does not exist
  type: list
  elements: str
"""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host.files import WriteError, is_up_to_date, put, remove
from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice as mirror_choice
from ansible_collections.slipway.platform.plugins.module_utils.mirror import tree as mirror_tree
from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError
from ansible_collections.slipway.platform.plugins.module_utils.mirror.signing import MetadataSigner, NoSigner
from ansible_collections.slipway.platform.plugins.module_utils.mirror.source import Source
from ansible_collections.slipway.platform.plugins.module_utils.mirror.sync import Sync
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.packages import repository_key, yum_repo
from ansible_collections.slipway.platform.plugins.module_utils.packages.pinned_keyring import (
    KeyringError,
    PinnedKeyring,
)
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import MIRROR

KEY_MODE = 0o644
UNCHANGED = "The published mirror is unchanged."


class Mirror:
    """The requested mirror, and the one that exists."""

    def __init__(self, module, signer):
        self.module, self.params, self.signer = module, module.params, signer
        self.directory = self.params["directory"]
        self.releases = {family: numbers for family, numbers in self.params["releases"].items() if numbers}
        self.refuse(mirror_choice.pin_problems(self.params["versions"]) + self.proxy_problems())
        self.keys = {family: self.key(family) for family in self.releases}
        self.syncs = [sync for family in self.releases for sync in self.look(family)]
        self.refuse(self.absences())
        chosen = {sync.tree.name for sync in self.syncs}
        self.abandoned = [tree for tree in mirror_tree.existing(self.directory) if tree.name not in chosen]

    def refuse(self, problems):
        if problems:
            listed = "\n".join("- " + problem for problem in problems)
            self.module.fail_json(
                msg=f"The mirror cannot be created as requested, nothing was changed:\n{listed}", problems=problems
            )

    def proxy_problems(self):
        if not self.params["proxy"] or proxies.is_address(self.params["proxy"]):
            return []
        return ["docker_mirror_proxy is not an address such as http://user:password@proxy.example.com:3128"]

    def key(self, family):
        source = self.params["gpg_key"] or "{}/{}/gpg".format(self.params["source_root"], family)
        return repository_key.read(source, self.params["gpg_fingerprint"], self.params["proxy"], MIRROR)

    def look(self, family):
        keyring = PinnedKeyring(self.module, self.keys[family])
        for release in self.releases[family]:
            for architecture in self.params["architectures"]:
                tree = mirror_tree.Tree(self.directory, family, release, architecture)
                baseurl = "/".join([self.params["source_root"], family, release, architecture, "stable"])
                source = Source(self.module, baseurl, self.params["proxy"])
                pins, plugins = self.params["versions"], self.params["plugins"]
                yield Sync(self.module, tree, source, keyring, self.signer, pins, plugins)

    def absences(self):
        """The problems: pins that no tree has, trees without an engine. A pin that some trees lack is a warning."""
        pins, problems = self.params["versions"] or [""], []
        absent = {sync: mirror_choice.absent(sync.available, pins) for sync in self.syncs}
        nowhere = set.intersection(*map(set, absent.values()))
        for sync in self.syncs:
            url = sync.source.baseurl
            for pin in absent[sync]:
                sentence = mirror_choice.absence(pin, sync.available, url)
                if pin in nowhere or len(absent[sync]) == len(pins):
                    problems.append(sentence + "; set docker_mirror_versions to available versions")
                else:
                    self.module.warn(sentence)
            for name in mirror_choice.absent_companions(sync.available, self.params["plugins"]):
                problems.append(f"{name} is not in {url}: correct docker_mirror_source_root or docker_mirror_plugins")
        return problems

    def key_files(self):
        """Path and text of each key file; None as text means that it is absent."""
        for family, key in self.keys.items():
            yield mirror_tree.key_path(self.directory, family), key.decode("ascii")
            everything = (key + self.signer.public).decode("ascii") if self.signer.public else None
            yield mirror_tree.all_keys_path(self.directory, family), everything

    def stale_keys(self):
        return [(path, text) for path, text in self.key_files() if not is_up_to_date(path, text, KEY_MODE)]

    def is_current(self):
        return not self.abandoned and not self.stale_keys() and all(sync.current for sync in self.syncs)

    def make(self):
        """Complete all new trees before the first one is published, and remove the old ones last."""
        stale = [sync for sync in self.syncs if not sync.current]
        try:
            for sync in stale:
                sync.stage()
            for path, text in self.stale_keys():
                put(path, text, KEY_MODE)
            self.relabel()
            for sync in stale:
                sync.publish()
        finally:
            for sync in stale:
                sync.discard()
        for tree in self.abandoned:
            if tree.family not in self.releases:
                remove(mirror_tree.key_path(self.directory, tree.family))
                remove(mirror_tree.all_keys_path(self.directory, tree.family))
            tree.remove()

    def relabel(self):
        """Restore the labels of the directory, without which SELinux denies a web server access."""
        if self.module.selinux_enabled():
            self.module.run_command(
                [self.module.get_bin_path("restorecon", required=True), "-R", self.directory], check_rc=True
            )

    def before(self):
        trees = [sync.tree for sync in self.syncs] + self.abandoned
        return sorted(
            os.path.join(tree.name, os.path.basename(path))
            for tree in trees
            for path in mirror_tree.packages(tree.served())
        )

    def after(self):
        return sorted(os.path.join(sync.tree.name, build.file) for sync in self.syncs for build in sync.chosen)

    def result(self):
        pending = not self.is_current()
        return {
            "changed": pending,
            "pending": pending,
            "packages": {sync.tree.name: [build.nevra for build in sync.chosen] for sync in self.syncs},
            "diff": {
                "before": "".join(map("{}\n".format, self.before())),
                "after": "".join(map("{}\n".format, self.after())),
            },
        }


def make(module):
    signing_key = module.params["signing_key"]
    signer = MetadataSigner(module, signing_key) if signing_key else NoSigner()
    try:
        mirror = Mirror(module, signer)
        result = mirror.result()
        if result["changed"] and not module.check_mode:
            mirror.make()
        return result
    finally:
        signer.close()


@explained
def main():
    releases = {"type": "list", "elements": "str", "default": []}
    module = GuardedModule(
        argument_spec={
            "source_root": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "releases": {
                "type": "dict",
                "required": True,
                "options": {"centos": releases, "fedora": releases, "rhel": releases},
            },
            "architectures": {
                "type": "list",
                "elements": "str",
                "choices": ["aarch64", "ppc64le", "s390x", "x86_64"],
                "default": ["x86_64"],
            },
            "versions": {"type": "list", "elements": "str", "default": []},
            "plugins": {
                "type": "list",
                "elements": "str",
                "choices": ["buildx", "compose"],
                "default": ["buildx", "compose"],
            },
            "gpg_key": {"type": "str", "no_log": False},
            "gpg_fingerprint": {"type": "list", "elements": "str", "required": True},
            "signing_key": {"type": "path", "no_log": False},
            "proxy": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    try:
        result = make(module)
    except (MirrorError, KeyringError, repository_key.KeyFileError, yum_repo.YumRepoError) as error:
        module.fail_json(msg=f"The mirror cannot be created: {error}. {UNCHANGED}")
    except WriteError as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename} cannot be written: {error.strerror}. Fix that, then run again. {UNCHANGED}"
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
