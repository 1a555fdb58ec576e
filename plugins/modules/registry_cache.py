#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: registry_cache
short_description: Run a pull-through cache of Docker Hub on a host
version_added: 0.1.0
description:
  - Runs distribution's registry in proxy mode, in a container of the host's engine that
    C(slipway-registry-cache.service) starts.
  - What hosts pull through it is stored, and given to the next host without asking the upstream registry for it.
  - Checks settings, certificate, ports, disk and credentials before it changes anything. If the cache does not start
    with new settings, it runs with the old ones again.
  - C(slipway-registry-cache-check.timer) keeps it within O(limit_gb), and fails if it is not well.
options:
  image:
    description:
      - The image of distribution's registry, version 2.8 or 3, with its digest. It is pulled if it is missing.
      - Or the id of an image that was loaded, V(sha256:) and 64 digits.
    type: str
  name:
    description: The name or address by which hosts reach the cache. Its certificate is for this name.
    type: str
  port:
    description: The port of the cache, with TLS.
    type: int
    default: 5000
  metrics_port:
    description: A port of the loopback for metrics, at C(/metrics), and health, at C(/debug/health).
    type: int
    default: 5001
  directory:
    description: The directory of the cache.
    type: str
    default: /var/lib/slipway-registry-cache
  limit_gb:
    description: Gigabytes that the cache may use. When it has more, what was not used for longest is removed.
    type: int
    default: 50
  tls:
    description: The certificate of the cache. If unset, it gets one of a CA of its own, which it renews.
    type: dict
    default: {}
    suboptions:
      cert:
        description: PEM text of the certificate, with intermediate ones.
        type: str
      key:
        description: PEM text of its key, without a passphrase.
        type: str
      ca:
        description: PEM text of the CA that hosts have to trust, unless they trust it anyway.
        type: str
  client_ca:
    description: PEM text of CAs. If set, only clients with a certificate of one of these get in.
    type: str
    default: ""
  upstream:
    description: The registry that is cached. Engines use mirrors for Docker Hub only.
    type: str
    default: https://registry-1.docker.io
  username:
    description: An account of the upstream registry.
    type: str
    default: ""
  password:
    description: Its password or token. It is stored for root alone.
    type: str
    default: ""
  helper:
    description:
      - The name of a credential helper on the host that has the credentials, such as V(slipway), which asks AWS by the
        instance's role. It is asked whenever the cache starts.
    type: str
    default: ""
  private_images_confirmed:
    description:
      - Allows credentials without O(client_ca). Whoever reaches the cache then gets every image that these may pull.
    type: bool
    default: false
  proxy:
    description: The proxy on the way to the upstream registry; C(http), C(https) and C(no_proxy).
    type: dict
    default: {}
  images:
    description:
      - Images that the cache stores at once, such as before it moves behind an air gap. Each has C(name), C(digest) and
        C(tags).
    type: list
    elements: dict
    default: []
  read_only:
    description: Whether the cache serves only what it has, and never asks the upstream registry.
    type: bool
    default: false
  start_timeout:
    description: Seconds until the cache must answer.
    type: int
    default: 60
  program:
    description: The text of the program that the units run.
    type: str
  purge_data:
    description: With V(absent), whether what was cached and the own CA are deleted as well.
    type: bool
    default: false
  state:
    description: With V(absent), the cache is stopped, and its files are removed except the data and the CA.
    type: str
    choices: [present, absent]
    default: present
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Performs all checks that a host without an engine allows.
  diff_mode:
    support: full
    details: Shows the files, without secrets.
  idempotent:
    support: full
seealso:
  - name: Registry as a pull through cache
    description: What distribution's documentation says about it.
    link: https://distribution.github.io/distribution/recipes/mirror/
"""

EXAMPLES = r"""
- name: Cache Docker Hub
  slipway.platform.registry_cache:
    image: docker.io/library/registry@sha256:{{ registry_digest }}
    name: cache.example.com
    program: "{{ lookup('ansible.builtin.file', 'slipway_registry_cache.py', rstrip=false) }}"
"""

RETURN = r"""
ca:
  description: PEM text of the CA that hosts have to trust; empty if they trust it anyway, or if a real run makes it.
  returned: success
  type: str
mirror:
  description: The address for C(registry-mirrors) of hosts.
  returned: success
  type: str
  sample: https://cache.example.com:5000
"""

import os
import shutil

from ansible_collections.slipway.platform.plugins.module_utils.daemon.engine_api import SOCKET
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_chroot
from ansible_collections.slipway.platform.plugins.module_utils.images import engine_images
from ansible_collections.slipway.platform.plugins.module_utils.module import texts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.registry import authentication
from ansible_collections.slipway.platform.plugins.module_utils.registry.http import Client, RegistryError, Unreachable
from ansible_collections.slipway.platform.plugins.module_utils.registry.keychain import CredentialsError, Keychain
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import (
    certificates,
    checks,
    files,
    fill,
    paths,
    service,
    settings,
)

FAULTS = (
    certificates.CertificateError,
    engine_images.ImageError,
    CredentialsError,
    RegistryError,
)


def refuse(module, sentences):
    """Fail with the sentences, if there are any."""
    found = [sentence if sentence.endswith(".") else f"{sentence}." for sentence in sentences]
    if found:
        module.fail_json(msg=" ".join([*found, "Nothing was changed."]))


def certificate(module):
    """Return (ca, ca_key, cert, key): the user's, the host's own, or a new one of the own CA, None four times if it is
    left to a real run. Raise CertificateError."""
    tls, name = module.params["tls"], module.params["name"]
    if tls.get("cert"):
        certificates.check(module, tls["cert"], tls["key"], name)
        return tls.get("ca") or "", None, tls["cert"], tls["key"]
    if certificates.is_own_usable(module, name):
        ca, cert, key = certificates.own()
        return ca, host_files.read_text(paths.authority("ca.key")), cert, key
    return (None,) * 4 if module.check_mode else certificates.make(module, name)


def changes_of(params, found):
    """Return (path, text, mode) of the files that differ; those of a certificate that is not made yet are left out."""
    wanted = files.wanted(params, found)
    if found[2] is None:
        wanted = [item for item in wanted if "tls." not in item[0] and not item[0].startswith(paths.AUTHORITY)]
    return [item for item in wanted if not host_files.is_up_to_date(*item)]


def differences(changes):
    return [difference(path, host_files.read_text(path), text) for path, text, _ in changes]


def difference(path, before, after):
    if files.is_secret(path, after) or files.is_secret(path, before):
        return {"prepared": f"{path} changes; it holds a secret, and is not shown\n"}
    return {"before_header": path, "after_header": path, "before": before or "", "after": after or ""}


def verify_login(module):
    """Fail if the upstream registry rejects the credentials; warn if it cannot be asked."""
    params = module.params
    if params["read_only"] or not params["username"]:
        return
    client = Client(params["proxy"], variable="registry_cache_proxy")
    try:
        authentication.verify(client, [params["upstream"].rstrip("/")], params["username"], params["password"])
    except Unreachable as error:
        module.warn(f"The credentials of the cache were not verified: {error}.")


def has_image(module):
    return module.run_command(["docker", "image", "inspect", "--format", "{{.Id}}", module.params["image"]])[0] == 0


def pull(module):
    name, _, digest = module.params["image"].partition("@")
    if not digest:
        raise engine_images.ImageError(
            f"the image {name} of registry_cache_image is not on this host: load it (docker load), or name one with "
            "its digest, which is pulled"
        )
    engine_images.Images(SOCKET).pull(name, digest, Keychain("root"))


def present(module):
    params = module.params
    refuse(module, settings.problems(params))
    missing_engine = checks.engine_problem(module)
    if missing_engine and not module.check_mode:
        refuse(module, [missing_engine])
    if not module.get_bin_path("openssl"):
        refuse(module, ["There is no openssl on this host, which makes and checks certificates: dnf install openssl"])
    units = service.state(module)
    refuse(module, checks.problems(params, service.is_active(units)))
    verify_login(module)
    found = certificate(module)
    changes = changes_of(params, found)
    lacking = fill.missing(params["directory"], params["images"])
    is_well = service.is_in_use(units)
    result = {
        "changed": bool(changes or lacking or not is_well or found[2] is None),
        "ca": found[0] or "",
        "mirror": "https://{}:{}".format(bracketed(params["name"]), params["port"]),
        "diff": differences(changes),
    }
    result["diff"] += [{"prepared": "{name}@{digest} is stored\n".format(**image)} for image in lacking]
    if result["changed"] and not module.check_mode:
        apply(module, changes, lacking)
    if not module.check_mode and service.is_offline():
        module.warn(
            "{} does not answer on {}, so the cache serves only what it has until it does.".format(
                params["upstream"], params["name"]
            )
        )
    return result


def bracketed(name):
    return f"[{name}]" if ":" in name else name


def apply(module, changes, lacking):
    params = module.params
    if not has_image(module):
        pull(module)
    # The directory may be the root of another disk, which is open to all: what is in it is not.
    for directory in (paths.SETTINGS, paths.AUTHORITY, params["directory"], paths.stored(params["directory"])):
        host_files.make_directory(directory, 0o700)
    os.chmod(paths.stored(params["directory"]), 0o700)
    if params["username"] or params["helper"]:
        host_files.put(os.path.join(params["directory"], paths.PRIVATE), "", 0o600)
    if lacking:
        store(module, lacking)
    service.start(module, changes, bool(lacking) or files.needs_restart(changes))


def store(module, lacking):
    """Fill the cache, which is stopped meanwhile; it runs again if that fails."""
    ran = service.is_active(service.state(module))
    module.run_command(["systemctl", "stop", paths.SERVICE])
    try:
        fill.fill(module, lacking)
    except Exception as error:
        if ran:
            service.resume(module)
        if not isinstance(error, fill.FillError):
            raise
        module.fail_json(msg=f"{error}. The settings of the cache are unchanged.")


def absent(module):
    params = module.params
    refuse(module, settings.problems(params))
    kept = (paths.authority("ca.crt"), paths.authority("ca.key"))
    found = [
        path
        for path, _, _ in files.wanted({**params, "image": "", "program": ""}, ("", "", "", ""))
        if os.path.lexists(path) and path not in kept
    ]
    data = [path for path in paths.data(params["directory"]) if params["purge_data"] and os.path.lexists(path)]
    changes = [(path, None, None) for path in found]
    if (found or data) and not module.check_mode:
        service.remove(module)
        host_files.put_all(changes)
        host_files.remove_if_empty(paths.SETTINGS)
        for path in data:
            delete(path)
        if data:
            host_files.remove_if_empty(params["directory"])
        module.run_command(["systemctl", "daemon-reload"])
    removed = [{"prepared": f"{path} is deleted\n"} for path in data]
    return {"changed": bool(found or data), "ca": "", "mirror": "", "diff": differences(changes) + removed}


def delete(path):
    """Delete a file, or a directory with all that it holds."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        host_files.remove(path)


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "image": {"type": "str"},
            "name": {"type": "str"},
            "port": {"type": "int", "default": 5000},
            "metrics_port": {"type": "int", "default": 5001},
            "directory": {"type": "str", "default": "/var/lib/slipway-registry-cache"},
            "limit_gb": {"type": "int", "default": 50},
            "tls": {
                "type": "dict",
                "default": {},
                "options": {
                    "cert": {"type": "str"},
                    "key": {"type": "str", "no_log": True},
                    "ca": {"type": "str"},
                },
            },
            "client_ca": {"type": "str", "default": ""},
            "upstream": {"type": "str", "default": "https://registry-1.docker.io"},
            "username": {"type": "str", "default": ""},
            "password": {"type": "str", "default": "", "no_log": True},
            "helper": {"type": "str", "default": ""},
            "private_images_confirmed": {"type": "bool", "default": False},
            "proxy": {"type": "dict", "default": {}},
            "images": {"type": "list", "elements": "dict", "default": []},
            "read_only": {"type": "bool", "default": False},
            "start_timeout": {"type": "int", "default": 60},
            "program": {"type": "str"},
            "purge_data": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("image", "name", "program"))],
        supports_check_mode=True,
        strict_texts=texts.problem,
    )
    if is_chroot():
        module.fail_json(msg="A registry cache is set up on a host that runs, not in an image: leave it out here.")
    try:
        result = present(module) if module.params["state"] == "present" else absent(module)
    except FAULTS as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except service.ServiceError as error:
        module.fail_json(msg=f"{error}.")
    except host_files.WriteError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
