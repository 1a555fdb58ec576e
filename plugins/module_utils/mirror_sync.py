# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Brings one tree of a mirror to what was chosen, without touching what is served until the new is whole."""

import os

from ansible_collections.slipway.platform.plugins.module_utils import (
    mirror_choice,
    mirror_index,
    mirror_tree,
)
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError


class Sync:
    """A tree, the repository that it copies, and the keyring that its packages have to satisfy."""

    def __init__(self, module, tree, source, keyring, pins, plugins):
        self.module, self.tree, self.source, self.keyring = module, tree, source, keyring
        tree.refuse_foreign()
        self.available = source.available()
        self.chosen = mirror_choice.choose(self.available, pins, plugins)
        self.intact = keyring.intact([path for folder in tree.folders() for path in mirror_tree.packages(folder)])
        self.current = self.is_current()
        self.staged = None

    def is_current(self):
        """Whether what is served is what was chosen, whole and as its metadata say, and nothing else lies about."""
        served = mirror_tree.packages(self.tree.served())
        return (
            not self.tree.leftovers()
            and set(self.intact) == {build.nevra for build in self.chosen}
            and sorted(self.intact.values()) == served
            and mirror_index.fits(self.tree.served(), served)
        )

    def stage(self):
        """Make the new content beside the old: what is intact is linked, the rest is downloaded and verified."""
        self.staged = self.tree.stage()
        packages = mirror_tree.packages_folder(self.staged)
        for build in self.chosen:
            if build.nevra in self.intact:
                os.link(self.intact[build.nevra], os.path.join(packages, build.file))
        missing = [build for build in self.chosen if build.nevra not in self.intact]
        if missing:
            self.source.download(missing, packages)
            self.refuse_unsigned(missing, mirror_tree.packages(self.staged))
        self.index()

    def refuse_unsigned(self, builds, paths):
        intact = self.keyring.intact(paths)
        refused = [build.file for build in builds if build.nevra not in intact]
        if refused:
            raise MirrorError(
                "{} of {} {} damaged, or not signed by the pinned key: ask the repository's owner, or correct "
                "docker_mirror_gpg_fingerprint".format(
                    ", ".join(refused),
                    self.source.baseurl,
                    "is" if len(refused) == 1 else "are",
                )
            )

    def index(self):
        """Write the metadata, compressed so that the dnf of EL 8 reads them too."""
        program = self.module.get_bin_path("createrepo_c", required=True)
        command = [program, "--quiet", "--no-database", "--general-compress-type", "gz", self.staged]
        code, output, errors = self.module.run_command(command)
        if code:
            raise MirrorError("createrepo_c fails ({})".format(" ".join((output + errors).split())))

    def publish(self):
        self.tree.publish(self.staged)
        self.staged = None

    def discard(self):
        if self.staged:
            self.tree.discard(self.staged)
