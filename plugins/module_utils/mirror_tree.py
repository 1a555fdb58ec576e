# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The folders of a mirror, in the layout of download.docker.com.

What is served as `stable` is a link to a folder `.stable-*` beside it, which is made whole before the link is moved:
clients see the old packages with the old metadata, or the new with the new, whenever a run ends.
"""

import glob
import os
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.file_io import sync_directory
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError

PREFIX = ".stable-"


class Tree:
    """The packages of one release of one family for one architecture."""

    def __init__(self, directory, family, release, architecture):
        self.family = family
        self.name = os.path.join("linux", family, release, architecture, "stable")
        self.link = os.path.join(directory, self.name)
        self.parent = os.path.dirname(self.link)

    def refuse_foreign(self):
        if os.path.lexists(self.link) and not os.path.islink(self.link):
            raise MirrorError(
                f"{self.link} is there already and is none of this mirror's: move it away, or choose another "
                "docker_mirror_directory"
            )

    def served(self):
        """The folder that is served, or None."""
        return os.path.realpath(self.link) if os.path.isdir(self.link) else None

    def folders(self):
        """The folder that is served, and those that an interrupted run has left."""
        return sorted(glob.glob(os.path.join(self.parent, PREFIX + "*")))

    def leftovers(self):
        return [folder for folder in self.folders() if folder != self.served()]

    def stage(self):
        """A new folder, to be filled."""
        os.makedirs(self.parent, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=self.parent)
        os.chmod(folder, 0o755)  # mkdtemp lets nobody else in, and the web server is somebody else
        os.mkdir(packages_folder(folder))
        return folder

    def publish(self, folder):
        """Serve the folder from now on, and remove the others."""
        fresh = os.path.join(self.parent, ".stable")
        if os.path.lexists(fresh):
            os.unlink(fresh)
        os.symlink(os.path.basename(folder), fresh)
        os.rename(fresh, self.link)
        sync_directory(self.parent)
        self.clear()

    def discard(self, folder):
        """Take away what was staged in vain, and the parents that were made for it."""
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
    """The paths of the packages in a folder."""
    return sorted(glob.glob(os.path.join(packages_folder(folder), "*.rpm"))) if folder else []


def key_path(directory, family):
    return os.path.join(directory, "linux", family, "gpg")


def existing(directory):
    """Every tree that was made in the directory, finished or not."""
    parents = {
        os.path.dirname(path) for path in glob.glob(os.path.join(directory, "linux", "*", "*", "*", PREFIX + "*"))
    }
    return [Tree(directory, *parent.split(os.sep)[-3:]) for parent in sorted(parents)]
