# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Base class of all modules, which keeps secrets out of the journal, results and errors, and errors readable."""

import contextlib
import functools
import json
import os
import sys

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets

OURS = "/slipway/platform/plugins/"
REPORTS = "https://github.com/slipway/platform/issues"


class GuardedModule(AnsibleModule):  # type: ignore[misc]  # ansible has no types
    """An AnsibleModule that removes secrets from parameters before they become text.

    AnsibleModule does so afterwards, and knows only no_log values of valid parameters: not secrets in URLs and in
    free-form options, and none at all if a parameter is invalid. With strict_texts=texts.problem, a number or a boolean
    in place of a text is an error; other modules do not carry that file to the host.
    """

    current = None

    def __init__(self, *arguments, strict_texts=None, **keywords):
        # With sudo's 077, files that dnf, createrepo_c and other programs create would be closed to their readers.
        os.umask(0o022)
        self.strict_texts, self.wrong_text = strict_texts, None
        super().__init__(*arguments, **keywords)
        GuardedModule.current = self
        self.conceal()
        if self.wrong_text:
            self.fail_json(msg=f"{self.wrong_text}. Nothing was changed.")

    def _load_params(self):
        super()._load_params()
        if self.strict_texts:
            self.wrong_text = self.strict_texts(self.params, self.argument_spec)

    def conceal(self):
        """Register the secrets, so that everything logged or returned from now on is redacted."""
        self.no_log_values.update(parameter_secrets.secrets_of(self.params, self.argument_spec))

    def shown_parameters(self):
        return remove_values(parameter_secrets.hidden(self.params, self.argument_spec), self.no_log_values)

    def log(self, msg, log_args=None):
        """Log to the journal or syslog; log_args is set only for the line about the invocation."""
        if log_args is not None:
            self.conceal()
            log_args = {name: str(value) for name, value in self.shown_parameters().items()}
            msg = " ".join(["Invoked with", *("{}={}".format(*shown) for shown in log_args.items())])
        super().log(msg, log_args)

    def exit_json(self, **result):
        super().exit_json(**self.guarded(result))

    def fail_json(self, msg, **result):
        """Fail with a message, never an empty one: under no_log it is all that a role can show."""
        super().fail_json(
            str(msg).strip() or f"{self._name} failed without a reason: report it at {REPORTS}.", **self.guarded(result)
        )

    def guarded(self, result):
        """Add the redacted parameters to the result; invalid parameters reach conceal() only here."""
        self.conceal()
        return {"invocation": {"module_args": self.shown_parameters()}, **result}


def explained(main):
    """Have a module's main() end with a sentence if it raises an exception that the module does not expect.

    Ansible would show a traceback, and nothing at all under no_log. The exception's own text is left out where it may
    hold a secret.
    """

    @functools.wraps(main)
    def run():
        try:
            main()
        except Exception as error:
            module = GuardedModule.current
            if module is None:
                raise  # of a tool that reads the module's specification
            name = os.path.splitext(os.path.basename(main.__code__.co_filename))[0]
            fail(module, unexpected(name, error, may_show_text(module)))

    return run


def may_show_text(module):
    return not module.no_log and not module.no_log_values


def unexpected(name, error, with_text):
    """The sentence about an unexpected exception."""
    text = " ".join(str(error).split()) if with_text else ""
    return (
        "{} failed unexpectedly ({}{} in {}), and may have changed something. This is a defect of the collection "
        "slipway.platform: report it with this sentence at {}.".format(
            name, type(error).__name__, f": {text}" if text else "", place_of(error), REPORTS
        )
    )


def place_of(error):
    """The innermost place in this collection that the exception passed, otherwise the innermost place."""
    places, trace = [], error.__traceback__
    while trace:
        places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    ours = [place for place in places if OURS in place[0]] or places
    return "{}:{}".format(ours[-1][0].rpartition(OURS)[2], ours[-1][1])


def fail(module, message):
    """End the module with the message, even if its result cannot be formatted."""
    with contextlib.suppress(Exception):
        module.fail_json(msg=message)
    sys.stdout.write(json.dumps({"failed": True, "msg": message}) + "\n")
    raise SystemExit(1)
