# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks dnf what repositories have, the one that is still to be written among them."""

import os
import shutil
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils import rpm_packages, yum_repo
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text, write_atomically

DNF_CONFIG = "/etc/dnf/dnf.conf"


class RepositoryError(Exception):
    """What the repositories have cannot be read."""


def repoquery(module, *arguments):
    """The output of dnf repoquery, to which the wanted repository is known, if it is ours to write."""
    command = [module.get_bin_path("dnf", required=True), "-q", "repoquery", *arguments]
    directory = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        if module.params["baseurl"]:
            command += ["--config", write_dnf_config(module.params, directory)]
        code, output, errors = module.run_command(command)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if code:
        raise RepositoryError(" ".join(errors.split()) or f"dnf ended with {code}")
    return output


def write_dnf_config(params, directory):
    """The host's configuration and the repository in one private file: a proxy's password stays out of argv.

    The repository holds all versions here, whatever the pin in the file that it has on the host.
    """
    config = os.path.join(directory, "dnf.conf")
    repository = yum_repo.render_private(params["repo_id"], params["baseurl"], params["proxy"])
    write_atomically(config, (read_text(DNF_CONFIG) or "[main]\n") + repository, 0o600)
    return config


def builds_of(module, names):
    """All builds of the packages in the repository that the engine comes from."""
    params = module.params
    own = ["--setopt=reposdir=/dev/null"] if params["baseurl"] else []
    output = repoquery(module, *own, "--repo", params["repo_id"], "--qf", rpm_packages.REPOQUERY_FORMAT, *names)
    return rpm_packages.parse(output)


def provides(module, capability):
    """Whether any enabled repository has it."""
    return bool(repoquery(module, "--whatprovides", capability).strip())
