# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Plans and applies the registry credentials of several users: all of them, or none."""

import contextlib
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils import (
    acting_as,
    credential_helper,
    docker_config_file,
    docker_config_json,
    docker_config_redaction,
    registry_auth,
    registry_http,
    registry_names,
)
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import EVERY_REGISTRY

Login = namedtuple("Login", ["account", "key", "username", "password", "state", "helper"])
# What one helper keeps for one registry, before and after.
Kept = namedtuple("Kept", ["account", "helper", "key", "before", "after"])

PROBLEMS = (
    acting_as.AccountError,
    credential_helper.HelperError,
    docker_config_file.ConfigFileError,
    docker_config_json.DockerConfigError,
    registry_http.RegistryError,
    registry_names.RegistryNameError,
)


class LoginError(Exception):
    """A login cannot be made; the text names it and is the sentence for the user, without the secret."""


class PutBackError(Exception):
    """A write failed half-way and could not be undone; the text is the sentence for the user."""


@contextlib.contextmanager
def naming(user, registry):
    """Within, every error is told with the login that it concerns."""
    try:
        yield
    except PROBLEMS as error:
        raise LoginError(f"Login of user {user} at registry {registry}: {error}") from error
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise LoginError(f"Login of user {user} at registry {registry}: {reason}") from error


def about(login):
    return naming(login.account.name, login.key)


def resolve(logins, find_account=acting_as.find_account):
    """The logins of the module's parameters with their accounts and keys; each is complete and there once."""
    resolved = {}  # type: dict[object, Login]
    for params in logins:
        with naming(params["user"], params["registry"]):
            login = Login(
                find_account(params["user"]),
                registry_names.key_of(params["registry"]),
                params["username"],
                params["password"],
                params["state"],
                params["helper"],
            )
            require_complete(login)
            if (login.account, login.key) in resolved:
                raise registry_names.RegistryNameError(f"it is there twice, as {login.key}: remove one of them")
            resolved[login.account, login.key] = login
    return list(resolved.values())


def require_complete(login):
    problem = incompleteness(login)
    if problem:
        raise registry_names.RegistryNameError(problem)
    if login.helper:
        credential_helper.require_name(login.helper)


def incompleteness(login):
    """What is wrong with the login's options, or None."""
    if login.key == EVERY_REGISTRY:
        if not login.helper or login.password:
            return "'*' stands for the helper of every registry: give a helper and no password"
        return None
    if login.state == "absent":
        return None
    if not login.password:
        return None if login.helper else "the password is missing: give one, or a helper that knows it"
    if not login.username:
        return "the username is missing: with a personal token it is yours, else that of the organisation"
    if ":" in login.username or not login.username.isprintable():
        return "the username holds a colon or a control character: no registry can be told such a name"
    if not login.password.isprintable():
        return "the password holds a line break or a control character: remove it"
    return None


class UserPlan:
    """What is to become of one user's configuration and of what his helpers keep."""

    def __init__(self, account):
        self.account = account
        self.state = docker_config_file.read(account)
        self.config = self.state.config
        self.kept = []
        self.warnings = []
        self.changed = {}

    def add(self, login):
        before, kept = self.config, len(self.kept)
        if login.key == EVERY_REGISTRY:
            self.set_store(login)
        elif login.state == "absent":
            self.remove(login)
        else:
            self.put(login)
        self.changed[login] = before != self.config or kept != len(self.kept)

    def set_store(self, login):
        if login.state == "absent":
            self.config = docker_config_json.with_store(self.config, None)
            return
        credential_helper.require_installed(login.helper)
        left_alone = docker_config_json.plain_text_registries(self.config)
        if left_alone and self.config.get("credsStore") != login.helper:
            self.warnings.append(
                "{}: with the helper {} docker no longer reads the secrets of {} from this file: log in to them "
                "again".format(docker_config_file.path_of(self.account), login.helper, ", ".join(left_alone))
            )
        self.config = docker_config_json.with_store(self.config, login.helper)

    def put(self, login):
        if login.helper:
            self.config = docker_config_json.with_helper(self.config, login.key, login.helper)
        helper = docker_config_json.helper_of(self.config, login.key)
        if helper:
            credential_helper.require_installed(helper)
            self.config = docker_config_json.without_auth(self.config, login.key)
            if login.password:
                self.keep(login, helper, credential_helper.Credentials(login.username, login.password))
        else:
            auth = docker_config_json.encode_auth(login.username, login.password)
            self.config = docker_config_json.with_auth(self.config, login.key, auth)

    def remove(self, login):
        # As it was before this run: a store that the same run takes away may still keep the secret.
        configured = docker_config_json.helper_of(self.state.config, login.key)
        helper = login.helper or configured
        if helper and (helper == configured or credential_helper.is_installed(helper)):
            self.keep(login, helper, None)
        self.config = docker_config_json.without_registry(self.config, login.key)
        if login.helper:
            self.config = docker_config_json.without_helper(self.config, login.key)

    def keep(self, login, helper, after):
        before = credential_helper.get(self.account, helper, login.key)
        if before != after:
            self.kept.append(Kept(self.account, helper, login.key, before, after))

    @property
    def content_differs(self):
        return self.config != self.state.config

    @property
    def file_changes(self):
        exists = self.state.text is not None
        return self.content_differs or (exists and not self.state.fine)

    @property
    def text(self):
        return docker_config_json.render(self.config) if self.content_differs else self.state.text

    def write(self):
        docker_config_file.write(self.account, self.text)

    def differences(self, secrets):
        """What Ansible shows for --diff."""
        shown = []
        if self.file_changes:
            path = docker_config_file.path_of(self.account)
            shown.append(
                docker_config_redaction.difference(path, self.state.config, self.config, secrets, self.mode_notes())
            )
        return shown + [helper_difference(kept) for kept in self.kept]

    def mode_notes(self):
        if self.state.fine:
            return "", ""
        modes = (self.state.file_mode, self.state.directory_mode)
        before = " ".join("-" if mode is None else f"{mode:04o}" for mode in modes)
        after = f"{docker_config_file.FILE_MODE:04o} {docker_config_file.DIRECTORY_MODE:04o}"
        owner = self.account.name
        return f"file and directory: {before}\n", f"file and directory: {after}, of {owner} and his group\n"


def helper_difference(kept):
    header = f"{credential_helper.program(kept.helper)} of {kept.account.name}: {kept.key}"
    new = docker_config_redaction.HIDDEN_NEW if kept.before else docker_config_redaction.HIDDEN
    return {
        "before_header": header,
        "after_header": header,
        "before": f"{kept.before.username} {docker_config_redaction.HIDDEN}\n" if kept.before else "",
        "after": f"{kept.after.username} {new}\n" if kept.after else "",
    }


def plan(logins):
    """A UserPlan for every user, by his account; '*' first, because it decides where the others go."""
    plans = {}
    for login in sorted(logins, key=lambda login: login.key != EVERY_REGISTRY):
        with about(login):
            if login.account not in plans:
                plans[login.account] = UserPlan(login.account)
            plans[login.account].add(login)
    for login in logins:
        with about(login):
            if plans[login.account].file_changes:
                docker_config_file.require_writable(login.account)
    return plans


def verify(logins, client, warn):
    """The logins that their registry has confirmed; the same credentials of several users are asked about once."""
    answers = {}
    for login in logins:
        if not is_verifiable(login):
            continue
        question = (login.key, login.username, login.password)
        if question not in answers:
            with about(login):
                answers[question] = registry_auth.verify(client, registry_names.api_urls(login.key), *question[1:])
            if not answers[question]:
                warn(f"the registry {login.key} asks for no credentials: those of {login.username} are not verified")
    return {login for login in logins if answers.get((login.key, login.username, login.password))}


def is_verifiable(login):
    return login.state == "present" and bool(login.password)


def rate_limits(logins, client, warn):
    """What Docker Hub lets each user still pull, by the user's name."""
    found = {}
    for login in logins:
        if is_verifiable(login) and login.key == registry_names.HUB_KEY:
            try:
                found[login.account.name] = registry_auth.rate_limit(
                    client, registry_names.api_urls(login.key), login.username, login.password
                )
            except registry_http.RegistryError as error:
                warn(f"the rate limit of user {login.account.name} is unknown: {error}")
    return found


def apply(plans):
    """Write all of it; when one write fails, what was written before is put back."""
    with contextlib.ExitStack() as undo:
        for user_plan in plans.values():
            with naming(user_plan.account.name, ", ".join(login.key for login in user_plan.changed)):
                for kept in user_plan.kept:
                    credential_helper.put(kept.account, kept.helper, kept.key, kept.after)
                    undo.callback(put_back, credential_helper.put, kept.account, kept.helper, kept.key, kept.before)
                if user_plan.file_changes:
                    undo.callback(put_back, docker_config_file.restore, user_plan.account, user_plan.state)
                    user_plan.write()
        undo.pop_all()


def put_back(action, account, *arguments):
    try:
        action(account, *arguments)
    except (OSError, *PROBLEMS) as error:
        raise PutBackError(
            f"A write failed, and then the credentials of {account.name} could not be put back ({error}): "
            "repair that and run again"
        ) from error


def summary(logins, plans, verified, secrets):
    """What the module returns about the logins."""
    return {
        "changed": any(user_plan.file_changes or user_plan.kept for user_plan in plans.values()),
        "diff": [shown for user_plan in plans.values() for shown in user_plan.differences(secrets)],
        "warnings": [sentence for user_plan in plans.values() for sentence in user_plan.warnings],
        "logins": [
            {
                "user": login.account.name,
                "registry": login.key,
                "verified": login in verified,
                "changed": plans[login.account].changed[login],
            }
            for login in logins
        ],
    }
