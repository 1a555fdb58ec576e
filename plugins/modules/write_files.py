#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: write_files
short_description: Write several small text files in a single task
version_added: 0.1.0
description:
  - Each file is replaced atomically, belongs to the user who runs the module, and is readable by everyone.
  - Missing parent directories are created.
  - The content of the files is shown by C(--diff), so do not use it for secrets.
options:
  files:
    description: The text of each file, by its absolute path.
    type: dict
    required: true
  executable:
    description: Paths of the files that are executable.
    type: list
    elements: path
    default: []
  required_users:
    description: Users who must exist on the host. If one of them is missing, no file is written.
    type: list
    elements: str
    default: []
  exclusive_directories:
    description:
      - Directories that hold nothing but I(files). Any other file below them is removed, such as one of an earlier
        version, and so is a subdirectory that is empty afterwards.
      - At least one of I(files) must be below each of them.
    type: list
    elements: path
    default: []
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows each file that differs, without credentials in URLs.
  idempotent:
    support: full
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Install a command and its library
  slipway.platform.write_files:
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
    exclusive_directories: [/usr/local/lib/greeter]
"""

RETURN = r"""
changed_files:
  description: Paths of the files that differed.
  returned: success
  type: list
  elements: str
"""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets

FILE_MODE = 0o644
COMMAND_MODE = 0o755


def problem(files, exclusive):
    """Why the files cannot be written, or None."""
    for path, text in files.items():
        if not os.path.isabs(path):
            return f"the path {path!r} is not absolute: start it with /"
        if not isinstance(text, str):
            return f"the content of {path} is not a string: quote it, or convert it with the filter to_json"
    for directory in exclusive:
        if not any(path.startswith(os.path.join(directory, "")) for path in files):
            return f"none of the files is below {directory}: remove that from exclusive_directories"
    return None


def problem_of_users(names):
    """Why one of the users cannot use the files, or None."""
    try:
        for name in names:
            run_as.find_account(name)
    except run_as.AccountError as error:
        return str(error)
    return None


def differing(files, executable):
    """Path, text and mode of each file that differs, sorted by path."""
    wanted = [(path, text, COMMAND_MODE if path in executable else FILE_MODE) for path, text in sorted(files.items())]
    return [file for file in wanted if not host_files.is_up_to_date(*file)]


def leftovers(directories, files):
    """Path, None and None of each file below the directories that is not wanted there."""
    wanted = {os.path.normpath(path) for path in files}
    found = [
        os.path.normpath(os.path.join(parent, name))
        for directory in directories
        for parent, subdirectories, names in os.walk(directory)
        for name in names + [name for name in subdirectories if os.path.islink(os.path.join(parent, name))]
    ]
    return [(path, None, None) for path in sorted(found) if path not in wanted]


def difference(path, text, mode):
    if text is None:
        return {"prepared": f"{path} is removed\n"}
    header = f"{path} ({mode:04o})"
    before = url_secrets.redact(host_files.read_text(path) or "")
    return {"before_header": path, "after_header": header, "before": before, "after": url_secrets.redact(text)}


def remove_empty(directories):
    for directory in directories:
        for parent, subdirectories, _ in os.walk(directory, topdown=False):
            for name in subdirectories:
                host_files.remove_if_empty(os.path.join(parent, name))


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "files": {"type": "dict", "required": True},
            "executable": {"type": "list", "elements": "path", "default": []},
            "required_users": {"type": "list", "elements": "str", "default": []},
            "exclusive_directories": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    files, exclusive = module.params["files"], module.params["exclusive_directories"]
    wrong = problem(files, exclusive) or problem_of_users(module.params["required_users"])
    if wrong:
        module.fail_json(msg=f"{wrong[0].upper()}{wrong[1:]}. Nothing was changed.")
    changes = differing(files, module.params["executable"]) + leftovers(exclusive, files)
    result = {
        "changed": bool(changes),
        "changed_files": [path for path, _, _ in changes],
        "diff": [difference(*file) for file in changes],
    }
    try:
        if not module.check_mode:
            host_files.put_all(changes)
            remove_empty(exclusive)
    except host_files.WriteError as error:
        module.fail_json(msg=f"{error}.")
    except OSError as error:
        module.fail_json(msg=f"{error.filename} cannot be removed: {error.strerror}. Fix that, and run again.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
