# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Update one tree of a mirror; what is served does not change until the new content is complete."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice as mirror_choice
from ansible_collections.slipway.platform.plugins.module_utils.mirror import index as mirror_index
from ansible_collections.slipway.platform.plugins.module_utils.mirror import signatures
from ansible_collections.slipway.platform.plugins.module_utils.mirror import tree as mirror_tree
from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError


class Sync:
    """A tree, its source repository, the keyring that verifies its packages, and the signer of its metadata."""

    def __init__(self, module, tree, source, keyring, signer, pins, plugins):
        self.module, self.tree, self.source, self.keyring, self.signer = module, tree, source, keyring, signer
        tree.refuse_foreign()
        self.available = source.available()
        self.chosen = mirror_choice.choose(self.available, pins, plugins)
        self.intact = self.verified([path for folder in tree.folders() for path in mirror_tree.packages(folder)])
        self.current = self.is_current()
        self.staged = None

    def verified(self, paths):
        return signatures.intact(self.keyring, paths)

    def is_current(self):
        """Return whether exactly the chosen packages are served, intact, with matching metadata and no leftovers."""
        served = mirror_tree.packages(self.tree.served())
        return (
            not self.tree.leftovers()
            and set(self.intact) == {build.nevra for build in self.chosen}
            and sorted(self.intact.values()) == served
            and mirror_index.fits(self.tree.served(), served)
            and self.signer.is_signed(self.tree.served())
        )

    def stage(self):
        """Build the new content beside the old: link intact packages, download and verify the rest."""
        self.staged = self.tree.stage()
        packages = mirror_tree.packages_folder(self.staged)
        for build in self.chosen:
            if build.nevra in self.intact:
                os.link(self.intact[build.nevra], os.path.join(packages, build.file))
        missing = [build for build in self.chosen if build.nevra not in self.intact]
        if missing:
            self.source.download(missing, packages)
            intact = self.verified(mirror_tree.packages(self.staged))
            self.refuse_unsigned(missing, intact)
            for build in missing:  # the source may call its file otherwise
                os.rename(intact[build.nevra], os.path.join(packages, build.file))
        self.index()

    def refuse_unsigned(self, builds, intact):
        refused = [build.file for build in builds if build.nevra not in intact]
        if refused:
            raise MirrorError(
                "{} from {} {} damaged or not signed by the pinned key: ask the repository's owner, or correct "
                "docker_mirror_gpg_fingerprint".format(
                    ", ".join(refused),
                    self.source.baseurl,
                    "is" if len(refused) == 1 else "are",
                )
            )

    def index(self):
        """Write the metadata, compressed so that dnf on EL 8 can read it too, and sign it."""
        program = self.module.get_bin_path("createrepo_c", required=True)
        command = [program, "--quiet", "--no-database", "--general-compress-type", "gz", self.staged]
        code, output, errors = self.module.run_command(command)
        if code:
            raise MirrorError(
                "createrepo_c failed ({}): fix this and run again".format(" ".join((output + errors).split()))
            )
        self.signer.sign(self.staged)

    def publish(self):
        self.tree.publish(self.staged)
        self.staged = None

    def discard(self):
        if self.staged:
            self.tree.discard(self.staged)
