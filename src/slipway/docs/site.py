# SPDX-License-Identifier: Apache-2.0
"""The site: the pages of docs, with the reference in the form that antsibull-docs has for Sphinx."""

import shutil
import tempfile
from pathlib import Path

from slipway.docs import reference

BUILD = Path("docs/_build")


def build(project: Path) -> Path:
    """Build the site, where any warning is an error, and return its folder. Raises reference.ToolError."""
    source, site = project / BUILD / "source", project / BUILD / "html"
    shutil.rmtree(project / BUILD, ignore_errors=True)
    shutil.copytree(project / "docs", source, ignore=shutil.ignore_patterns("_build"))
    with tempfile.TemporaryDirectory() as made:
        reference.run_antsibull(project, Path(made), "ansible-docsite")
        for entry in reference.entries(project):
            shutil.copy(Path(made) / entry.page, source / "reference")
    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--jobs=auto"]
    reference.run_tool(["sphinx-build", *options, "--builder=html", str(source), str(site)])
    return site
