# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells which packages are whole and signed by a given key, and by no other that the host may trust."""

import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError

# Without the level, rpm finds nothing wrong with a package that has no signature.
STRICT = ("--define", "_pkgverify_level all")
INTACT = ": digests signatures OK"


class Keyring:
    """A private rpm database that holds one key file."""

    def __init__(self, module, key):
        self.module = module
        directory = tempfile.mkdtemp(dir=module.tmpdir)
        path = os.path.join(directory, "key")
        with open(path, "wb") as stream:
            stream.write(key)
        self.command = [module.get_bin_path("rpmkeys", required=True), "--dbpath", os.path.join(directory, "db")]
        code, output, errors = self.rpmkeys("--import", path)
        if code:
            raise MirrorError("rpm does not import the pinned key ({})".format(" ".join((output + errors).split())))

    def intact(self, paths):
        """Those of the packages that are whole and signed."""
        return intact_in(self.rpmkeys(*STRICT, "--checksig", *paths)[1], paths) if paths else set()

    def rpmkeys(self, *arguments):
        return self.module.run_command(self.command + list(arguments), environ_update={"LC_ALL": "C"})


def intact_in(output, paths):
    """The paths that rpmkeys calls good. A line may begin with what it could not say of the package before."""
    lines = output.splitlines()
    return {path for path in paths if any(line.endswith(path + INTACT) for line in lines)}
