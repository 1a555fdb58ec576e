# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The docker command with its subcommands compose and stack, run without a shell and with an environment of its own."""

import base64
import errno
import json
import os
import re
import signal
import subprocess

from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import CommandError, ServicesError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SOCKET = "/run/docker.sock"
# Of commands that only read.
ANSWER_SECONDS = 60
UNSET = re.compile(r'The \\?"(?P<name>[^"\\]+)\\?" variable is not set')
# How Compose and the loader of stacks name a file before what is wrong in it.
FILE = re.compile(r"\A(?:validating |parsing |failed to parse )?/\S+?: ")
LOG_LINE = re.compile(r'time="[^"]*" level=\w+ msg=')
LAST_LINES, LONGEST_LINE = 10, 300


class DockerCli:
    """The docker command of a host. folder is a private one.

    It has root's home, whoever's logins count: the command runs plugins that it finds in a home.
    """

    def __init__(self, folder):
        self.environment = {"PATH": PATH, "HOME": "/root", "DOCKER_HOST": f"unix://{SOCKET}", "LC_ALL": "C.UTF-8"}
        self.logins = os.path.join(folder, "logins")

    def run(self, arguments, timeout=ANSWER_SECONDS, variables=None, merged=False):
        """Return (stdout, stderr) of docker with arguments; merged puts stderr into stdout. Raises CommandError."""
        try:
            process = subprocess.Popen(
                ["docker", *arguments],
                env={**(variables or {}), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merged else subprocess.PIPE,
                cwd="/",
                start_new_session=True,
            )
            code, out, err = outcome(process, max(timeout, 1))
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"docker {arguments[0]} did not end within {timeout:.0f} s") from error
        except OSError as error:
            if error.errno == errno.E2BIG and variables:
                longest = max(variables, key=lambda name: len(variables[name]))
                raise CommandError(
                    f"{longest} is too long: the kernel takes values of up to 128 KiB, so put such data into a volume"
                ) from error
            raise CommandError(
                f"the docker command cannot be run ({error.strerror}): run the role docker_engine first"
            ) from error
        if code:
            raise CommandError(last_message(err or out) or f"it ended with status {code}", err)
        return out, err

    def require_compose(self):
        """Raise ServicesError unless the plugin is installed."""
        try:
            self.run(["compose", "version", "--short"])
        except CommandError as error:
            raise ServicesError(
                f"docker compose does not run on this host ({error}): add compose to docker_engine_plugins and run the "
                "role docker_engine, or run dnf install docker-compose-plugin"
            ) from error

    def config(self, name, folder, paths, variables):
        """Return the project in its canonical form, as a dict, without what is not in use. Raises CommandError."""
        out = self.read([*compose(name, folder, paths), "config", "--format", "json"], variables)
        try:
            return json.loads(out)
        except ValueError as error:
            raise CommandError("docker compose config did not print JSON: update docker-compose-plugin") from error

    def read(self, arguments, variables):
        """Return what a command makes of a compose file; a variable without a value would become a blank."""
        try:
            out, err = self.run(arguments, variables=variables)
        except CommandError as error:
            require_variables(error.output)  # of which the error may be a consequence
            raise
        require_variables(err)
        return out

    def up(self, name, folder, path, timeout):
        """Bring the containers of a project to what the file says, and remove those of services that it lacks."""
        up = ["up", "--detach", "--no-build", "--pull", "never", "--remove-orphans"]
        self.run([*compose(name, folder, [path]), *up], timeout)

    def down(self, name, folder, timeout):
        """Remove the containers and networks of a project, by their labels; volumes stay."""
        self.run([*compose(name, folder, []), "down", "--remove-orphans"], timeout)

    def stack_config(self, paths, variables):
        """Return the text of a stack's merged file, which can be read again. Raises CommandError."""
        files = [argument for path in paths for argument in ("--compose-file", path)]
        # Variables are filled in, and a $ that stands for itself is written as it is.
        return self.read(["stack", "config", *files], variables).replace("$", "$$")

    def log_in(self, registries, keychain):
        """Have the swarm's nodes pull with the credentials that a user has for these registries."""
        found = keychain.credentials_by_registry(registries)
        auths = {key: stored_form(credentials) for key, credentials in found.items()}
        files.write_atomically(os.path.join(self.logins, "config.json"), json.dumps({"auths": auths}), 0o600)

    def stack_deploy(self, name, path, timeout):
        options = ["--with-registry-auth", "--resolve-image", "never", "--prune"]
        logins = {"DOCKER_CONFIG": self.logins}
        self.run(["stack", "deploy", *options, "--compose-file", path, name], timeout, logins)

    def stack_remove(self, name, timeout):
        self.run(["stack", "rm", name], timeout)

    def logs(self, container):
        """Return the last lines that a container has printed."""
        return self.last_lines(["logs", "--tail", str(LAST_LINES), container])

    def service_logs(self, service):
        """Return the last lines that the tasks of a service have printed."""
        return self.last_lines(["service", "logs", "--raw", "--tail", str(LAST_LINES), service])

    def last_lines(self, arguments):
        try:
            lines = self.run(arguments, merged=True)[0].splitlines()[-LAST_LINES:]
            return [line[:LONGEST_LINE] for line in lines]
        except CommandError as error:
            return [f"(its log cannot be read: {error})"]


def outcome(process, timeout):
    """Return the status of a process that leads a session, and what it printed. Raises subprocess.TimeoutExpired.

    The docker command runs plugins as processes of their own, which would go on working when it alone is killed.
    """
    with process:
        try:
            printed = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    out, err = ((text or b"").decode("utf-8", "replace") for text in printed)
    return process.returncode, out, err


def stored_form(credentials):
    """Return an AuthConfig of the engine as config.json has it."""
    tokens = {key: credentials[key] for key in ("identitytoken", "registrytoken") if credentials.get(key)}
    login = "{}:{}".format(credentials.get("username", ""), credentials.get("password", ""))
    return {"auth": base64.b64encode(login.encode()).decode(), **tokens}


def compose(name, folder, paths):
    files = [argument for path in paths for argument in ("--file", path)]
    return ["compose", "--ansi", "never", "--project-name", name, "--project-directory", folder, *files]


def require_variables(text):
    """Raise CommandError if a variable without a value became a blank."""
    unset = sorted({found.group("name") for found in UNSET.finditer(text)})
    if unset:
        raise CommandError(
            "{} not set: add {} to environment or secrets, or write a default such as ${{{}:-}}".format(
                "the variable {} is".format(unset[0])
                if len(unset) == 1
                else "the variables {} are".format(", ".join(unset)),
                "it" if len(unset) == 1 else "them",
                unset[0],
            )
        )


def last_message(text):
    """Return the last message of a command in one line, without the path of a file that is gone by then."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not LOG_LINE.match(line)]
    message = lines[-1] if lines else ""
    return FILE.sub("", message).rstrip(".")
