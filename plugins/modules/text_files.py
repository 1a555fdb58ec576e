#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: text_files
short_description: Write several small text files in one trip to the host
version_added: 0.1.0
description:
  - Each file is replaced in one step, belongs to the user who runs this, and is for all to read.
  - Directories that are missing are made.
  - What is in the files is shown by C(--diff), so they are no place for secrets.
options:
  files:
    description: The text of each file, by its absolute path.
    type: dict
    required: true
  executable:
    description: Those of the paths that are commands.
    type: list
    elements: path
    default: []
  required_users:
    description: Users of the host for whom the files are. Where one of them is missing, nothing is written.
    type: list
    elements: str
    default: []
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Foretells the changes and writes nothing.
    support: full
  diff_mode:
    description: Shows each file that differs.
    support: full
  idempotent:
    description: The second run changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Install a command with its library
  slipway.platform.text_files:
    files:
      /usr/local/lib/greeter/words.py: |
        HELLO = "Hello"
      /usr/local/bin/greeter: |
        #!/usr/bin/python3
        import sys
        sys.path.insert(0, "/usr/local/lib/greeter")
        import words
        print(words.HELLO)
    executable: [/usr/local/bin/greeter]
"""

RETURN = r"""
changed_files:
  description: The paths of the files that were not as wanted.
  returned: success
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import acting_as, file_io

FILE_MODE = 0o644
COMMAND_MODE = 0o755


def problem(files):
    """What is wrong with the wanted files, or None."""
    for path, text in files.items():
        if not os.path.isabs(path):
            return f"the path {path!r} is not absolute: start it with /"
        if not isinstance(text, str):
            return f"what {path} is to hold is no text: quote it, or make it JSON with the filter to_json"
    return None


def problem_of_users(names):
    """Why the files are of no use to one of the users, or None."""
    try:
        for name in names:
            acting_as.find_account(name)
    except acting_as.AccountError as error:
        return str(error)
    return None


def differing(files, executable):
    """Path, text and mode of each file that is not as wanted, in the order of their paths."""
    wanted = [(path, text, COMMAND_MODE if path in executable else FILE_MODE) for path, text in sorted(files.items())]
    return [file for file in wanted if not file_io.is_as_wanted(*file)]


def difference(path, text, mode):
    header = f"{path} ({mode:04o})"
    return {"before_header": path, "after_header": header, "before": file_io.read_text(path) or "", "after": text}


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "required": True},
            "executable": {"type": "list", "elements": "path", "default": []},
            "required_users": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    wrong = problem(module.params["files"]) or problem_of_users(module.params["required_users"])
    if wrong:
        module.fail_json(msg=f"{wrong[0].upper()}{wrong[1:]}. Nothing was changed.")
    changes = differing(module.params["files"], module.params["executable"])
    result = {
        "changed": bool(changes),
        "changed_files": [path for path, _, _ in changes],
        "diff": [difference(*file) for file in changes],
    }
    try:
        if not module.check_mode:
            file_io.put_all(changes)
    except file_io.WriteError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
