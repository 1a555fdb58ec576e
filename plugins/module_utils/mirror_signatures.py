# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells which packages are whole and signed by a given key, whatever else the host trusts, and what they are."""

import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils import mirror_choice
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError

# Without the level, rpm finds nothing wrong with a package that has no signature.
STRICT = ("--define", "_pkgverify_level all")
INTACT = ": digests signatures OK"
# A line for mirror_choice.parse; the place is not asked for.
FORMAT = "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t\n"


class Keyring:
    """A private rpm database that holds one key file."""

    def __init__(self, module, key):
        self.module = module
        directory = tempfile.mkdtemp(dir=module.tmpdir)
        path = os.path.join(directory, "key")
        with open(path, "wb") as stream:
            stream.write(key)
        self.database = ["--dbpath", os.path.join(directory, "db")]
        code, output, errors = self.run("rpmkeys", "--import", path)
        if code:
            raise MirrorError("rpm does not import the pinned key ({})".format(" ".join((output + errors).split())))

    def intact(self, paths):
        """Those of the packages that are whole and signed, by what they say that they are: their names may lie."""
        if not paths:
            return {}
        signed = sorted(intact_in(self.run("rpmkeys", *STRICT, "--checksig", *paths)[1], paths))
        output = self.run("rpm", "--query", "--nosignature", "--queryformat", FORMAT, "--package", *signed)[1]
        return {build.nevra: signed[place] for place, build in enumerate(mirror_choice.parse(output))}

    def run(self, program, *arguments):
        command = [self.module.get_bin_path(program, required=True), *self.database, *arguments]
        return self.module.run_command(command, environ_update={"LC_ALL": "C"})


def intact_in(output, paths):
    """The paths that rpmkeys calls good. A line may begin with what it could not say of the package before."""
    lines = output.splitlines()
    return {path for path in paths if any(line.endswith(path + INTACT) for line in lines)}
