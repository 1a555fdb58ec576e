# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Passes the state of a swarm between a manager and the controller, for the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.slipway.platform.plugins.plugin_utils.aws_secret import secret_place
from ansible_collections.slipway.platform.plugins.plugin_utils.secret_file import SecretFile, SecretFileError

# What of the module's result may be shown; the rest holds the state.
SHOWN = ("failed", "msg", "changed", "unreachable", "warnings", "deprecations", "address", "has_address")


class ActionModule(ActionBase):
    """Runs the module, and returns nothing that is secret."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._connection._play_context.no_log = True  # else ssh shows the module's whole result with -vvv
        arguments = dict(self._task.args)
        is_restoring = arguments.get("state") == "restored"
        try:
            if not arguments.get("path"):
                raise SecretFileError("docker_swarm_backup_file is empty: set it to a path on the controller")
            file = SecretFile(str(arguments["path"]), self._loader._vault)
            if is_restoring:
                arguments["content"] = file.read()
                if not arguments["content"]:
                    raise SecretFileError(f"{file.path} does not exist on the controller: name the file of a backup")
            else:
                file.require_writable()
            if arguments.get("unlock_key_file"):
                arguments["unlock_key"] = secret_place(str(arguments["unlock_key_file"]), self._loader._vault).read()
            found = self._execute_module(module_args=arguments, task_vars=task_vars)
            if found.get("content") and not is_restoring:
                file.write(found["content"])
        except SecretFileError as error:
            return {**result, "failed": True, "msg": f"{error}. No state was copied."}
        return {**result, **{name: found[name] for name in SHOWN if name in found}, "path": str(file.path)}
