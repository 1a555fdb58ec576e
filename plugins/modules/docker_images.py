#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_images
short_description: Provide container images on a host, pulled by digest or built there
version_added: 0.1.0
description:
  - Asks the engine once which images it has, then pulls and builds what is missing, and sets the tags last. If one
    image cannot be pulled or built, no tag is changed.
  - An image that is present by its digest is not requested from its registry.
  - Pulls with the credentials in the user's C(~/.docker/config.json), or with the credential helper that it names.
  - Credentials that cannot be read are an error only for a registry that an image or the C(FROM) of a build names.
    Those of other registries are a warning.
options:
  images:
    description: The images. Each is either pulled or built.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The repository, such as V(registry.example.com/team/app), without tag and digest.
        type: str
        required: true
      digest:
        description: The digest to pull, V(sha256:) and 64 digits. A registry's tag may move, a digest does not.
        type: str
      build:
        description:
          - A folder on the host with a C(Dockerfile), which the engine's classic builder builds.
          - It is rebuilt when names, permissions or contents in the folder have changed. A base image that is named
            by a tag is not checked again; name it by its digest.
          - Builds are recorded in C(/var/lib/slipway/built-images.json), because labels prove nothing.
          - A folder is rejected if it has a C(.dockerignore), holds more than 16 GiB, or is reached through a symbolic
            link in a directory that users other than root can write to. Links in the folder are never followed.
        type: str
      tags:
        description:
          - Tags of the image on this host. The default is V(latest) for a built image, none for a pulled one.
          - A tag that YAML reads as a number or a boolean, such as C(1.10), must be quoted, and is rejected otherwise.
        type: list
        elements: str
  user:
    description: The user of this host whose credentials are used.
    type: str
    default: root
  baking:
    description:
      - Whether a machine image is being built. No engine runs there, so nothing is pulled or built, and a warning
        names what is left to the first run on a machine made from it.
      - If unset, it is true in a chroot.
    type: bool
  proxy:
    description:
      - The proxy for credential helpers. If unset, that of the environment of the task, which they get as a whole.
      - The engine pulls through its own.
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
  - slipway.platform.engine_socket
  - slipway.platform.proxies
attributes:
  check_mode:
    support: full
    details: Without an engine, as on a new host, only names are checked.
  diff_mode:
    support: full
    details: Shows the names of images and what they refer to.
  idempotent:
    support: full
    details: A second run does not contact any registry.
seealso:
  - module: slipway.platform.docker_login
"""

EXAMPLES = r"""
- name: Provide an image by its digest, and one that is built on the host
  slipway.platform.docker_images:
    images:
      - name: registry.example.com/team/app
        digest: sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1
        tags: ["1.4", stable]
      - name: team/tools
        build: /opt/tools
    user: deploy
"""

RETURN = r"""
images:
  description: The result for each image, in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The repository.
      type: str
    id:
      description: The engine's ID of the image. Empty in check mode for an image that is still missing.
      type: str
    changed:
      description: Whether the image or one of its tags was missing.
      type: bool
"""

from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_baking
from ansible_collections.slipway.platform.plugins.module_utils.images import build_context, built_images
from ansible_collections.slipway.platform.plugins.module_utils.images import plan as image_plan
from ansible_collections.slipway.platform.plugins.module_utils.images.engine_images import ImageError, Images
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options, texts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies
from ansible_collections.slipway.platform.plugins.module_utils.registry import keychain as registry_keychain

# By default it is docker_engine_proxy, which the role docker_engine has validated before.
PROXY = "docker_images_proxy"


def is_there(images, module):
    """Whether the engine answers; only check mode continues without it."""
    if images.answers():
        return True
    if not module.check_mode:
        raise image_plan.RequestError(
            f"the engine does not answer at {images.socket}: run the role docker_engine first, or start docker.service"
        )
    return False


def run(module):
    """The module's result; nothing is pulled or built before the whole request is known to be possible."""
    items = image_plan.resolve(module.params["images"])
    problem = proxies.problem(module.params["proxy"], PROXY)
    if problem:
        raise image_plan.RequestError(problem.rstrip("."))
    if is_baking(module.params["baking"]):
        names = sorted({image["name"] for image in module.params["images"]})
        module.warn(
            "No engine runs while an image is baked, so nothing is pulled or built. Left to the first run on a machine "
            "made from it: {}.".format(", ".join(names))
        )
        return {"changed": False, "images": []}
    images = Images(module.params["socket"])
    there = is_there(images, module)
    keys = image_plan.content_keys(items) if there else {}
    available = image_plan.stock(images.inventory() if there else [], built_images.read())
    plans = done = image_plan.make(items, keys, available)
    changed = not all(map(image_plan.is_done, plans))
    if changed and there:
        keychain = registry_keychain.Keychain(module.params["user"], module.params["proxy"])
        image_plan.read_credentials(plans, keychain)
        for sentence in keychain.warnings():
            module.warn(sentence)
        if not module.check_mode:
            image_plan.require_record(plans)
            image_plan.fetch(plans, images, keychain)
            done = image_plan.make(items, keys, image_plan.stock(images.inventory(), built_images.read()))
            image_plan.give_tags(done, images)
    return {
        "changed": changed,
        "images": list(map(image_plan.outcome, plans, done)),
        "diff": image_plan.difference(plans, available),
    }


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "images": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "digest": {"type": "str"},
                    "build": {"type": "str"},
                    "tags": {"type": "list", "elements": "str"},
                },
                "mutually_exclusive": [("digest", "build")],
                "required_one_of": [("digest", "build")],
            },
            "user": {"type": "str", "default": "root"},
            "baking": {"type": "bool"},
            **shared_options.PROXIES,
            **shared_options.ENGINE_SOCKET,
        },
        supports_check_mode=True,
        strict_texts=texts.problem,
    )
    try:
        module.exit_json(**run(module))
    except (image_plan.RequestError, registry_keychain.CredentialsError) as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except (ImageError, build_context.ContextError) as error:
        details = getattr(error, "details", "")
        module.fail_json(msg=f"{error}. No tag was changed." + (f" Its last lines:\n{details}" if details else ""))


if __name__ == "__main__":
    main()
