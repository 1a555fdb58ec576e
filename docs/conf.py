# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes the site of these pages: `make docs`."""

import re
from typing import Any

from docutils import nodes

project = "Slipway"
author = "Slipway contributors"
copyright = author

extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# A console's transcript and a Dockerfile with its own comments are more than their lexers know.
highlight_language = "none"

html_theme = "sphinx_ansible_theme"
html_title = "Slipway"
html_short_title = "Slipway"
html_static_path = ["_static"]
html_css_files = ["slipway.css"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "documentation_home_url": "index.html",
    "topbar_links": {},
    "navigation_depth": 3,
    "collapse_navigation": False,
}

# Other projects' labels that the pages of antsibull-docs name; nothing is fetched while the site is built.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
ELSEWHERE = {
    "action_plugins": f"{ANSIBLE}/plugins/action.html",
    "callback_plugins": f"{ANSIBLE}/plugins/callback.html",
    "common_return_values": f"{ANSIBLE}/reference_appendices/common_return_values.html",
}
PLUGIN = re.compile(r"ansible_collections\.(?P<namespace>\w+)\.(?P<name>\w+)\.(?P<plugin>\w+_(?:module|role|lookup))$")


def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Lead labels of Ansible and of other collections to docs.ansible.com; those of this collection must be here."""
    target = str(node.get("reftarget", ""))
    found = PLUGIN.match(target)
    address = ELSEWHERE.get(target)
    if found and found["namespace"] != "slipway":
        address = f"{ANSIBLE}/collections/{found['namespace']}/{found['name']}/{found['plugin']}.html"
    if address is None:
        return None
    reference = nodes.reference("", "", internal=False, refuri=address)
    reference.append(content)
    return reference


def setup(app: Any) -> None:
    app.connect("missing-reference", resolve)
