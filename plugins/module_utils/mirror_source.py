# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the repository that is mirrored with dnf, under a private configuration."""

import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils import mirror_choice, yum_repo
from ansible_collections.slipway.platform.plugins.module_utils.dnf_query import DNF_CONFIG
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text, write_atomically
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError


class Source:
    """One repository to copy from."""

    def __init__(self, module, baseurl, proxy):
        self.module, self.baseurl = module, baseurl
        self.directory = tempfile.mkdtemp(dir=module.tmpdir)
        self.config = os.path.join(self.directory, "dnf.conf")
        # Private, so that a proxy's password stays out of argv, and with a cache of its own: no answer is old.
        main = (read_text(DNF_CONFIG) or "[main]\n") + f"\ncachedir={self.directory}\n"
        write_atomically(self.config, main + yum_repo.render_private("source", baseurl, proxy), 0o600)

    def available(self):
        """The builds that there are to choose from."""
        code, output, errors = self.dnf("repoquery", "--queryformat", mirror_choice.FORMAT)
        if code:
            raise MirrorError(
                f"the repository {self.baseurl} cannot be read ({last_line(errors)}): "
                "check docker_mirror_source_root, docker_mirror_releases and the proxy"
            )
        return mirror_choice.parse(output)

    def download(self, builds, directory):
        code, _, errors = self.dnf("download", "--destdir", directory, *(build.nevra for build in builds))
        if code:
            raise MirrorError(
                f"packages of {self.baseurl} cannot be downloaded ({last_line(errors)}): run again when that is cured"
            )

    def dnf(self, *arguments):
        dnf = [self.module.get_bin_path("dnf", required=True), "-q", "--config", self.config]
        return self.module.run_command([*dnf, f"--setopt=reposdir={self.directory}", "--repo=source", *arguments])


def last_line(errors):
    """What dnf says in the end, which is the reason."""
    lines = errors.strip().splitlines()
    return lines[-1].strip() if lines else "dnf says nothing"
