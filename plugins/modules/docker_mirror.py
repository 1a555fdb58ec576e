#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_mirror
short_description: Mirror chosen versions of the engine's packages, with their key, in the layout of download.docker.com
version_added: 0.1.0
description:
  - Verifies the fingerprint of each family's key, finds the chosen versions, and fails with all problems at once,
    before anything is changed.
  - Downloads what is missing or damaged, verifies that each package is signed by the pinned key, makes the metadata,
    and only then lets the trees be served, each in one step. What is served stays as it is when any of that fails.
  - Removes what is no longer chosen, last.
  - Every run asks the source, since a pin such as V(26.1) means the newest there is, and verifies every package.
options:
  source_root:
    description: What is mirrored. Trees are expected below it as below C(https://download.docker.com/linux).
    type: str
    required: true
  directory:
    description: Where the mirror lies. A web server that serves this directory serves the mirror below C(/linux).
    type: path
    required: true
  releases:
    description: Which releases to mirror, by the name of their family.
    type: dict
    required: true
    suboptions:
      centos:
        description: Releases of the tree that serves CentOS and most of its relatives.
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
    description: Which architectures to mirror, whatever the mirror's own is.
    type: list
    elements: str
    choices: [aarch64, ppc64le, s390x, x86_64]
    default: [x86_64]
  versions:
    description:
      - Pins of the engine, such as V(26.1) (the newest 26.1.x) or V(26.1.5). Empty is the newest of all.
      - A pin that only some of the repositories have is a warning; one that none has is a failure.
    type: list
    elements: str
    default: []
  plugins:
    description: Which plugins of the command line to mirror, in their newest version, as containerd.io is.
    type: list
    elements: str
    choices: [buildx, compose]
    default: [buildx, compose]
  gpg_key:
    description: The key's address, or its path on the mirror. Without it, C(<source_root>/<family>/gpg).
    type: str
  gpg_fingerprint:
    description: The fingerprints of the keys to trust, with or without spaces. Every key of the key file is among them.
    type: list
    elements: str
    required: true
  proxy:
    description: The proxy for the source, with credentials if needed.
    type: str
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Finds out and says what would come and go. Needs neither createrepo_c nor dnf's download command.
    support: full
  diff_mode:
    description: Shows the packages before and after.
    support: full
  idempotent:
    description: The second run changes nothing, unless the source has newer versions that the pins allow.
    support: full
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
  description: Whether the mirror differed from what was chosen; the same as C(changed), for tasks that hide that.
  returned: success
  type: bool
packages:
  description: What each tree holds, or would hold.
  returned: success
  type: dict
  sample: {linux/centos/9/x86_64/stable: [docker-ce-3:26.1.5-1.el9.x86_64]}
problems:
  description: Every problem, a sentence each.
  returned: when what was chosen is not there
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    mirror_choice,
    mirror_tree,
    proxy_address,
    repository_key,
    url_secrets,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import (
    WriteError,
    is_as_wanted,
    remove,
    write_atomically,
)
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError
from ansible_collections.slipway.platform.plugins.module_utils.mirror_signatures import Keyring
from ansible_collections.slipway.platform.plugins.module_utils.mirror_source import Source
from ansible_collections.slipway.platform.plugins.module_utils.mirror_sync import Sync
from ansible_collections.slipway.platform.plugins.module_utils.repository_variables import MIRROR

KEY_MODE = 0o644
UNCHANGED = "What is served stays as it was."


class Mirror:
    """What was asked for, and what is there."""

    def __init__(self, module):
        self.module, self.params = module, module.params
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
                msg=f"The mirror cannot be made as asked, nothing was changed:\n{listed}", problems=problems
            )

    def proxy_problems(self):
        if not self.params["proxy"] or proxy_address.is_address(self.params["proxy"]):
            return []
        return ["docker_mirror_proxy is not an address such as http://user:password@proxy.example.com:3128"]

    def key(self, family):
        source = self.params["gpg_key"] or "{}/{}/gpg".format(self.params["source_root"], family)
        return repository_key.read(source, self.params["gpg_fingerprint"], self.params["proxy"], MIRROR)

    def look(self, family):
        keyring = Keyring(self.module, self.keys[family])
        for release in self.releases[family]:
            for architecture in self.params["architectures"]:
                tree = mirror_tree.Tree(self.directory, family, release, architecture)
                baseurl = "/".join([self.params["source_root"], family, release, architecture, "stable"])
                source = Source(self.module, baseurl, self.params["proxy"])
                yield Sync(self.module, tree, source, keyring, self.params["versions"], self.params["plugins"])

    def absences(self):
        """A problem for what is nowhere, or leaves a tree without engine; a warning for a pin that is elsewhere."""
        pins, problems = self.params["versions"] or [""], []
        absent = {sync: mirror_choice.absent(sync.available, pins) for sync in self.syncs}
        nowhere = set.intersection(*map(set, absent.values()))
        for sync in self.syncs:
            url = sync.source.baseurl
            for pin in absent[sync]:
                sentence = mirror_choice.absence(pin, sync.available, url)
                if pin in nowhere or len(absent[sync]) == len(pins):
                    problems.append(sentence + "; set docker_mirror_versions to what there is")
                else:
                    self.module.warn(sentence)
            for name in mirror_choice.absent_companions(sync.available, self.params["plugins"]):
                problems.append(f"{name} is not in {url}: correct docker_mirror_source_root or docker_mirror_plugins")
        return problems

    def stale_keys(self):
        """The keys that are to be written: (path, text) of each."""
        texts = {
            mirror_tree.key_path(self.directory, family): key.decode("utf-8", "surrogateescape")
            for family, key in self.keys.items()
        }
        return [(path, text) for path, text in texts.items() if not is_as_wanted(path, text, KEY_MODE)]

    def is_current(self):
        return not self.abandoned and not self.stale_keys() and all(sync.current for sync in self.syncs)

    def make(self):
        """Everything new is whole before the first tree is served; what is old goes last."""
        stale = [sync for sync in self.syncs if not sync.current]
        try:
            for sync in stale:
                sync.stage()
            for path, text in self.stale_keys():
                write_atomically(path, text, KEY_MODE)
            self.relabel()
            for sync in stale:
                sync.publish()
        finally:
            for sync in stale:
                sync.discard()
        for tree in self.abandoned:
            if tree.family not in self.releases:
                remove(mirror_tree.key_path(self.directory, tree.family))
            tree.remove()

    def relabel(self):
        """Where SELinux is on, a web server reads only what has the label that the policy has for the directory."""
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


def main():
    releases = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
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
            "proxy": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    secrets = url_secrets.secrets_of([module.params[key] for key in ("proxy", "source_root", "gpg_key")])
    module.no_log_values.update(secrets)
    os.umask(0o022)  # the web server is another user, whatever the play's umask is
    try:
        mirror = Mirror(module)
        result = mirror.result()
        if result["changed"] and not module.check_mode:
            mirror.make()
    except (MirrorError, repository_key.KeyFileError, yum_repo.YumRepoError) as error:
        module.fail_json(msg=f"The mirror cannot be made: {error}. {UNCHANGED}")
    except WriteError as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename} cannot be written: {error.strerror}. Mend that, and run again. {UNCHANGED}"
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
