#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_package_repository
short_description: Check that the engine can be installed, then write its yum repository with a pinned key
version_added: 0.1.0
description:
  - Checks the installed packages, the pinned version, the kernel, the cgroups, the units and the disk, and fails with a
    list of all problems before anything is changed. Returns the packages to install.
  - Verifies the fingerprint of the repository's key before the key is written, and that the repository can be reached.
  - Writes the key first and the repository second, each atomically. If either check fails, nothing is changed.
  - If both files are up to date, which is verified locally, the network is not used.
options:
  package:
    description:
      - The engine package. V(docker-engine) is the historic one, available from your own mirror only.
    type: str
    choices: [docker-ce, docker-engine]
    default: docker-ce
  version:
    description:
      - A pin such as V(29.7) (any 29.7.x) or V(29.7.2). It applies to the engine, its CLI and the rootless extras.
      - An empty string accepts the installed version, or else the newest one.
      - The repository is only queried if the installed packages do not satisfy the pin.
      - Enforced by C(includepkgs) in O(file); with V(29.7), a plain C(dnf update) stays within 29.7.x.
    type: str
    default: ''
  containerd_version:
    description:
      - A pin of C(containerd.io), such as V(2.1) or V(2.1.5). An empty string accepts the installed version, or else
        the newest one. Ignored for V(docker-engine).
      - A version that the engine's package does not accept is a problem.
    type: str
    default: ''
  plugins:
    description: CLI plugins to install. Ignored for V(docker-engine).
    type: list
    elements: str
    choices: [buildx, compose]
    default: []
  conflicts:
    description:
      - With V(refuse), each installed package that conflicts is a problem.
      - With V(replace), they are only returned; remove them in the transaction that installs the engine.
    type: str
    choices: [refuse, replace]
    default: refuse
  data_root:
    description:
      - The engine's future data root. A directory that is unsuitable is a problem, low disk space is a warning.
    type: path
    default: /var/lib/docker
  data_root_leave_data:
    description:
      - With V(false), data in the current data root are a problem if O(data_root) is a different one, or if
        O(daemon_options) would hide them.
    type: bool
    default: false
  daemon_options:
    description:
      - The future options of C(daemon.json), in the format of M(slipway.platform.docker_daemon).
      - Options that the engine's version does not support are a problem. The options are not written here.
    type: dict
    default: {}
  audit:
    description: Whether the package C(audit) is wanted too, for the rules of M(slipway.platform.docker_daemon).
    type: bool
    default: false
  baking:
    description:
      - Whether an image is being built. If so, a service that answers at the engine's socket is ignored, and a secret
        in O(proxy), O(repo_root), O(baseurl) or O(daemon_options), which would stay in the image, is a failure.
      - If unset, it is true in a chroot.
    type: bool
  platforms:
    description:
      - The distributions that are supported, by their C(ID) of C(os-release), each with C(name), C(releases), and the
        C(tree) of the repository below O(repo_root) that serves them. C(trees) names another tree for a release, and
        C(tree_release) another release.
      - C(as_of), a date, says that a newer release than those listed is tried, with a warning.
      - Any other host is an error. If unset, every host is accepted.
    type: dict
    default: {}
  trees:
    description:
      - The architectures of each tree that O(platforms) name, as the kernel names them.
      - A host whose tree lacks its architecture is a failure, unless O(baseurl) is set or O(state=unmanaged).
    type: dict
    default: {}
  repo_root:
    description:
      - The address below which the trees of O(platforms) are.
      - A user and a password in it, as in V(https://user:password@mirror.example.com/linux), are written to lines of
        their own in O(file), which only root can read then. Percent-encode special characters.
    type: str
    default: https://download.docker.com/linux
  repo_id:
    description: The repository's ID, the name of its section.
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
      - The URL of the repository. If unset, the one below O(repo_root) that O(platforms) name for this host.
      - C($basearch) is allowed, C($releasever) is rejected. It may hold a user and a password, as O(repo_root).
    type: str
  gpg_key:
    description:
      - The key's URL, or its path on the host if it starts with C(/).
      - If unset, the one in the tree that O(platforms) name for this host.
    type: str
  gpg_fingerprint:
    description:
      - Fingerprints of trusted keys, with or without spaces. Required when O(state=present).
      - They must include every primary key in the key file.
    type: list
    elements: str
  key_file:
    description: Where the key is written. With several repositories, use a separate file for each.
    type: path
    default: /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce
  proxy:
    description:
      - The proxy for the key and the repository, with credentials if needed; only root can read the file then.
      - If unset, the key is fetched with the proxy of the environment.
  repo_gpgcheck:
    description: Whether dnf verifies a signature of the metadata too. Docker does not promise to publish one.
    type: bool
    default: false
  module_hotfixes:
    description:
      - Whether the repository's packages take precedence over modular ones.
      - If unset, on Enterprise Linux 8 alone, whose module container-tools hides them otherwise.
    type: bool
  enabled:
    description: Whether the repository is enabled. With V(false), an unrelated update cannot upgrade the engine.
    type: bool
    default: true
  state:
    description:
      - With V(unmanaged), only the checks are run; the repository is managed elsewhere.
      - With V(absent), O(file) and O(key_file) are removed, and the keys in it from the rpm database. Packages are
        kept.
    type: str
    choices: [present, unmanaged, absent]
    default: present
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.proxies
  - slipway.platform.attributes.docker_engine
attributes:
  check_mode:
    support: full
    details: Checks key and repository.
  diff_mode:
    support: full
    details: Shows the repository file, without the proxy's password.
  idempotent:
    support: full
    details: A second run does not need the network.
seealso:
  - module: slipway.platform.docker_daemon
  - module: slipway.platform.docker_mirror
  - module: slipway.platform.trusted_packages
  - module: ansible.builtin.yum_repository
"""

EXAMPLES = r"""
- name: Add Docker's repository
  slipway.platform.docker_package_repository:
    baseurl: https://download.docker.com/linux/centos/9/$basearch/stable
    gpg_key: https://download.docker.com/linux/centos/gpg
    gpg_fingerprint: [060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35]
    version: '29.7'
    plugins: [buildx, compose]
  register: repository

- name: Install the selected packages
  ansible.builtin.dnf:
    name: "{{ repository.packages }}"
    allow_downgrade: true
  when: not repository.packages_present

- name: Remove the repository
  slipway.platform.docker_package_repository:
    state: absent
"""

RETURN = r"""
packages:
  description: Packages for a single C(ansible.builtin.dnf) transaction. Plain names, or exact builds with a pin.
  returned: unless O(state=absent)
  type: list
  elements: str
  sample: [docker-ce-3:29.7.2-1.el9, docker-ce-cli-1:29.7.2-1.el9, containerd.io]
packages_present:
  description: Whether all wanted packages are installed in a version that the pin allows.
  returned: unless O(state=absent)
  type: bool
installed:
  description: The epoch, version and release of each relevant package that is installed.
  returned: unless O(state=absent)
  type: dict
  sample: {docker-ce: 3:29.7.2-1.el9}
superseded:
  description: Builds that an interrupted upgrade left next to those that replace them. Remove them.
  returned: unless O(state=absent)
  type: list
  elements: str
conflicting:
  description: Installed packages that conflict, and those that depend on them.
  returned: unless O(state=absent)
  type: list
  elements: str
announcements:
  description:
    - A sentence for each consequence of a new major version.
    - Empty if the engine keeps its major version, or is not installed yet.
  returned: unless O(state=absent)
  type: list
  elements: str
baking:
  description: Whether this is an image that is being made.
  returned: success
  type: bool
problems:
  description: A sentence for each problem.
  returned: failure of the preflight
  type: list
  elements: str
backup_file:
  description: Where the repository file that this module did not write is kept.
  returned: when there was one
  type: str
"""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host import owned_groups
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.host.files import (
    WriteError,
    is_up_to_date,
    read_text,
    remove,
    write_atomically,
)
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets, shared_options
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.packages import (
    download,
    locks,
    openpgp,
    pinned_keyring,
    repository_key,
    rpm,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.packages.pinned_keyring import (
    KeyringError,
    PinnedKeyring,
)
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import ENGINE
from ansible_collections.slipway.platform.plugins.module_utils.preflight import install as install_preflight
from ansible_collections.slipway.platform.plugins.module_utils.preflight import platform as host_platform

KEY_MODE = 0o644
UNCHANGED = "Nothing was changed."


def is_trusted_on_host(params):
    """Whether the key file on the host holds pinned keys only, in the form and with the mode that would be written."""
    try:
        trusted = repository_key.read(params["key_file"], params["gpg_fingerprint"], None, ENGINE)
    except repository_key.KeyFileError:
        return False
    return is_up_to_date(params["key_file"], trusted.decode("ascii"), KEY_MODE)


def fetch_key(module):
    """The key from its source, in the form to write; fails unless every key that rpm finds in it is pinned."""
    params = module.params
    try:
        key = repository_key.read(params["gpg_key"], params["gpg_fingerprint"], params["proxy"], ENGINE)
        PinnedKeyring(module, key)
    except repository_key.KeyFileError as error:
        sentence = str(error)
        module.fail_json(msg=f"{sentence[0].upper()}{sentence[1:]}. {UNCHANGED}")
    except KeyringError as error:
        shown = yum_repo.redact(params["gpg_key"])
        module.fail_json(msg=f"The key at {shown} cannot be used: {error}. {UNCHANGED}")
    return key


def require_reachable(module):
    """Fail unless the repository can be reached."""
    try:
        install_preflight.probe_repository(module.params)
    except download.FetchError as error:
        shown = yum_repo.redact(module.params["baseurl"])
        module.fail_json(msg=f"The repository at {shown} cannot be reached ({error}): {error.remedy}. {UNCHANGED}")


def back_up_foreign(module):
    """Back up a repository file that this module did not write."""
    before = read_text(module.params["file"])
    if before is None or before.startswith(yum_repo.HEADER):
        return {}
    return {"backup_file": module.backup_local(module.params["file"])}


def difference(params, after):
    before = read_text(params["file"]) or ""
    return {
        "before_header": params["file"],
        "after_header": params["file"],
        "before": yum_repo.redact(before),
        "after": yum_repo.redact(after),
    }


def make_present(module):
    params = module.params
    try:
        held = rpm.include_patterns(params["package"], params["version"], params["containerd_version"])
        text = yum_repo.render(dict(params, includepkgs=held))
        params["gpg_fingerprint"] = [openpgp.normalise_fingerprint(pin) for pin in params["gpg_fingerprint"]]
    except (yum_repo.YumRepoError, openpgp.OpenPgpError) as error:
        module.fail_json(msg=f"{error}. {UNCHANGED}")
    mode = yum_repo.file_mode(params)
    key_is_fine = is_trusted_on_host(params)
    repo_is_fine = is_up_to_date(params["file"], text, mode)
    if key_is_fine and repo_is_fine:
        return {"changed": False}
    key = None if key_is_fine else fetch_key(module)
    require_reachable(module)
    result = {"changed": True, "diff": difference(params, text)}
    if not module.check_mode:
        if key is not None:
            write_atomically(params["key_file"], key.decode("ascii"), KEY_MODE)
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
    """Remove the keys in the key file from the rpm database, into which dnf imported them."""
    path = module.params["key_file"]
    try:
        fingerprints = openpgp.fingerprints(repository_key.read_file(path))
    except FileNotFoundError:
        return  # dnf cannot have imported anything from it
    except (OSError, openpgp.OpenPgpError) as error:
        # Older versions of this module kept a file as it was received.
        reason = error.strerror if isinstance(error, OSError) else error
        module.warn(
            f"rpm may still trust keys of {path}, which cannot be read ({reason}): list all with rpm -q gpg-pubkey, "
            "and remove those of this repository with rpm --erase"
        )
        return
    for problem in pinned_keyring.forget(module, fingerprints):
        module.warn(problem)


def leave_alone(_):
    return {"changed": False}


def settle(module):
    """Fill in what the user left to the host, and tell whether an image is being made; fail on an unsupported host."""
    params = module.params
    params["baking"] = is_baking(params["baking"])
    if params["state"] == "absent":
        return params["baking"]
    if params["baking"]:
        refuse_secrets(module)
    if params["platforms"]:
        settle_platform(module)
    elif params["state"] == "present" and not (params["baseurl"] and params["gpg_key"]):
        module.fail_json(msg=f"Without platforms, baseurl and gpg_key are required. {UNCHANGED}")
    try:
        params["proxy"] = proxies.proxy_for(params["proxy"], params["baseurl"] or "")
    except ValueError as error:
        module.fail_json(
            msg=f"The repository's address is not a URL ({error}): correct docker_engine_repo_root or "
            f"docker_engine_repo_baseurl. {UNCHANGED}"
        )
    return params["baking"]


def settle_platform(module):
    params = module.params
    host = host_platform.read()
    own = bool(params["baseurl"]) or params["state"] == "unmanaged"
    problem = host_platform.problem(host, params["platforms"], params["trees"], params["baking"], own)
    if problem:
        module.fail_json(msg=f"{problem}. {UNCHANGED}")
    if params["state"] == "unmanaged":
        return
    entry = params["platforms"][host.id]
    params["baseurl"] = params["baseurl"] or host_platform.baseurl(host, entry, params["repo_root"])
    warning = None if own else host_platform.warning(host, entry, params["baseurl"])
    if warning:
        module.warn(warning)
    params["gpg_key"] = params["gpg_key"] or host_platform.tree(host, entry, params["repo_root"]) + "/gpg"
    if params["module_hotfixes"] is None:
        params["module_hotfixes"] = host_platform.has_modules(host)


def refuse_secrets(module):
    """Fail on what would put a secret into an image."""
    variables = {
        "proxy": "docker_engine_proxy",
        "repo_root": "docker_engine_repo_root",
        "baseurl": "docker_engine_repo_baseurl",
        "daemon_options": "docker_engine_daemon_options",
    }
    secret = [name for option, name in variables.items() if parameter_secrets.holds_secret(module.params[option])]
    if secret:
        module.fail_json(
            msg="An image that holds a secret leaks it, so none is stored while baking: {} has credentials in an "
            "address, or a token. Bake with a proxy and a mirror that ask for none, and leave these settings to the "
            "first run on each instance. {}".format(" and ".join(secret), UNCHANGED)
        )


MAKE = {"present": make_present, "unmanaged": leave_alone, "absent": make_absent}


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "package": {"type": "str", "choices": ["docker-ce", "docker-engine"], "default": "docker-ce"},
            "version": {"type": "str", "default": ""},
            "containerd_version": {"type": "str", "default": ""},
            "plugins": {"type": "list", "elements": "str", "choices": ["buildx", "compose"], "default": []},
            "conflicts": {"type": "str", "choices": ["refuse", "replace"], "default": "refuse"},
            "data_root": {"type": "path", "default": "/var/lib/docker"},
            "data_root_leave_data": {"type": "bool", "default": False},
            "daemon_options": {"type": "dict", "default": {}},
            "audit": {"type": "bool", "default": False},
            "baking": {"type": "bool"},
            "platforms": {"type": "dict", "default": {}},
            "trees": {"type": "dict", "default": {}},
            "repo_root": {"type": "str", "default": "https://download.docker.com/linux"},
            "repo_id": {"type": "str", "default": "docker-ce-stable"},
            "file": {"type": "path", "default": "/etc/yum.repos.d/docker-ce.repo"},
            "description": {"type": "str", "default": "Docker CE Stable"},
            "baseurl": {"type": "str"},
            "gpg_key": {"type": "str", "no_log": False},
            "gpg_fingerprint": {"type": "list", "elements": "str"},
            "key_file": {"type": "path", "default": "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce", "no_log": False},
            **shared_options.PROXIES,
            "repo_gpgcheck": {"type": "bool", "default": False},
            "module_hotfixes": {"type": "bool"},
            "enabled": {"type": "bool", "default": True},
            "state": {"type": "str", "choices": ["present", "unmanaged", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("gpg_fingerprint",))],
        supports_check_mode=True,
    )
    state = module.params["state"]
    result = {"baking": settle(module)}
    if state != "absent":
        try:
            result.update(install_preflight.check(module))
        except (locks.LockError, WriteError) as error:
            module.fail_json(msg=f"{str(error)[0].upper()}{str(error)[1:]}. {UNCHANGED}")
    if not module.check_mode and not result.get("packages_present", True):
        owned_groups.claim("docker")  # which the engine's package creates
    try:
        result.update(MAKE[state](module))
    except WriteError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
