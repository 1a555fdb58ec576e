#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_preflight
short_description: Say everything that would stop an installation of the Docker engine
version_added: 0.1.0
description:
  - Looks at the packages, the repository's versions, the units, the options of C(daemon.json) and the disk in one trip.
  - Fails with all problems at once, before anything is changed, or returns what to install.
  - Asks the repository only when the installed packages do not satisfy O(version).
options:
  package:
    description:
      - Which engine. C(docker-engine) is the package before 17.06, installable only from a mirror of your own.
    type: str
    choices: [docker-ce, docker-engine]
    default: docker-ce
  version:
    description:
      - A pin such as V(26.1) (any 26.1.x) or V(26.1.5). The engine, its command line and the rootless extras share it.
      - Empty accepts whatever is installed, and the newest version otherwise.
    type: str
    default: ''
  plugins:
    description: Which plugins of the command line to install. Ignored for C(docker-engine).
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
  daemon_options:
    description: The options for C(daemon.json), to be checked for typing mistakes and values that only fail later.
    type: dict
    default: {}
  allow_unknown_options:
    description:
      - Accept names that no dockerd from 1.13 to 29 knows.
      - M(slipway.platform.docker_daemon_config) proves them all the same.
    type: bool
    default: false
  repo_id:
    description: The repository's id. The later transaction reuses the metadata that is fetched for this id.
    type: str
    default: docker-ce-stable
  repo_baseurl:
    description:
      - The address of the repository that will be managed. It need not be configured on the host yet.
      - Without it, the host's own configuration of O(repo_id) is asked.
    type: str
  repo_proxy:
    description: The proxy for O(repo_baseurl), with credentials if needed. They are never part of a command line.
    type: str
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Changes nothing, so it runs alike in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
seealso:
  - module: slipway.platform.docker_repository
  - module: slipway.platform.docker_daemon_config
"""

EXAMPLES = r"""
- name: Look before the installation
  slipway.platform.docker_preflight:
    version: '26.1'
    plugins: [buildx, compose]
    repo_baseurl: https://download.docker.com/linux/centos/9/$basearch/stable
    daemon_options:
      log-driver: local
  register: preflight

- name: Install what the preflight has chosen
  ansible.builtin.dnf:
    name: "{{ preflight.packages }}"
    allow_downgrade: true
  when: not preflight.packages_present
"""

RETURN = r"""
packages:
  description: What to give to one C(ansible.builtin.dnf) transaction. Plain names, or exact builds with a pin.
  returned: success
  type: list
  elements: str
  sample: [docker-ce-3:26.1.5-1.el9, docker-ce-cli-1:26.1.5-1.el9, containerd.io]
packages_present:
  description: Whether everything wanted is installed in a version that the pin allows.
  returned: success
  type: bool
installed:
  description: The epoch, version and release of each package of interest that is installed.
  returned: success
  type: dict
  sample: {docker-ce: 3:26.1.5-1.el9}
conflicting:
  description: Installed packages that stand in the way, and those that need them.
  returned: success
  type: list
  elements: str
problems:
  description: Every problem, a sentence each.
  returned: failure
  type: list
  elements: str
"""

import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_options,
    rpm_packages,
    shadow_start,
    systemd_units,
    url_secrets,
    yum_repo,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import (
    nearest_existing_parent,
    read_text,
    write_atomically,
)

UNITS = ("docker.service", "docker.socket", "containerd.service")
DNF_CONFIG = "/etc/dnf/dnf.conf"
ENOUGH_BYTES = 2 * 1024**3


class RepositoryError(Exception):
    """The repository's versions cannot be read."""


def installed_packages(module):
    names = rpm_packages.queried(module.params["package"], module.params["plugins"])
    command = [module.get_bin_path("rpm", required=True), "-q", "--qf", rpm_packages.QUERY_FORMAT]
    output = module.run_command(command + names)[1]  # rpm's exit code counts the absent ones
    return {package.name: package for package in rpm_packages.parse(output)}


def needing_runc(module):
    """Packages that would go with runc, which containerd.io replaces: podman and buildah on EL 8."""
    output = module.run_command(["rpm", "-q", "--qf", rpm_packages.QUERY_FORMAT, "--whatrequires", "runc"])[1]
    return {package.name: package for package in rpm_packages.parse(output)}


def available_packages(module, directory):
    """All builds of the pinned packages in the repository."""
    params = module.params
    command = [module.get_bin_path("dnf", required=True), "-q", "repoquery"]
    if params["repo_baseurl"]:
        command += ["--config", write_dnf_config(params, directory), "--setopt=reposdir=" + directory]
    command += ["--repo", params["repo_id"], "--qf", rpm_packages.REPOQUERY_FORMAT]
    code, output, errors = module.run_command(command + list(rpm_packages.PINNED[params["package"]]))
    if code:
        raise RepositoryError(" ".join(errors.split()) or f"dnf ended with {code}")
    return rpm_packages.parse(output)


def write_dnf_config(params, directory):
    """The host's configuration and the repository in one private file: a proxy's password stays out of argv."""
    config = os.path.join(directory, "dnf.conf")
    repository = "\n[{0}]\nname={0}\nbaseurl={1}\nenabled=1\nskip_if_unavailable=0\n".format(
        yum_repo.section_name(params["repo_id"]), yum_repo.one_line("repo_baseurl", params["repo_baseurl"])
    )
    proxy = yum_repo.proxy_settings(params["repo_proxy"])
    repository += "".join("{}={}\n".format(key, yum_repo.one_line("repo_proxy", value)) for key, value in proxy)
    write_atomically(config, (read_text(DNF_CONFIG) or "[main]\n") + repository, 0o600)
    return config


def choose_pinned(module, installed, problems):
    """The exact builds for the pinned packages; a problem when the pin is malformed or matches nothing."""
    package, pin = module.params["package"], module.params["version"]
    if rpm_packages.pin_problem(pin):
        problems.append(rpm_packages.pin_problem(pin))
        return []
    if rpm_packages.pin_is_satisfied(package, pin, installed):
        return [installed[name].spec for name in rpm_packages.PINNED[package] if name in installed]
    repository = module.params["repo_baseurl"] or module.params["repo_id"]
    directory = tempfile.mkdtemp(dir=module.tmpdir)
    try:
        candidates = available_packages(module, directory)
    except (RepositoryError, yum_repo.YumRepoError) as error:
        problems.append(
            f"the versions in {repository} cannot be read ({error}): check docker_engine_repo_root and the proxy"
        )
        return []
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    specs = rpm_packages.pinned_specs(package, pin, candidates)
    if not specs:
        problems.append(rpm_packages.no_such_version(package, pin, candidates, repository))
    return specs


def choose_packages(module, installed, problems):
    """What to install, in one transaction."""
    package = module.params["package"]
    names = rpm_packages.wanted(package, module.params["plugins"])
    if not module.params["version"]:
        return names
    return choose_pinned(module, installed, problems) + [
        name for name in names if name not in rpm_packages.PINNED[package]
    ]


def packages_present(params, installed):
    names = rpm_packages.wanted(params["package"], params["plugins"])
    pinned = rpm_packages.pin_is_satisfied(params["package"], params["version"], installed)
    return pinned and all(name in installed for name in names)


def find_conflicts(module, installed, problems):
    package = module.params["package"]
    conflicting = [name for name in rpm_packages.CONFLICTING[package] if name in installed]
    if "runc" in conflicting:
        dependents = needing_runc(module)
        installed.update(dependents)
        conflicting += sorted(set(dependents) - set(conflicting))
    if conflicting and module.params["conflicts"] == "refuse":
        problems.append(rpm_packages.conflict_problem(package, conflicting, installed))
    return conflicting


def find_masked(module, problems):
    """Without systemd, as in a chroot, there is nothing to unmask."""
    if not module.get_bin_path("systemctl"):
        return
    masked = systemd_units.masked(systemd_units.parse_show(module.run_command(systemd_units.show_command(UNITS))[1]))
    if masked:
        problems.append(systemd_units.masked_sentence(masked))


def warn_of_little_space(module):
    root = nearest_existing_parent(shadow_start.data_root(module.params["daemon_options"]))
    disk = os.statvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if free < ENOUGH_BYTES:
        module.warn(
            f"{root} has {free / 1024**3:.1f} GiB free, less than the 2 GiB that an engine with a few images needs: "
            "enlarge it, or set data-root in docker_engine_daemon_options"
        )


def main():
    module = AnsibleModule(
        argument_spec={
            "package": {"type": "str", "choices": ["docker-ce", "docker-engine"], "default": "docker-ce"},
            "version": {"type": "str", "default": ""},
            "plugins": {"type": "list", "elements": "str", "choices": ["buildx", "compose"], "default": []},
            "conflicts": {"type": "str", "choices": ["refuse", "replace"], "default": "refuse"},
            "daemon_options": {"type": "dict", "default": {}},
            "allow_unknown_options": {"type": "bool", "default": False},
            "repo_id": {"type": "str", "default": "docker-ce-stable"},
            "repo_baseurl": {"type": "str"},
            "repo_proxy": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    module.no_log_values.update(url_secrets.secrets_of([params["repo_proxy"], params["daemon_options"]]))
    problems = daemon_options.problems(params["daemon_options"], params["allow_unknown_options"])
    installed = installed_packages(module)
    conflicting = find_conflicts(module, installed, problems)
    packages = choose_packages(module, installed, problems)
    find_masked(module, problems)
    warn_of_little_space(module)
    if problems:
        listed = "\n".join("- " + problem for problem in problems)
        module.fail_json(msg="Docker cannot be installed as asked, nothing was changed:\n" + listed, problems=problems)
    module.exit_json(
        changed=False,
        packages=packages,
        packages_present=packages_present(params, installed),
        installed={name: package.evr for name, package in sorted(installed.items())},
        conflicting=conflicting,
    )


if __name__ == "__main__":
    main()
