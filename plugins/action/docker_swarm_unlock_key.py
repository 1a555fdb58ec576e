# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Passes the unlock key between a manager and the controller; plugins/modules/ has the documentation."""

from ansible.plugins.action import ActionBase
from ansible_collections.slipway.platform.plugins.plugin_utils.aws_secret import secret_place
from ansible_collections.slipway.platform.plugins.plugin_utils.secret_file import SecretFileError

SECRETS = "slipway.platform.docker_swarm_secrets"
INFO = "slipway.platform.docker_swarm_info"
NODE = "slipway.platform.docker_swarm_node"
# What of a module's result may be shown; the rest holds the key.
SHOWN = ("failed", "msg", "unreachable", "warnings", "deprecations")


class ActionModule(ActionBase):
    """Runs the modules, and returns nothing that is secret."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._connection._play_context.no_log = True  # else ssh shows the modules' whole results with -vvv
        _, options = self.validate_argument_spec(
            argument_spec={
                "path": {"type": "str", "required": True},
                "autolock": {"type": "bool"},
                "state": {"type": "str", "choices": ["kept", "used"], "default": "kept"},
            }
        )
        file = secret_place(options["path"], self._loader._vault)
        act = self.use if options["state"] == "used" else self.keep
        try:
            return {**result, **act(file, options["autolock"], task_vars), "path": str(file.path)}
        except SecretFileError as error:
            return {**result, "failed": True, "msg": f"{error}. Nothing was changed."}

    def ask(self, module, arguments, task_vars):
        """Run a module; return its result and what may be shown of it."""
        found = self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars)
        return found, {name: found[name] for name in SHOWN if name in found}

    def use(self, file, _, task_vars):
        found, shown = self.ask(INFO, {}, task_vars)
        if found.get("node", {}).get("state") != "locked":
            return {"changed": False, **shown}
        key = file.read()
        if not key:
            raise SecretFileError(
                f"{file.path} does not exist: set docker_swarm_unlock_key_file to the place of the key"
            )
        found, shown = self.ask(NODE, {"unlock_key": key}, task_vars)
        return {**shown, "changed": found.get("changed", False)}

    def keep(self, file, autolock, task_vars):
        before = file.read()
        file.require_writable()
        found, shown = self.ask(SECRETS, {"autolock": autolock}, task_vars)
        if "unlock_key" not in found:
            return {"failed": True, **shown}
        key = found["unlock_key"]
        is_stale = bool(key) and (key != before or not file.is_protected())
        if is_stale and not self._task.check_mode:
            try:
                file.write(key)
            except SecretFileError:
                if found["changed"]:
                    self.ask(SECRETS, {"autolock": found["autolock"]}, task_vars)
                raise
        awaited = found["changed"] and bool(autolock) and not key  # in check mode
        diff = {
            "before": f"{file.path}: {'a key' if before else 'no key'}\n",
            "after": f"{file.path}: {'the key of the swarm' if key or awaited else 'a key' if before else 'no key'}\n",
        }
        return {**shown, "changed": found["changed"] or is_stale, "diff": diff}
