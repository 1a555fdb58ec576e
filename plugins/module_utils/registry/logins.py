# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Registry logins of several users, planned first and applied as one transaction."""

import contextlib
import json
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.module import texts
from ansible_collections.slipway.platform.plugins.module_utils.registry import (
    authentication,
    config_file,
    config_json,
    credential_helpers,
    redaction,
)
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry import names as registry_names
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import EVERY_REGISTRY
from ansible_collections.slipway.platform.plugins.module_utils.registry.token_end import token_end

Login = namedtuple("Login", ["account", "key", "username", "password", "state", "helper", "verify"])
# The credentials that a helper stores for a registry, before and after.
HelperChange = namedtuple("HelperChange", ["account", "helper", "key", "before", "after"])

EXPECTED_ERRORS = (
    run_as.AccountError,
    credential_helpers.HelperError,
    config_file.ConfigFileError,
    config_json.DockerConfigError,
    registry_http.RegistryError,
    registry_names.RegistryNameError,
)


class LoginError(Exception):
    """A login is impossible; the message is for the user, names the login and holds no secret."""


class RollbackError(Exception):
    """A write failed and could not be rolled back; the message is for the user."""


@contextlib.contextmanager
def error_context(user, registry):
    """Turn errors into LoginError, which names the login."""
    try:
        yield
    except EXPECTED_ERRORS as error:
        raise LoginError(f"Login of user {user} at registry {registry}: {error}") from error
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise LoginError(f"Login of user {user} at registry {registry}: {reason}") from error


def login_context(login):
    return error_context(login.account.name, login.key)


def text_of(password):
    """The password as a text. Raises RegistryNameError for a number, which YAML makes of digits.

    A key that is a JSON document arrives as a dict where a template returned it, up to ansible-core 2.18.
    """
    if isinstance(password, dict):
        return json.dumps(password)
    if password is not None and not isinstance(password, str):
        raise registry_names.RegistryNameError(
            "the password or token is "
            + ("a list: set it to a text" if isinstance(password, list) else f"a number or a boolean {texts.UNQUOTED}")
        )
    # As docker login --password-stdin does it.
    return password.rstrip("\r\n") if password and config_json.is_document(password) else password


def resolve(logins, find_account=run_as.find_account):
    """Turn the module's parameters into Logins with accounts and keys. Raises LoginError, also for duplicates."""
    resolved = {}  # type: dict[object, Login]
    for params in logins:
        with error_context(params["user"], params["registry"]):
            login = Login(
                find_account(params["user"]),
                registry_names.key_of(params["registry"]),
                params["username"],
                text_of(params["password"]),
                params["state"],
                params["helper"],
                params.get("verify"),
            )
            require_complete(login)
            if (login.account, login.key) in resolved:
                raise registry_names.RegistryNameError(f"the login is listed twice, as {login.key}: remove one of them")
            resolved[login.account, login.key] = login
    return list(resolved.values())


def problems_while_baking(settings):
    """Return a sentence on secrets that would stay in an image; settings are the logins of docker_registry_auth."""
    named = [
        "user {} at {}".format(login.get("user") or "root", login.get("registry") or "docker.io")
        for login in settings["logins"]
        if login.get("state", "present") == "present" and (login.get("password") or login.get("token"))
    ]
    if not named:
        return []
    return [
        "An image that holds a secret leaks it, so none is stored while baking: docker_registry_auth_logins has one "
        "for {}. Have docker_firstboot_credentials read it on each instance instead, or name a credential helper "
        "without a secret.".format(", ".join(named))
    ]


def require_complete(login):
    problem = login_problem(login)
    if problem:
        raise registry_names.RegistryNameError(problem)
    if login.helper:
        credential_helpers.require_name(login.helper)


def login_problem(login):
    """A message about invalid options of the login, or None."""
    if login.key == EVERY_REGISTRY:
        if not login.helper or login.password:
            return "'*' sets the default helper of all registries: set helper, and no password"
        return None
    if login.state == "absent":
        return None
    if not login.password:
        return None if login.helper else "the password is missing: set password, or a helper that stores it"
    if not login.username:
        return "the username is missing: set it to that of the user, or of the organization that the token belongs to"
    if ":" in login.username or config_json.secret_fault(login.username):
        return "the username contains a colon or a control character, which registries do not support: correct it"
    fault = config_json.secret_fault(login.password)
    return fault and f"the password contains {fault}: remove it"


class UserPlan:
    """The planned changes to the config.json and credential helpers of one user."""

    def __init__(self, account, proxy=None):
        self.account = account
        self.proxy = proxy
        self.path = config_file.path_of(account)
        self.state = config_file.read(account)
        self.config = self.state.config
        self.helper_changes = []
        self.warnings = []
        self.changed = {}

    def add(self, login):
        before, count = self.config, len(self.helper_changes)
        if login.key == EVERY_REGISTRY:
            self.set_default_helper(login)
        elif login.state == "absent":
            self.remove(login)
        else:
            self.put(login)
        self.changed[login] = before != self.config or count != len(self.helper_changes)

    def set_default_helper(self, login):
        if login.state == "absent":
            self.config = config_json.with_store(self.config, None)
            return
        credential_helpers.require_installed(login.helper)
        ignored = config_json.plain_text_registries(self.config)
        if ignored and self.config.get("credsStore") != login.helper:
            self.warnings.append(
                "{}: with the default helper {} Docker ignores the secrets of {} here: log in to them again".format(
                    self.path, login.helper, ", ".join(ignored)
                )
            )
        self.config = config_json.with_store(self.config, login.helper)

    def put(self, login):
        if login.helper:
            self.config = config_json.with_helper(self.config, login.key, login.helper)
        helper = config_json.helper_of(self.config, login.key)
        if helper:
            with self.helper_context(login, helper):
                credential_helpers.require_installed(helper)
            self.config = config_json.without_auth(self.config, login.key)
            if login.password:
                self.change_helper(login, helper, credential_helpers.Credentials(login.username, login.password))
        else:
            auth = config_json.encode_auth(login.username, login.password)
            self.config = config_json.with_auth(self.config, login.key, auth)

    def remove(self, login):
        # The state before this run: a default helper that this run removes may still store the secret.
        configured = config_json.helper_of(self.state.config, login.key)
        helper = login.helper or configured
        if helper and credential_helpers.is_installed(helper):
            self.change_helper(login, helper, None)
        elif helper and helper == configured:
            self.leave_behind(login, helper)
        self.config = config_json.without_registry(self.config, login.key)
        if login.helper:
            self.config = config_json.without_helper(self.config, login.key)

    def leave_behind(self, login, helper):
        """Warn about a missing helper that this run drops; raise HelperError for one that stays."""
        if not login.helper and config_json.helper_of(self.config, login.key) == helper:
            with self.helper_context(login, helper):
                credential_helpers.require_installed(helper)
        self.warnings.append(
            f"{credential_helpers.program(helper)} is not installed, so what it may still store for {login.key} was "
            "not erased"
        )

    def change_helper(self, login, helper, after):
        with self.helper_context(login, helper):
            before = credential_helpers.get(self.account, helper, login.key, self.proxy)
        if before != after:
            self.helper_changes.append(HelperChange(self.account, helper, login.key, before, after))

    @contextlib.contextmanager
    def helper_context(self, login, helper):
        """Add to errors of a helper that only the user's file names how to stop using it."""
        try:
            yield
        except credential_helpers.HelperError as error:
            if login.helper:
                raise
            raise credential_helpers.HelperError(
                f"{error}. {credential_helpers.way_out(self.config, self.path, login.key)}"
            ) from error

    @property
    def content_differs(self):
        return self.config != self.state.config

    @property
    def file_changes(self):
        exists = self.state.text is not None
        return self.content_differs or (exists and not self.state.private)

    @property
    def text(self):
        return config_json.render(self.config) if self.content_differs else self.state.text

    def write(self):
        config_file.write(self.account, self.text)

    def differences(self, secrets):
        """What Ansible shows for --diff."""
        shown = []
        if self.file_changes:
            shown.append(redaction.difference(self.path, self.state.config, self.config, secrets, self.mode_notes()))
        return shown + [helper_difference(change) for change in self.helper_changes]

    def mode_notes(self):
        if self.state.private:
            return "", ""
        modes = (self.state.file_mode, self.state.directory_mode)
        before = " ".join("-" if mode is None else f"{mode:04o}" for mode in modes)
        after = f"{config_file.FILE_MODE:04o} {config_file.DIRECTORY_MODE:04o}"
        owner = self.account.name
        return (
            f"file and directory: {before}\n",
            f"file and directory: {after}, owned by {owner} and their primary group\n",
        )


def helper_difference(change):
    header = f"{credential_helpers.program(change.helper)} of {change.account.name}: {change.key}"
    new = redaction.HIDDEN_NEW if change.before else redaction.HIDDEN
    return {
        "before_header": header,
        "after_header": header,
        "before": f"{change.before.username} {redaction.HIDDEN}\n" if change.before else "",
        "after": f"{change.after.username} {new}\n" if change.after else "",
    }


def plan(logins, proxy=None):
    """Map accounts to UserPlans. '*' is planned first, because it decides where other logins are stored."""
    plans = {}
    for login in sorted(logins, key=lambda login: login.key != EVERY_REGISTRY):
        with login_context(login):
            if login.account not in plans:
                plans[login.account] = UserPlan(login.account, proxy)
            plans[login.account].add(login)
    for login in logins:
        with login_context(login):
            if plans[login.account].file_changes:
                config_file.require_writable(login.account)
    return plans


def verify(logins, client, warn, by_default=True):
    """Return the set of logins that their registries accept. Raises LoginError.

    Credentials that several users share are verified once. by_default is for logins that do not set verify.
    """
    results = {}
    for login in logins:
        if not is_verifiable(login) or not (by_default if login.verify is None else login.verify):
            continue
        credentials = (login.key, login.username, login.password)
        if credentials not in results:
            with login_context(login):
                results[credentials] = authentication.verify(
                    client.for_registry(login.key), registry_names.api_urls(login.key), *credentials[1:]
                )
            if not results[credentials]:
                warn(f"the registry {login.key} requires no credentials: those of {login.username} were not verified")
    return {
        login
        for login in logins
        if login.verify is not False and results.get((login.key, login.username, login.password))
    }


def is_verifiable(login):
    return login.state == "present" and bool(login.password)


def rate_limits(logins, client, warn):
    """Map names of users to their Docker Hub rate limits."""
    found = {}
    for login in logins:
        if is_verifiable(login) and login.key == registry_names.HUB_KEY:
            try:
                found[login.account.name] = authentication.rate_limit(
                    client, registry_names.api_urls(login.key), login.username, login.password
                )
            except registry_http.RegistryError as error:
                warn(f"the rate limit of user {login.account.name} is unknown: {error}")
    return found


def apply(plans):
    """Write all changes; if one fails, roll back those before it. Raises LoginError and RollbackError."""
    with contextlib.ExitStack() as undo:
        for user_plan in plans.values():
            with error_context(user_plan.account.name, ", ".join(login.key for login in user_plan.changed)):
                for change in user_plan.helper_changes:
                    target, proxy = change[:3], user_plan.proxy
                    credential_helpers.put(*target, change.after, proxy)
                    undo.callback(roll_back, credential_helpers.put, *target, change.before, proxy)
                if user_plan.file_changes:
                    undo.callback(roll_back, config_file.restore, user_plan.account, user_plan.state)
                    user_plan.write()
        undo.pop_all()


def roll_back(action, account, *arguments):
    try:
        action(account, *arguments)
    except (OSError, *EXPECTED_ERRORS) as error:
        raise RollbackError(
            f"A write failed, and the previous credentials of {account.name} could not be restored ({error}): "
            "correct that and run again"
        ) from error


def summary(logins, plans, verified, secrets):
    """The module's return values about the logins."""
    return {
        "changed": any(user_plan.file_changes or user_plan.helper_changes for user_plan in plans.values()),
        "diff": [shown for user_plan in plans.values() for shown in user_plan.differences(secrets)],
        "warnings": [warning for user_plan in plans.values() for warning in user_plan.warnings],
        "logins": [
            {
                "user": login.account.name,
                "registry": login.key,
                "verified": login in verified,
                "changed": plans[login.account].changed[login],
                "ends": token_end(login.password),
            }
            for login in logins
        ],
    }
