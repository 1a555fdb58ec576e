# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The engine of one user: where its files are, what it does now, and the programs that change it, run as the user."""

import hashlib
import json
import os
import stat
import subprocess
import time

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, engine_api
from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.host import files, groups, mounts, run_as
from ansible_collections.slipway.platform.plugins.module_utils.rootless import requirements, units
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError

LINGER = "/var/lib/systemd/linger"
SYSTEM_SOCKET = "/run/docker.sock"
SYSTEM_ROOTS = ("/var/lib/docker", "/var/lib/containerd")
CONTEXT = "rootless"
DEFAULT_CONTEXT = "default"
MANAGER_SECONDS = 30
COMMAND_SECONDS = 60
JOURNAL_LINES = "30"
PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "MainPID")
NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "afs")


class StartError(Exception):
    """The engine does not start or answer; str() is the reason."""


class UserEngine:
    """The engine of an account (of host.run_as) that exists on this host."""

    def __init__(self, account):
        self.account = account
        self.runtime = f"/run/user/{account.uid}"
        self.socket = os.path.join(self.runtime, "docker.sock")
        self.configuration = os.path.join(account.home, ".config/docker/daemon.json")
        self.unit = os.path.join(account.home, ".config/systemd/user", units.SERVICE)
        self.wanted_by = os.path.join(os.path.dirname(self.unit), "default.target.wants", units.SERVICE)
        self.default_root = os.path.join(account.home, ".local/share/docker")

    @property
    def environment(self):
        return {
            "HOME": self.account.home,
            "USER": self.account.name,
            "LOGNAME": self.account.name,
            "PATH": requirements.PATH,
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": self.runtime,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
        }

    def run(self, *command, seconds=COMMAND_SECONDS):
        """Run a program as the user; return its exit status, stdout and stderr. 124: it took too long."""
        done = subprocess.run(
            ["timeout", "--kill-after=5", str(seconds), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=self.environment,
            preexec_fn=run_as.drop_privileges_to(self.account),
            start_new_session=True,  # plugins of the docker command are the user's, and would type into root's terminal
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def must_run(self, *command, seconds=COMMAND_SECONDS):
        """Run a program as the user and return its stdout. Raises StartError if it fails."""
        code, output, errors = self.run(*command, seconds=seconds)
        if code == 124:
            raise StartError(f"{' '.join(command)} took longer than {seconds} seconds")
        if code:
            raise StartError(" ".join((errors or output).split()).rstrip(".") or f"{command[0]} failed")
        return output

    # --- What is there -------------------------------------------------------------------------------------------

    def read(self, path):
        """Return the text of a file of the user, or None."""
        with run_as.acting_as(self.account):
            return files.read_text(path)

    def mode_of(self, path, otherwise):
        """Return the mode of a file of the user, or another one if it does not exist."""
        with run_as.acting_as(self.account):
            return stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else otherwise

    def is_managed(self):
        """Return whether the unit that is in place is this collection's."""
        return (self.read(self.unit) or "").startswith(units.HEADER)

    def lingers(self):
        return os.path.exists(os.path.join(LINGER, self.account.name))

    def has_manager(self):
        return os.path.exists(os.path.join(self.runtime, "systemd/private"))

    def state(self):
        """Return the properties of the user's docker.service; {} without a systemd of the user."""
        if not self.has_manager():
            return {}
        shown = self.run("systemctl", "--user", "show", "--property=" + ",".join(PROPERTIES), units.SERVICE)[1]
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def answers(self):
        with run_as.acting_as(self.account):
            return engine_api.ping(self.socket)

    def describe(self):
        """Return what the running engine says of itself; {} if it does not answer."""
        with run_as.acting_as(self.account):
            return engine_api.get_json(self.socket, "/info")

    def data_root(self):
        """Return the data root in the daemon.json that is in place."""
        root = daemon_json.parse(self.read(self.configuration)).get("data-root")
        return root if isinstance(root, str) and root.startswith("/") else self.default_root

    def has_directory(self, path):
        with run_as.acting_as(self.account):
            return os.path.isdir(path)

    def holds_data(self, root):
        """Return whether a data root has content."""
        with run_as.acting_as(self.account):
            try:
                return bool(os.listdir(root))
            except PermissionError:
                return True
            except OSError:
                return False

    def reaches_the_system(self):
        """Return whether the user may use the system's engine too, and so is root on the host."""
        docker = groups.find("docker")
        if docker is not None and docker.gr_gid in run_as.groups_of(self.account):
            return True
        with run_as.acting_as(self.account):
            return os.access(SYSTEM_SOCKET, os.W_OK, effective_ids=True)

    def lacking_controllers(self):
        """Return the cgroup controllers that the user's systemd was not given; [] if it does not run, and on v1."""
        uid = self.account.uid
        path = f"{requirements.CGROUPS}/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"
        given = files.read_text(path)
        return [] if given is None else [name for name in requirements.CONTROLLERS if name not in given.split()]

    def refuse_unusable_home(self, options):
        """Raise RootlessError if the user cannot keep the engine's files in their home or in its data root."""
        name, home = self.account.name, self.account.home
        root = options.get("data-root") or self.default_root
        if any((os.path.realpath(root) + "/").startswith(system + "/") for system in SYSTEM_ROOTS):
            raise RootlessError(
                f"the data root {root} of {name} belongs to the system's engine: choose a directory of the user"
            )
        if (os.path.realpath(home) + "/").startswith(os.path.realpath(root) + "/"):
            raise RootlessError(
                f"the data root {root} of {name} holds their home, which purge_data would delete with it: choose a "
                f"directory of its own, such as {self.default_root}"
            )
        with run_as.acting_as(self.account):
            for path in (home, files.nearest_existing_parent(root)):
                if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
                    raise RootlessError(
                        f"{name} cannot write in {path}, where the engine keeps its files: give it to them (chown "
                        f"{name} {path}), or set data-root in daemon_options to a directory of theirs"
                    )
            place = os.path.realpath(files.nearest_existing_parent(root))
        mount = mounts.holding(place, mounts.current())
        if mount is not None and mount.kind in NETWORK_FILE_SYSTEMS:
            raise RootlessError(
                f"the data root {root} of {name} is on {mount.kind}, which cannot hold the files of subordinate users: "
                "set data-root in daemon_options to a directory on a local disk"
            )

    # --- Changes -------------------------------------------------------------------------------------------------

    def put(self, path, text, mode=0o644):
        """Write a file of the user with their identity, or remove it if text is None."""
        with run_as.acting_as(self.account):
            files.put(path, text, mode)

    def start_manager(self, module):
        """Have systemd run for the user from now on, at boot too. Raises StartError."""
        code, _, errors = module.run_command(["loginctl", "enable-linger", self.account.name])
        if code:
            raise StartError("loginctl enable-linger fails ({})".format(" ".join(errors.split()).rstrip(".")))
        self.wait_for_manager()

    def wait_for_manager(self):
        if not engine_api.wait_until(self.has_manager, MANAGER_SECONDS):
            raise StartError(
                f"no systemd runs for {self.account.name} after {MANAGER_SECONDS} seconds: journalctl --unit="
                f"user@{self.account.uid}.service says why"
            )

    def start(self, verb, seconds):
        """Start or restart the engine, enable it, and wait for its API. Raises StartError with dockerd's reason."""
        since = f"@{time.time():.6f}"
        try:
            self.must_run("systemctl", "--user", "daemon-reload")
            self.run("systemctl", "--user", "reset-failed", units.SERVICE)
            self.must_run("systemctl", "--user", "enable", units.SERVICE)
            self.must_run("systemctl", "--user", verb, units.SERVICE, seconds=seconds)
            if not engine_api.wait_until(self.answers, seconds):
                raise StartError(f"it does not answer at {self.socket} within {seconds} seconds")
        except StartError as error:
            raise StartError(daemon_log.reason(self.journal(since)) or str(error)) from error

    def journal(self, since):
        """Return the last lines of the engine's log since a time; read as root, since users may not."""
        subprocess.run(["journalctl", "--sync"], stdin=subprocess.DEVNULL, check=False)  # its last words too
        command = ["journalctl", f"_UID={self.account.uid}", f"_SYSTEMD_USER_UNIT={units.SERVICE}", "--since", since]
        command += ["--lines", JOURNAL_LINES, "--no-pager", "--output", "cat"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        return done.stdout.decode("utf-8", "replace").splitlines()

    def stop(self):
        """Stop and disable the engine with its containers; nothing to do without a systemd of the user."""
        if self.has_manager():
            self.must_run("systemctl", "--user", "disable", "--now", units.SERVICE, seconds=COMMAND_SECONDS)

    def purge(self, root):
        """Delete a data root, whose files belong to the user's subordinate users. Raises StartError.

        The root may be a symbolic link. A mount point stays, empty, and so does one in a directory of somebody else.
        """
        with run_as.acting_as(self.account):
            places = list(dict.fromkeys([os.path.realpath(root), root]))
        try:
            self.must_run("rootlesskit", "rm", "--recursive", "--force", *places, seconds=600)
        except StartError:
            if self.holds_data(root):
                raise

    # --- The context of the docker command -------------------------------------------------------------------------

    def context_file(self):
        """Return the path at which the docker command keeps the context: by the SHA-256 of its name."""
        digest = hashlib.sha256(CONTEXT.encode()).hexdigest()
        return os.path.join(self.account.home, ".docker/contexts/meta", digest, "meta.json")

    def context_host(self):
        """Return the address in the user's context, or None without one."""
        described = parse(self.read(self.context_file()))
        endpoint = described.get("Endpoints", {}) if isinstance(described.get("Endpoints"), dict) else {}
        docker = endpoint.get("docker")
        return docker.get("Host") if isinstance(docker, dict) else None

    def current_context(self):
        path = os.path.join(self.account.home, ".docker/config.json")
        return parse(self.read(path)).get("currentContext", DEFAULT_CONTEXT)

    def has_context(self):
        return self.context_host() == f"unix://{self.socket}" and self.current_context() == CONTEXT

    def use_context(self):
        """Have the user's docker command reach their engine. Raises StartError."""
        verb = "create" if self.context_host() is None else "update"
        if self.context_host() != f"unix://{self.socket}":
            self.must_run("docker", "context", verb, CONTEXT, "--docker", f"host=unix://{self.socket}")
        self.must_run("docker", "context", "use", CONTEXT)

    def drop_context(self):
        if self.current_context() == CONTEXT:
            self.must_run("docker", "context", "use", DEFAULT_CONTEXT)
        if self.context_host() is not None:
            self.must_run("docker", "context", "rm", "--force", CONTEXT)


def parse(text):
    """Return the object in the text of a JSON file; {} for anything else."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
