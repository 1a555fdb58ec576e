# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Read the source repository with dnf, under a private configuration."""

import os
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text, write_atomically
from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice as mirror_choice
from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError
from ansible_collections.slipway.platform.plugins.module_utils.packages import yum_repo
from ansible_collections.slipway.platform.plugins.module_utils.packages.dnf_query import DNF_CONFIG


class Source:
    """A repository to copy from."""

    def __init__(self, module, baseurl, proxy):
        self.module, self.baseurl = module, yum_repo.redact(baseurl)
        self.directory = tempfile.mkdtemp(dir=module.tmpdir)
        self.config = os.path.join(self.directory, "dnf.conf")
        # Private, to keep a proxy's password out of argv, and with its own cache, so that no answer is stale.
        main = (read_text(DNF_CONFIG) or "[main]\n") + f"\ncachedir={self.directory}\n"
        write_atomically(self.config, main + yum_repo.render_private("source", baseurl, proxy), 0o600)

    def available(self):
        """Return all builds in the repository; raise MirrorError."""
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
                f"packages from {self.baseurl} cannot be downloaded ({last_line(errors)}): fix this and run again"
            )

    def dnf(self, *arguments):
        dnf = [self.module.get_bin_path("dnf", required=True), "-q", "--config", self.config]
        return self.module.run_command([*dnf, f"--setopt=reposdir={self.directory}", "--repo=source", *arguments])


def last_line(errors):
    """Return the last line of dnf's errors, which is the reason."""
    lines = errors.strip().splitlines()
    return lines[-1].strip() if lines else "dnf gives no reason"
