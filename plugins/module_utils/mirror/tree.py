# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The directories of a mirror, in the layout of download.docker.com.

`stable` is a link to a directory `.stable-*` beside it, which is complete before the link is switched: clients see the
old packages with the old metadata or the new with the new, even if a run is interrupted.
"""

import glob
import os
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host.files import make_directory, sync_directory
from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError

PREFIX = ".stable-"


class Tree:
    """The packages for one release of one distribution family on one architecture."""

    def __init__(self, directory, family, release, architecture):
        self.family = family
        self.name = os.path.join("linux", family, release, architecture, "stable")
        self.link = os.path.join(directory, self.name)
        self.parent = os.path.dirname(self.link)

    def refuse_foreign(self):
        if os.path.lexists(self.link) and not os.path.islink(self.link):
            raise MirrorError(
                f"{self.link} already exists and was not created by this mirror: move it away, or choose another "
                "docker_mirror_directory"
            )

    def served(self):
        """Return the directory that is served, or None."""
        return os.path.realpath(self.link) if os.path.isdir(self.link) else None

    def folders(self):
        """Return the directory that is served, and those left behind by interrupted runs."""
        return sorted(glob.glob(os.path.join(self.parent, PREFIX + "*")))

    def leftovers(self):
        return [folder for folder in self.folders() if folder != self.served()]

    def stage(self):
        """Create an empty directory for new content, and return it."""
        make_directory(self.parent, 0o755)
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=self.parent)
        os.chmod(folder, 0o755)  # mkdtemp denies access to others, such as the web server
        make_directory(packages_folder(folder), 0o755)
        return folder

    def publish(self, folder):
        """Switch to serving the directory, and remove the others."""
        new_link = os.path.join(self.parent, ".stable")
        if os.path.lexists(new_link):
            os.unlink(new_link)
        os.symlink(os.path.basename(folder), new_link)
        os.rename(new_link, self.link)
        sync_directory(self.parent)
        self.clear()

    def discard(self, folder):
        """Remove a staged directory that will not be published, and parents that are empty now."""
        shutil.rmtree(folder, ignore_errors=True)
        self.prune()

    def prune(self):
        if not os.listdir(self.parent):
            os.removedirs(self.parent)

    def clear(self):
        for folder in self.leftovers():
            shutil.rmtree(folder)

    def remove(self):
        if os.path.islink(self.link):
            os.unlink(self.link)
        self.clear()
        self.prune()


def packages_folder(folder):
    return os.path.join(folder, "Packages")


def packages(folder):
    """Return the paths of the packages in a directory."""
    return sorted(glob.glob(os.path.join(packages_folder(folder), "*.rpm"))) if folder else []


def key_path(directory, family):
    return os.path.join(directory, "linux", family, "gpg")


def all_keys_path(directory, family):
    """Return the path of the file with the packages' keys and the key that signs the metadata."""
    return key_path(directory, family) + "-with-metadata"


def existing(directory):
    """Return every tree in the directory, complete or not."""
    parents = {
        os.path.dirname(path) for path in glob.glob(os.path.join(directory, "linux", "*", "*", "*", PREFIX + "*"))
    }
    return [Tree(directory, *parent.split(os.sep)[-3:]) for parent in sorted(parents)]
