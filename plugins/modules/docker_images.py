#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_images
short_description: Have container images on a host, pulled by digest or built there
version_added: 0.1.0
description:
  - Asks the engine once what it has, then pulls and builds what is missing, and gives the tags last. When one image
    cannot be had, no tag is changed.
  - An image that is there by its digest is not asked for at its registry.
  - Pulls with the credentials that the user's C(~/.docker/config.json) holds, or the credential helper that it names.
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
        description: The digest to pull, V(sha256:) and 64 digits. The tag of a registry may move, a digest does not.
        type: str
      build:
        description:
          - A folder of the host with a C(Dockerfile), which the engine's classic builder builds.
          - It is built again when names, permissions or contents in the folder have changed. A base image that is named
            by a tag is not looked at again; name it by its digest.
          - A folder with a C(.dockerignore) is refused.
        type: str
      tags:
        description: Tags that the image gets on this host. V(latest) where it is built, none where it is pulled.
        type: list
        elements: str
  user:
    description: The user of this host with whose credentials registries are asked.
    type: str
    default: root
  socket:
    description: The socket of the engine.
    type: path
    default: /run/docker.sock
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Foretells what would be got. Without an engine, as on a new host, it looks at names only.
    support: full
  diff_mode:
    description: Shows the names of images and what they stand for.
    support: full
  idempotent:
    description: The second run changes nothing and asks no registry.
    support: full
"""

EXAMPLES = r"""
- name: Have an image by its digest, and one that is built here
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
  description: What has become of each image, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The repository.
      type: str
    id:
      description: The engine's id of the image. Empty in check mode for one that is not there yet.
      type: str
    changed:
      description: Whether the image or one of its tags was missing.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import build_context, image_plan, pull_credentials
from ansible_collections.slipway.platform.plugins.module_utils.engine_images import ImageError, Images


def is_there(images, module):
    """Whether the engine answers; only check mode goes on without."""
    if images.answers():
        return True
    if not module.check_mode:
        raise image_plan.RequestError(
            f"the engine does not answer at {images.socket}: run the role docker_engine first, or start docker.service"
        )
    return False


def run(module):
    """The module's result; nothing is got before everything that was asked for is known to be possible."""
    items = image_plan.resolve(module.params["images"])
    images = Images(module.params["socket"])
    there = is_there(images, module)
    keys = image_plan.content_keys(items) if there else {}
    available = image_plan.stock(images.inventory() if there else [])
    plans = done = image_plan.make(items, keys, available)
    changed = not all(map(image_plan.is_done, plans))
    if changed and there:
        keychain = pull_credentials.Keychain(module.params["user"])
        image_plan.read_credentials(plans, keychain)
        if not module.check_mode:
            image_plan.fetch(plans, images, keychain)
            done = image_plan.make(items, keys, image_plan.stock(images.inventory()))
            image_plan.give_tags(done, images)
    return {
        "changed": changed,
        "images": list(map(image_plan.outcome, plans, done)),
        "diff": image_plan.difference(plans, available),
    }


def main():
    module = AnsibleModule(
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
            "socket": {"type": "path", "default": "/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module))
    except (image_plan.RequestError, pull_credentials.CredentialsError) as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    except (ImageError, build_context.ContextError) as error:
        details = getattr(error, "details", "")
        module.fail_json(msg=f"{error}. No tag was changed." + (f" Its last lines:\n{details}" if details else ""))


if __name__ == "__main__":
    main()
