#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_repository
short_description: Refuse what stands in the way of the engine, then write its yum repository with a pinned key
version_added: 0.1.0
description:
  - Looks at the installed packages, the pinned version, the kernel, the cgroups, the units and the disk, and fails with
    all problems at once, before anything is changed. Returns what to install.
  - Verifies the fingerprint of the repository's key before the key is written, and proves that the repository answers.
  - Writes the key first and the repository second, each in one step. When either proof fails, nothing is changed.
  - When both files are as wanted, verified locally, the network is not used.
options:
  package:
    description:
      - Which engine. V(docker-engine) is the historic package, installable only from a mirror of your own.
    type: str
    choices: [docker-ce, docker-engine]
    default: docker-ce
  version:
    description:
      - A pin such as V(26.1) (any 26.1.x) or V(26.1.5). The engine, its command line and the rootless extras share it.
      - Empty accepts whatever is installed, and the newest version otherwise.
      - The repository is asked only when the installed packages do not satisfy the pin.
      - Held by C(includepkgs) in O(file); with V(26.1), a plain C(dnf update) stays within 26.1.x.
    type: str
    default: ''
  plugins:
    description: Which plugins of the command line to install. Ignored for V(docker-engine).
    type: list
    elements: str
    choices: [buildx, compose]
    default: []
  conflicts:
    description:
      - With V(refuse), installed packages that conflict are a problem, named one by one.
      - With V(replace), they are returned only; remove them in the same transaction as the installation.
    type: str
    choices: [refuse, replace]
    default: refuse
  data_root:
    description:
      - Where the engine is going to keep its data. A directory that cannot hold them is a problem, little free space a
        warning.
    type: path
    default: /var/lib/docker
  data_root_leave_data:
    description: When V(false), data at the root in force, when that is another one, are a problem.
    type: bool
    default: false
  daemon_options:
    description:
      - The options of C(daemon.json) that the engine is going to have, as M(slipway.platform.docker_daemon) takes them.
      - Those that the engine's version cannot work with are a problem. They are not written here.
    type: dict
    default: {}
  baking:
    description:
      - Whether this is an image in the making. What answers at the engine's socket is not asked then.
    type: bool
    default: false
  repo_id:
    description: The repository's id, the name of its section.
    type: str
    default: docker-ce-stable
  file:
    description: Where the repository is written. A file that this module did not write is kept as a backup.
    type: path
    default: /etc/yum.repos.d/docker-ce.repo
  description:
    description: The repository's name in the output of dnf.
    type: str
    default: Docker CE Stable
  baseurl:
    description:
      - The address of the repository, required when O(state=present).
      - C($basearch) is allowed, C($releasever) is refused.
    type: str
  gpg_key:
    description: The key's address, or its path on the host when it starts with C(/). Required when O(state=present).
    type: str
  gpg_fingerprint:
    description:
      - The fingerprints of the keys to trust, with or without spaces. Required when O(state=present).
      - Every primary key in the key file has to be among them.
    type: list
    elements: str
  key_file:
    description: Where the key is written. With several repositories, give each a file of its own.
    type: path
    default: /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce
  proxy:
    description:
      - The proxy for the key and the repository, with credentials if needed; the file is then readable by root only.
      - Without it, the key is fetched as the environment says.
    type: str
  repo_gpgcheck:
    description: Whether dnf verifies a signature of the repository's index too. Docker does not promise to publish one.
    type: bool
    default: false
  module_hotfixes:
    description: Whether the repository's packages win over modular ones, as EL 8 needs it.
    type: bool
    default: false
  enabled:
    description: Whether dnf uses the repository unasked. When V(false), a stray update cannot touch the engine.
    type: bool
    default: true
  state:
    description:
      - V(unmanaged) writes nothing and only looks; the repository is somebody else's.
      - V(absent) removes O(file) and O(key_file), and the keys in it from rpm's database. Packages stay.
    type: str
    choices: [present, unmanaged, absent]
    default: present
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Proves key and repository as usual and writes nothing.
    support: full
  diff_mode:
    description: Shows the repository file, without the proxy's password.
    support: full
  idempotent:
    description: The second run changes nothing and needs no network.
    support: full
"""

EXAMPLES = r"""
- name: Trust Docker's repository
  slipway.platform.docker_repository:
    baseurl: https://download.docker.com/linux/centos/9/$basearch/stable
    gpg_key: https://download.docker.com/linux/centos/gpg
    gpg_fingerprint: [060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35]
    version: '26.1'
    plugins: [buildx, compose]
  register: repository

- name: Install what has been chosen
  ansible.builtin.dnf:
    name: "{{ repository.packages }}"
    allow_downgrade: true
  when: not repository.packages_present

- name: Remove the repository
  slipway.platform.docker_repository:
    state: absent
"""

RETURN = r"""
packages:
  description: What to give to one C(ansible.builtin.dnf) transaction. Plain names, or exact builds with a pin.
  returned: unless O(state=absent)
  type: list
  elements: str
  sample: [docker-ce-3:26.1.5-1.el9, docker-ce-cli-1:26.1.5-1.el9, containerd.io]
packages_present:
  description: Whether everything wanted is installed in a version that the pin allows.
  returned: unless O(state=absent)
  type: bool
installed:
  description: The epoch, version and release of each package of interest that is installed.
  returned: unless O(state=absent)
  type: dict
  sample: {docker-ce: 3:26.1.5-1.el9}
superseded:
  description: Builds that an interrupted upgrade has left beside those that replace them. Remove them.
  returned: unless O(state=absent)
  type: list
  elements: str
conflicting:
  description: Installed packages that stand in the way, and those that need them.
  returned: unless O(state=absent)
  type: list
  elements: str
announcements:
  description:
    - What a jump over a major version means, a sentence each.
    - Empty when the engine's version stays within the line that it has, or when there is no engine yet.
  returned: unless O(state=absent)
  type: list
  elements: str
problems:
  description: Every problem, a sentence each.
  returned: failure of the preflight
  type: list
  elements: str
backup_file:
  description: Where the repository file that this module did not write is kept.
  returned: when there was one
  type: str
"""

import os
import platform

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    openpgp,
    owned_groups,
    package_preflight,
    repository_key,
    rpm_packages,
    url_secrets,
    web_fetch,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import (
    WriteError,
    is_as_wanted,
    read_text,
    remove,
    write_atomically,
)
from ansible_collections.slipway.platform.plugins.module_utils.repository_variables import ENGINE

KEY_MODE = 0o644
TIMEOUT_SECONDS = 10
UNCHANGED = "Nothing was changed."


def read_trusted(params):
    """The key file on the host; nothing where it is not there, is damaged, or holds a key that is not pinned."""
    try:
        key = repository_key.read_file(params["key_file"])
        return None if openpgp.untrusted(key, params["gpg_fingerprint"]) else key
    except (OSError, openpgp.OpenPgpError):
        return None


def is_trusted_on_host(params):
    """Whether the key file on the host holds pinned keys only and has its mode."""
    return bool(read_trusted(params)) and is_as_wanted(params["key_file"], read_text(params["key_file"]), KEY_MODE)


def fetch_key(module):
    """The key from its source; fails unless every key in it is pinned."""
    params = module.params
    try:
        return repository_key.read(params["gpg_key"], params["gpg_fingerprint"], params["proxy"], ENGINE)
    except repository_key.KeyFileError as error:
        sentence = str(error)
        module.fail_json(msg=f"{sentence[0].upper()}{sentence[1:]}. {UNCHANGED}")


def prove_repository(module):
    """Fail unless the repository answers."""
    url = yum_repo.probe_url(module.params["baseurl"], platform.machine())
    try:
        web_fetch.fetch(url, module.params["proxy"], TIMEOUT_SECONDS)
    except web_fetch.FetchError as error:
        module.fail_json(msg=f"The repository at {url} cannot be reached ({error}): {error.remedy}. {UNCHANGED}")


def back_up_foreign(module):
    """Keep a repository file that somebody else wrote."""
    before = read_text(module.params["file"])
    if before is None or before.startswith(yum_repo.HEADER):
        return {}
    return {"backup_file": module.backup_local(module.params["file"])}


def difference(params, after):
    before = read_text(params["file"]) or ""
    return {
        "before_header": params["file"],
        "after_header": params["file"],
        "before": yum_repo.redact(url_secrets.redact(before)),
        "after": yum_repo.redact(url_secrets.redact(after)),
    }


def make_present(module):
    params = module.params
    try:
        held = rpm_packages.include_patterns(params["package"], params["version"])
        text = yum_repo.render(dict(params, includepkgs=held))
        params["gpg_fingerprint"] = [openpgp.normalise_fingerprint(pin) for pin in params["gpg_fingerprint"]]
    except (yum_repo.YumRepoError, openpgp.OpenPgpError) as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    mode = yum_repo.file_mode(params)
    key_is_fine = is_trusted_on_host(params)
    repo_is_fine = is_as_wanted(params["file"], text, mode)
    if key_is_fine and repo_is_fine:
        return {"changed": False}
    key = None if key_is_fine else fetch_key(module)
    prove_repository(module)
    result = {"changed": True, "diff": difference(params, text)}
    if not module.check_mode:
        if key is not None:
            write_atomically(params["key_file"], key.decode("utf-8", "surrogateescape"), KEY_MODE)
        result.update(back_up_foreign(module))
        write_atomically(params["file"], text, mode)
    return result


def make_absent(module):
    paths = [path for path in (module.params["file"], module.params["key_file"]) if os.path.lexists(path)]
    result = {"changed": bool(paths), "diff": difference(module.params, "")}
    if not module.check_mode:
        forget_imported_keys(module)
        result.update(back_up_foreign(module))
        for path in paths:
            remove(path)
    return result


def forget_imported_keys(module):
    """Take the key file's keys out of rpm's database, into which dnf has imported them."""
    try:
        fingerprints = openpgp.fingerprints(repository_key.read_file(module.params["key_file"]))
    except (OSError, openpgp.OpenPgpError):
        return  # nothing that dnf could have imported
    for fingerprint in fingerprints:
        # rpm names a key after the last eight digits of its fingerprint; one that it does not know is an error to it.
        module.run_command(["rpm", "--erase", "--allmatches", "gpg-pubkey-" + fingerprint[-8:].lower()])


def leave_alone(_):
    return {"changed": False}


MAKE = {"present": make_present, "unmanaged": leave_alone, "absent": make_absent}


def main():
    module = AnsibleModule(
        argument_spec={
            "package": {"type": "str", "choices": ["docker-ce", "docker-engine"], "default": "docker-ce"},
            "version": {"type": "str", "default": ""},
            "plugins": {"type": "list", "elements": "str", "choices": ["buildx", "compose"], "default": []},
            "conflicts": {"type": "str", "choices": ["refuse", "replace"], "default": "refuse"},
            "data_root": {"type": "path", "default": "/var/lib/docker"},
            "data_root_leave_data": {"type": "bool", "default": False},
            "daemon_options": {"type": "dict", "default": {}},
            "baking": {"type": "bool", "default": False},
            "repo_id": {"type": "str", "default": "docker-ce-stable"},
            "file": {"type": "path", "default": "/etc/yum.repos.d/docker-ce.repo"},
            "description": {"type": "str", "default": "Docker CE Stable"},
            "baseurl": {"type": "str"},
            "gpg_key": {"type": "str", "no_log": False},
            "gpg_fingerprint": {"type": "list", "elements": "str"},
            "key_file": {"type": "path", "default": "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce", "no_log": False},
            "proxy": {"type": "str", "no_log": True},
            "repo_gpgcheck": {"type": "bool", "default": False},
            "module_hotfixes": {"type": "bool", "default": False},
            "enabled": {"type": "bool", "default": True},
            "state": {"type": "str", "choices": ["present", "unmanaged", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("baseurl", "gpg_key", "gpg_fingerprint"))],
        supports_check_mode=True,
    )
    secrets = url_secrets.secrets_of([module.params[key] for key in ("proxy", "baseurl", "gpg_key", "daemon_options")])
    module.no_log_values.update(secrets)
    state = module.params["state"]
    result = {} if state == "absent" else package_preflight.look(module)
    if not module.check_mode and result and not result["packages_present"]:
        owned_groups.claim("docker")  # which the engine's package makes
    try:
        result.update(MAKE[state](module))
    except WriteError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
