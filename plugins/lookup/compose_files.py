# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: compose_files
short_description: Read the compose files of projects that are named by their paths
version_added: 0.1.0
description:
  - Returns projects as M(slipway.platform.docker_services) takes them. Where C(compose) is a path on the controller,
    the text of the file takes its place. A mapping, and a text of several lines, stay as they are.
  - A relative path is found as that of C(ansible.builtin.file), in C(files) of the playbook first. A file that
    Ansible Vault has encrypted is decrypted.
  - The text is no template, so that C(${NAME}) and braces in it are Compose's.
options:
  _terms:
    description: One list of projects.
    type: list
    elements: list
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.docker_services
"""

EXAMPLES = r"""
- name: Deploy what is in a file
  slipway.platform.docker_services:
    services: "{{ lookup('slipway.platform.compose_files', [{'name': 'shop', 'compose': 'shop.yml'}]) }}"
"""

RETURN = r"""
_raw:
  description: The projects.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """Takes the list of projects as its only term."""

    def run(self, terms, variables=None, **kwargs):
        return [[self.read(project, variables) for project in projects] for projects in terms]

    def read(self, project, variables):
        compose = project.get("compose") if isinstance(project, dict) else None
        if not isinstance(compose, str) or not compose.strip() or "\n" in compose.strip():
            return project
        path = self.find_file_in_search_path(variables, "files", compose, ignore_missing=True)
        if path is None:
            raise AnsibleLookupError(
                f"the compose file {compose} of {project.get('name')} does not exist on the controller: correct its "
                "path, or write it absolutely, such as with inventory_dir"
            )
        try:
            # A copy without encryption, if there is any.
            with open(self._loader.get_real_file(path), encoding="utf-8") as stream:
                text = stream.read()
        except (OSError, ValueError) as error:
            raise AnsibleLookupError(f"the compose file {path} cannot be read: {error}") from error
        return {**project, "compose": text if "\n" in text.strip() else f"{text.strip()}\n#\n"}
