# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Deploys one project: what would change, then pull, bring up, wait, and go back if it does not become healthy."""

import hashlib
import json
import os
import time
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.services import containers, pins, settings, swarm
from ansible_collections.slipway.platform.plugins.module_utils.services import project as project_folder
from ansible_collections.slipway.platform.plugins.module_utils.services.docker_cli import SOCKET
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import (
    CommandError,
    DeployError,
    ServicesError,
)

PLACE = settings.LIST
REMOVAL_SECONDS = 300
# What is still to be pulled by tag, so that its digest is not known.
UNKNOWN = "its digest is found by the pull"

Change = namedtuple("Change", ["service", "what"])


class Deployment:
    """One listed project on this host. folder is a private one for files that are only checked."""

    def __init__(self, entry, cli, folder, options, node):
        self.entry, self.cli, self.folder, self.options = entry, cli, folder, options
        self.name = entry["name"]
        self.project = project_folder.Project(self.name)
        self.mode = self.choose_mode(node)
        # Whether another node of the swarm deploys this project.
        self.is_elsewhere = self.mode == settings.STACK and node in (swarm.WORKER, swarm.MANAGER)
        kind = swarm.Stack if self.mode == settings.STACK else containers.ComposeProject
        self.target = kind(cli, self.project)
        # The compose file's canonical form; that with digests, labels and secrets; and that of the current version.
        self.plain, self.canonical, self.before = {}, {}, {}
        self.pins = {}
        self.changes = []
        self.placed = {}
        self.volumes = []
        # Whether anything of the project ran before, whoever deployed it.
        self.was_there = False

    def refuse(self, reason):
        raise ServicesError(f"{PLACE}: {self.name}: {reason}")

    # What should be, and what is.

    def choose_mode(self, node):
        """Return how the project is deployed; node is what this host is in a swarm. Raises ServicesError."""
        wanted, known = self.entry["mode"], self.project.record["mode"]
        if known == settings.STACK and node == swarm.NONE:
            known = None  # the stack is gone with the swarm that this host has left
        if wanted == settings.STACK and node == swarm.NONE:
            self.refuse(
                "a stack needs a swarm, and this host is in none: run playbooks/swarm.yml, or set mode: compose"
            )
        mode = wanted if wanted != settings.AUTO else settings.COMPOSE if node == swarm.NONE else settings.STACK
        if not self.is_present():
            return known or mode
        if known and known != mode:
            self.refuse(
                f"it was deployed as a {known} before, and would run twice as a {mode}: remove it first (state: "
                f"absent, which keeps volumes), or set mode: {known}"
            )
        return mode

    def is_present(self):
        return self.entry["state"] == "present"

    def plan(self):
        """Find what would change. Raises ServicesError."""
        if self.is_present():
            self.plan_deployment()
        else:
            self.plan_removal()

    def plan_deployment(self):
        self.placed = self.project.place_secrets(self.entry["secrets"] or [], self.target.last_secret())
        files.write_atomically(self.file(), settings.text_of(self.entry["compose"]), 0o600)
        self.plain = self.merged({})
        self.require_possible()
        recorded = {} if self.options["renew_pins"] else self.project.record["pins"]
        named = {image for image in pins.images_of(self.plain).values() if not pins.is_pinned(image)}
        self.pin({reference: recorded[reference] for reference in named if reference in recorded})
        self.was_there = self.target.is_there()
        self.texts()  # so that what a swarm refuses is known before anything is changed
        self.find_changes()

    def find_changes(self):
        """Compare with what runs; again once all digests are known."""
        self.before = self.project.version()
        self.changes = [Change(*change) for change in self.target.changes(self.before, self.canonical)]
        others = sorted(key for key in {*self.before, *self.canonical} if self.part(key))
        if self.before and others and not self.changes:
            self.changes.append(Change(", ".join(others), "update"))
        if self.project.exists() and self.project.is_pending() and not self.changes:
            self.changes.append(Change("all services", "deploy again (they were not healthy yet)"))
        self.changes += [Change(name, f"pull {reference} ({UNKNOWN})") for name, reference in self.unknown().items()]

    def part(self, key):
        return self.before.get(key) != self.canonical.get(key)

    def file(self):
        return os.path.join(self.folder, f"{self.name}.yml")

    def merged(self, services):
        """Return the canonical form, with more about each service than the compose file says."""
        try:
            return self.cli.config(self.name, self.project.folder, self.paths(services), self.variables())
        except CommandError as error:
            self.refuse(f"the compose file is refused ({error}): correct it")

    def paths(self, services):
        """Return the compose file and a file that is merged into it."""
        more = {"services": services, "secrets": {name: self.secret_source(name) for name in self.placed}}
        more = {key: value for key, value in more.items() if value}
        path = os.path.join(self.folder, f"{self.name}.more.json")
        files.write_atomically(path, json.dumps(more), 0o600)
        return [self.file(), path] if more else [self.file()]

    def additions(self):
        """Return by service what the compose file does not say: the image's digest, and what its files are made of.

        Compose recreates a container if its own part of the file has changed, and not for another secret or config.
        """
        found = {
            service: {"image": image}
            for service, image in pins.overrides(pins.images_of(self.plain), self.pins).items()
        }
        for name, service in self.plain["services"].items():
            labels = {}
            for kind, label in containers.FILE_LABELS.items():
                used = sorted(item["source"] for item in service.get(kind) or [])
                if used:
                    labels[label] = digest_of({source: self.plain[kind][source] for source in used})
            if labels:
                found.setdefault(name, {})["labels"] = labels
        return found

    def secret_source(self, name):
        path = self.placed[name][0]
        if self.mode != settings.STACK:
            return {"file": path}
        return {"file": path, "name": "{}_{}_{}".format(self.name, name, path.rpartition(".")[2])}

    def variables(self):
        return settings.variables_of(self.entry)

    def require_possible(self):
        """Raise ServicesError about what no host can deploy."""
        for name, service in sorted(self.plain["services"].items()):
            if "build" in service or not service.get("image"):
                self.refuse(
                    f"service {name} is built from a folder, and only the compose file gets to hosts: push its image "
                    "to a registry, or build it with docker_images_list, and name it in image"
                )
            for mount in service.get("volumes") or []:
                self.refuse_own(mount.get("source") if mount.get("type") == "bind" else None, f"service {name} mounts")
        for kind in ("configs", "secrets"):
            for name, source in sorted((self.plain.get(kind) or {}).items()):
                own = [path for path, _, _, _ in self.placed.values()]
                self.refuse_own(source.get("file"), f"{kind} {name} is read from", own)
        images = pins.images_of(self.plain)
        try:
            for reference in images.values():
                if not pins.is_id(reference):
                    pins.split(reference)
            if self.options["require_digest"]:
                pins.require_pinned(images)
        except ServicesError as error:
            self.refuse(str(error))

    def refuse_own(self, path, what, allowed=()):
        """Refuse a path that was relative to the compose file, which is not on the host.

        Those that begin with .. or ../.. lead to folders of Slipway, and of other projects.
        """
        ours = os.path.dirname(os.path.dirname(self.project.folder))
        if path and path not in allowed and f"{path}/".startswith(f"{ours}/"):
            relative = os.path.relpath(path, self.project.folder)
            shown = relative if relative.startswith(".") else f"./{relative}"
            self.refuse(
                f"{what} {shown}, and only the compose file gets to hosts: use an absolute path of the host, a "
                "volume, a config with its content, or secrets"
            )

    def unknown(self):
        """Return the images by service whose digests are not known."""
        return {name: image for name, image in pins.images_of(self.canonical).items() if not pins.is_pinned(image)}

    def pin(self, found):
        """Put images with digests, by the names in the compose file, in place of these."""
        self.pins.update(found)
        additions = self.additions()
        self.canonical = self.merged(additions) if additions else self.plain

    def plan_removal(self):
        if self.target.is_there():
            self.changes.append(Change("all services", "remove"))
        elif self.project.exists():
            self.changes.append(Change("folder", f"remove {self.project.folder}"))
        if self.entry["remove_volumes"]:
            kind = swarm.Stack if self.project.record["mode"] == settings.STACK else self.target
            label = f"{kind.volume_label}={self.name}"
            listed = containers.ask(containers.filtered("/volumes", label))["Volumes"] or []
            self.volumes = sorted(volume["Name"] for volume in listed)
            self.changes += [Change(f"volume {name}", "remove with its data") for name in self.volumes]

    # What is done about it.

    def pull(self, images, keychain):
        """Pull what is missing, and find the digests of tags that have none yet.

        The nodes of a swarm pull by themselves, with these credentials. Raises ImageError and CredentialsError.
        """
        unknown = sorted(set(self.unknown().values()))
        if unknown:
            self.pin({reference: self.resolve(reference, images, keychain) for reference in unknown})
            self.find_changes()
        references = sorted(set(pins.images_of(self.canonical).values()))
        wanted = [pins.split(reference) for reference in references if not pins.is_id(reference)]
        if self.mode == settings.STACK:
            self.cli.log_in({image_names.registry_key(name) for name, _, _ in wanted}, keychain)
            return
        for name, _, digest in wanted:
            if not engine_image(f"{name}@{digest}"):
                images.pull(name, digest, keychain)

    def resolve(self, reference, images, keychain):
        """Return the reference with the digest that its tag has now, or the ID of an image that was built here."""
        name, tag, _ = pins.split(reference)
        there = engine_image(reference)
        if there and not there.get("RepoDigests"):
            if self.mode == settings.STACK:
                self.refuse(f"the image {reference} is on this host alone: push it to a registry that all nodes reach")
            return there["Id"]
        images.pull(name, tag or "latest", keychain)
        familiar = image_names.familiar(name)
        digests = [
            digest.partition("@")[2]
            for digest in (engine_image(reference) or {}).get("RepoDigests") or []
            if digest.partition("@")[0] == familiar
        ]
        if not digests:
            self.refuse(f"the engine does not know the digest of {reference}: write it in the compose file")
        return f"{name}:{tag or 'latest'}@{digests[0]}"

    def deploy(self):
        """Bring up what is planned, or only wait. Raises DeployError if it does not become healthy, once the version
        before is back."""
        is_new = self.project.is_pending() or self.canonical != self.before
        if is_new and self.changes:
            used = [self.placed[name] for name in self.canonical.get("secrets") or {} if name in self.placed]
            self.project.prepare(self.texts(), used, self.mode)
            self.project.advance()
        trouble = self.bring_up(self.canonical) if self.changes else self.wait(self.canonical)
        if trouble:
            lines = self.target.logs(trouble)
            raise DeployError(f"{self.told(trouble)}. {self.go_back(is_new)}", lines)
        if self.changes:
            self.project.settle(self.target.fingerprints(), self.pins)
        elif self.pins != self.project.record["pins"]:  # a tag has the digest that the file named before
            self.project.save_record(pins=self.pins)

    def texts(self):
        texts = {project_folder.COMPOSE_FILE: project_folder.render(self.canonical)}
        if self.mode == settings.STACK:
            try:
                texts[project_folder.STACK_FILE] = self.cli.stack_config(self.paths(self.additions()), self.variables())
            except CommandError as error:
                self.refuse(f"docker stack refuses the compose file ({error}): correct it")
        return texts

    def bring_up(self, canonical):
        """Return the Trouble that keeps the current version from being healthy, or None."""
        started = time.monotonic()
        try:
            self.target.bring_up(self.entry["timeout"])
        except CommandError as error:
            failed, _ = self.target.look(canonical)
            return failed[0] if failed else containers.Trouble(None, None, str(error))
        return self.wait(canonical, started)

    def wait(self, canonical, started=None):
        deadline = (time.monotonic() if started is None else started) + self.entry["timeout"]
        return containers.wait(self.target, canonical, deadline)

    def told(self, trouble):
        subject = f"its service {trouble.service} {trouble.reason}" if trouble.service else trouble.reason
        return f"{PLACE}: {self.name} did not become healthy: {subject}"

    def go_back(self, is_new):
        """Bring the last healthy version back; return a sentence about what runs now."""
        if not is_new:
            return (
                "Its version is the one that was healthy before, so there is none to go back to: see its log, and run "
                "again when what it needs is there."
            )
        if not self.project.go_back():
            return self.take_back()
        trouble = self.bring_up(self.project.version())
        if trouble:
            about = f"service {trouble.service} {trouble.reason}" if trouble.service else trouble.reason
            return f"The version before does not come back either ({about}): see docker ps --all on the host."
        self.project.settle(self.target.fingerprints(), self.project.record["pins"])
        return "The version before runs again."

    def take_back(self):
        if self.was_there:
            return (
                "No version that was healthy was deployed from this host, so that there is none to go back to: the one "
                "that failed is left in place. Correct it and run again, or remove it (state: absent)."
            )
        try:
            self.target.remove(REMOVAL_SECONDS)
        except CommandError as error:
            return f"It was the first version, and cannot be removed ({error})."
        self.project.forget()
        return "It was the first version, so that nothing of it runs now; volumes stay."

    def remove(self):
        """Remove the project; volumes only where asked. Raises ServicesError."""
        try:
            if self.target.is_there():
                self.target.remove(REMOVAL_SECONDS)
            if self.volumes:
                self.cli.run(["volume", "rm", "--force", *self.volumes], REMOVAL_SECONDS)
        except CommandError as error:
            self.refuse(f"it cannot be removed ({error}): correct this, and run again")
        self.project.forget()

    def differences(self):
        """Return the diffs of a run: what happens to each service, and the canonical forms."""
        header = f"{PLACE}: {self.name}"
        planned = "".join(f"{change.service}: {change.what}\n" for change in self.changes)
        shown = [{"before_header": header, "after_header": f"{header}, what is done", "before": "", "after": planned}]
        if self.is_present() and self.canonical != self.before:
            texts = [project_folder.shown(version) if version else "" for version in (self.before, self.canonical)]
            shown.append({"before_header": header, "after_header": header, "before": texts[0], "after": texts[1]})
        return shown if self.changes else []

    def without_restart_policy(self):
        """Return the services that the engine does not start again at boot."""
        if self.mode != settings.COMPOSE:
            return []
        return sorted(
            name
            for name, service in self.canonical.get("services", {}).items()
            if "restart" not in service and not (service.get("deploy") or {}).get("restart_policy")
        )


def digest_of(value):
    """Return a digest of definitions; that of a secret has the path of its file, and nothing of its content."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def engine_image(reference):
    """Return what the engine knows about an image; {} if it does not have it."""
    return engine_api.get_json(SOCKET, f"/images/{reference}/json", 30)
