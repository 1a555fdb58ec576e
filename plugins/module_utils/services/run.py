# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Deploys all listed projects: first every check, then every change, one project after the other."""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.images.engine_images import Images
from ansible_collections.slipway.platform.plugins.module_utils.registry.keychain import Keychain
from ansible_collections.slipway.platform.plugins.module_utils.services import pins, settings, swarm
from ansible_collections.slipway.platform.plugins.module_utils.services.deployment import Deployment
from ansible_collections.slipway.platform.plugins.module_utils.services.docker_cli import SOCKET, DockerCli
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError

ANSWER_SECONDS = 30


class Run:
    """One run of the module."""

    def __init__(self, module, baking):
        self.module, self.params, self.baking = module, module.params, baking
        self.deployments = []
        self.has_changed = False

    def run(self, folder):
        """Return the module's result. folder is a private one."""
        entries = self.params["services"]
        wrong = settings.problems({"list": entries})
        if wrong:
            raise ServicesError(" ".join(wrong).rstrip("."))
        names = ", ".join(entry["name"] for entry in entries)
        if self.baking:
            self.module.warn(
                "No engine runs while an image is baked, so nothing is deployed. Left to the first run on a machine "
                f"made from it: {names}."
            )
            return {"changed": False, "services": []}
        if not engine_api.ping(SOCKET, ANSWER_SECONDS):
            if self.module.check_mode:
                return {"changed": any(entry["state"] == "present" for entry in entries), "services": []}
            raise ServicesError(
                f"the engine does not answer at {SOCKET}: run the role docker_engine first, or start docker.service"
            )
        keychain = Keychain(self.params["user"], self.params["proxy"])
        cli = DockerCli(folder)
        cli.require_compose()
        self.plan(entries, cli, folder)
        if not self.module.check_mode:
            for deployment in self.deployments:
                self.apply(deployment, Images(SOCKET), keychain)
        # Of what was done: a tag may have the same digest as before.
        changed = any(deployment.changes for deployment in self.deployments)
        diff = [difference for deployment in self.deployments for difference in deployment.differences()]
        return {"changed": changed, "services": self.results(), "diff": diff}

    def plan(self, entries, cli, folder):
        node = swarm.own_role()
        for entry in entries:
            deployment = Deployment(entry, cli, folder, self.params, node)
            self.deployments.append(deployment)
            if deployment.is_elsewhere:
                continue
            deployment.plan()
            for name in deployment.without_restart_policy():
                self.module.warn(
                    f"{settings.LIST}: {deployment.name}: service {name} has no restart policy, so it does not come "
                    'back after a reboot: set restart: unless-stopped, or restart: "no" for a job.'
                )

    def apply(self, deployment, images, keychain):
        if deployment.is_elsewhere:
            return
        if not deployment.is_present():
            if deployment.changes:
                deployment.remove()
                self.has_changed = True
            return
        if deployment.changes:
            deployment.pull(images, keychain)
        self.has_changed = self.has_changed or bool(deployment.changes)
        deployment.deploy()

    def told(self):
        return "What was changed before stays." if self.has_changed else "Nothing was changed."

    def results(self):
        return [
            {
                "name": deployment.name,
                "mode": deployment.mode,
                "changes": [f"{change.service}: {change.what}" for change in deployment.changes],
                "images": pins.images_of(deployment.canonical),
                "elsewhere": deployment.is_elsewhere,
            }
            for deployment in self.deployments
        ]
