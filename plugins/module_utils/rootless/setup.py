# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Sets up, changes and removes the engines of all listed users: first every check, then every change."""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, trial_start
from ansible_collections.slipway.platform.plugins.module_utils.daemon.shown_options import show_options
from ansible_collections.slipway.platform.plugins.module_utils.host import files, groups, run_as, systemd
from ansible_collections.slipway.platform.plugins.module_utils.host.processes import is_replaced
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets
from ansible_collections.slipway.platform.plugins.module_utils.rootless import (
    record,
    requirements,
    settings,
    subids,
    trial,
    units,
)
from ansible_collections.slipway.platform.plugins.module_utils.rootless.engine import StartError, UserEngine
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError

KEPT = ".before-slipway"


class Plan:
    """What one user wants, has, and lacks."""

    def __init__(self, entry, common):
        self.entry = entry
        self.options = settings.options_of(entry, common)
        self.engine = UserEngine(find_account(entry["name"]))
        self.record = record.load(entry["name"])
        self.changes = []  # (path, text, mode) of files to write
        self.subids = None  # the range to add
        self.network = None
        self.restarted = False

    @property
    def name(self):
        return self.entry["name"]

    def read_files(self):
        """Compare the files with what is wanted; needs the network driver."""
        self.network = requirements.network_of(self.entry["network"])
        variables = network_variables(self.entry["network"], self.network)
        secret = parameter_secrets.holds_secret(self.options)
        wanted = [
            (self.engine.unit, units.render_unit(requirements.LAUNCHER, requirements.PATH, variables), 0o644),
            (self.engine.configuration, daemon_json.render(self.options), 0o600 if secret else 0o644),
        ]
        with run_as.acting_as(self.engine.account):
            self.changes = [item for item in wanted if not files.is_up_to_date(*item)]


def network_variables(wanted, network):
    """Return the launcher's variables; what is wanted by name gets the MTU that the launcher gives what it chooses."""
    variables = requirements.NETWORK_VARIABLES[network]
    if wanted == settings.SLIRP4NETNS:
        return {"DOCKERD_ROOTLESS_ROOTLESSKIT_NET": wanted, "DOCKERD_ROOTLESS_ROOTLESSKIT_MTU": "65520"}
    return variables


def find_account(name):
    try:
        account = run_as.find_account(name)
    except run_as.AccountError as error:
        raise RootlessError(str(error)) from error
    if account.uid == 0:
        raise RootlessError(f"{name} is root (user ID 0), who has the system's engine: list other users")
    return account


def run(module):
    """Bring all engines to their states; return the module's result. Raises RootlessError before any change."""
    params = module.params
    wrong = settings.problems(
        {"users": params["users"], "daemon_options": params["daemon_options"], "port_start": params["port_start"]}
    )
    if wrong:
        raise RootlessError(" ".join(wrong).rstrip("."))
    entries = settings.entries(params["users"])
    present = [entry for entry in entries if entry["state"] == "present"]
    absent = [entry for entry in entries if entry["state"] == "absent" and groups.is_user(entry["name"])]
    plans = [Plan(entry, params["daemon_options"]) for entry in present]
    leaving = [Plan(entry, params["daemon_options"]) for entry in absent]
    if not systemd.is_booted():
        raise RootlessError("engines of users need a running systemd, which this system does not have")
    missing = requirements.missing_packages([entry["network"] for entry in present]) if present else []
    result = Result(module, missing)
    result.warn_about_limits(check_host(params, present))
    for plan in leaving:
        refuse_to_purge_what_runs(plan)
    with subids.locked():
        check_users(plans)
        if missing:
            return result.only_predicted(plans)
        for plan in plans:
            plan.read_files()
        if not module.check_mode:
            add_subids(plans)
    prove(module, plans)
    change_system(module, result, bool(present))
    for plan in plans:
        bring_up(module, result, plan)
    for plan in leaving:
        take_down(module, result, plan)
    return result.finished()


def check_host(params, present):
    """Return why limits cannot work, if that is accepted. Raises RootlessError if the host cannot run any engine."""
    if not present:
        return None
    requirements.refuse_unprepared()
    problem = requirements.limits_problem()
    if problem and params["limits"]:
        raise RootlessError(f"{problem}; or set docker_rootless_limits: false, and go without")
    return problem


def check_users(plans):
    """Choose the ranges of users who have none; the caller holds the lock. Raises RootlessError."""
    known = {path: subids.parse(text) for path, text in subids.read().items()}
    # Those with a range of their own choice come first, so that no other gets it.
    for plan in sorted(plans, key=lambda plan: plan.entry["subid_start"] is None):
        plan.engine.refuse_unusable_home(plan.options)
        plan.subids = subids.choose(plan.engine.account, plan.entry, known)
        for ranges in known.values() if plan.subids else ():
            ranges.append(plan.subids)


def add_subids(plans):
    """Write the ranges of all users at once, each where it is missing; the caller holds the lock."""
    for plan in plans:
        if plan.subids:  # first, so that a run that ends early has told whose they are
            record.save(plan.name, {**plan.record, "subids": [plan.subids.start, plan.subids.count]})
    texts = subids.read()
    changed = {}
    for path, text in texts.items():
        for plan in plans:
            if plan.subids:
                text = subids.added(text, plan.subids)
        if text != texts[path]:
            changed[path] = text
    subids.rewrite(changed)


def take_back_subids(plans):
    """Take back what add_subids did."""
    drop_subids([plan.subids for plan in plans])
    for plan in plans:
        if plan.record == record.EMPTY:
            record.forget(plan.name)
        else:
            record.save(plan.name, plan.record)


def drop_subids(items):
    """Take ranges back out of both files."""
    with subids.locked():
        texts = subids.read()
        changed = {}
        for path, text in texts.items():
            kept = text
            for item in items:
                kept = subids.without(kept, item)
            if kept != (text or ""):
                changed[path] = kept
        subids.rewrite(changed)


def prove(module, plans):
    """Start a trial engine for each user whose files change. On a refusal, take the ranges back and fail the module."""
    for plan in plans:
        if not plan.changes or (module.check_mode and plan.subids):
            continue  # a dry run has no range yet, without which no engine starts
        variables = network_variables(plan.entry["network"], plan.network)
        environment = {**plan.engine.environment, **variables}
        outcome = trial.validate(
            plan.engine.account, plan.options, requirements.LAUNCHER, environment, module.params["prove_timeout"]
        )
        if outcome.verdict == trial_start.ACCEPTED:
            continue
        if outcome.verdict == trial_start.UNKNOWN:
            module.warn(
                f"The engine of {plan.name} could not be tried ({outcome.reason}): errors will show at its start."
            )
            continue
        if not module.check_mode:
            take_back_subids([other for other in plans if other.subids])
        module.fail_json(
            msg=f"The engine of {plan.name} does not start with the new configuration ({outcome.reason}): correct "
            "daemon_options or network. Nothing was changed.",
            log=outcome.log,
        )


def change_system(module, result, wanted):
    """Write the files of root: delegation for users' systemd, and the kernel's settings; removed with the last user."""
    params = module.params
    delegation = units.DELEGATION_TEXT if wanted and requirements.has_groups_v2() else None
    kernel = units.sysctl_settings(params["port_start"], params["ping"]) if wanted else {}
    for path, text in ((units.DELEGATION, delegation), (units.SYSCTL, units.render_sysctl(kernel))):
        # On a host that went back to cgroup v1, it stays for the next boot with v2.
        if text is None and path == units.DELEGATION and wanted:
            continue
        if files.is_up_to_date(path, text, 0o644):
            continue
        before = files.read_text(path)
        result.differs(path, before, text)
        if module.check_mode:
            continue
        files.put(path, text, 0o644)
        if path == units.DELEGATION:
            load_settings(module, ["systemctl", "daemon-reload"], path, before)
        elif text:
            load_settings(module, ["sysctl", "--load", path], path, before)


def load_settings(module, command, path, before):
    """Run the command that reads a file; if it fails, put the old file back, or the next run would take it for done."""
    code, output, errors = module.run_command(command)
    if code:
        files.put(path, before, 0o644)
        reason = " ".join((errors or output).split()).rstrip(".")
        module.fail_json(
            msg=f"{' '.join(command)} fails ({reason}), so {path} is as it was, and no engine was changed. Fix this "
            "and run again."
        )


def bring_up(module, result, plan):
    """Write one user's files, and start or restart their engine. On failure, the old files come back."""
    engine = plan.engine
    lingers, state = engine.lingers(), engine.state()
    running = state.get("ActiveState") == "active"
    enabled = state.get("UnitFileState") == "enabled"
    stale = running and (plan.record["pending"] or is_replaced(state.get("MainPID")))
    starts = bool(plan.changes) or stale or not (running and enabled)
    if plan.subids:
        result.differs("subids of " + plan.name, None, "{}:{}:{}\n".format(*plan.subids))
    if not lingers:
        result.differs("lingering of " + plan.name, "off\n", "on\n")
    for path, text, _ in plan.changes:
        result.differs(path, shown(path, engine.read(path)), shown(path, text))
    if starts and not plan.changes:
        result.differs("engine of " + plan.name, state.get("ActiveState", "none") + "\n", "active, enabled\n")
    if not module.check_mode and (starts or plan.subids or not lingers):
        apply(module, plan, lingers, running, starts)
    sync_context(module, result, plan)
    result.report(plan)


def shown(path, text):
    """Return the text as a diff may show it."""
    return show_options(text or "") if path.endswith(".json") else text


def apply(module, plan, lingers, running, starts):
    engine = plan.engine
    before = [(path, engine.read(path), engine.mode_of(path, mode)) for path, _, mode in plan.changes]
    now = dict(plan.record)
    now["linger"] = now["linger"] or not lingers
    now["subids"] = [plan.subids.start, plan.subids.count] if plan.subids else now["subids"]
    now["pending"] = now["pending"] or starts
    now["data_root"] = plan.options.get("data-root") or engine.default_root
    record.save(plan.name, now)
    try:
        if not lingers:
            engine.start_manager(module)
        engine.wait_for_manager()
        if not engine.is_managed():
            keep_copies(engine, before)
        for path, text, mode in plan.changes:
            engine.put(path, text, mode)
        if starts:
            engine.start("restart" if running else "start", module.params["start_timeout"])
            plan.restarted = running
    except StartError as error:
        restore(module, plan, before, running, str(error))
    record.save(plan.name, {**now, "pending": False})


def keep_copies(engine, files_before):
    """Keep what the user or dockerd-rootless-setuptool.sh wrote beside it."""
    for path, text, _ in files_before:
        if text is not None:
            engine.put(path + KEPT, text, 0o600)


def restore(module, plan, before, running, reason):
    """Put the old files back, start the engine with them if it ran, and fail the module."""
    engine = plan.engine
    outcome = "It is stopped, and the next run tries again."
    try:
        if not running:
            engine.stop()
        for path, text, mode in before:
            engine.put(path, text, mode)
        if running:
            engine.start("restart", module.params["start_timeout"])
            outcome = "It runs with the previous files again."
            record.save(plan.name, {**record.load(plan.name), "pending": False})
    except StartError as error:
        outcome = f"With the previous files, it does not start either: {error}."
    module.fail_json(msg=f"The engine of {plan.name} did not start: {reason}. {outcome}")


def sync_context(module, result, plan):
    engine = plan.engine
    if not plan.entry["context"] or engine.has_context():
        return
    result.differs("docker context of " + plan.name, engine.current_context() + "\n", "rootless\n")
    if module.check_mode:
        return
    try:
        engine.use_context()
    except StartError as error:
        module.fail_json(msg=f"The engine of {plan.name} runs, but their docker command cannot use it ({error}).")


def is_installed(plan):
    return plan.engine.is_managed() or plan.record["linger"] or plan.record["pending"]


def refuse_to_purge_what_runs(plan):
    """Raise RootlessError if data are to be deleted of an engine that runs, and that the user has set up."""
    if plan.entry["purge_data"] and not is_installed(plan) and plan.engine.state().get("ActiveState") == "active":
        raise RootlessError(
            f"{plan.name} runs an engine that this role did not set up, and purge_data would delete its data while it "
            "runs: have them stop it (systemctl --user disable --now docker.service), or leave purge_data out"
        )


def take_down(module, result, plan):
    """Stop and remove one user's engine; data stays unless it is to be purged."""
    engine, known = plan.engine, plan.record
    root = plan.options.get("data-root") or known["data_root"] or engine.data_root()
    installed = is_installed(plan)
    purged = plan.entry["purge_data"] and engine.holds_data(root)
    if installed:
        result.differs("engine of " + plan.name, "present\n", "absent\n")
    if purged:
        result.differs(root, "images, containers and volumes\n", None)
    if module.check_mode or not (installed or purged):
        return
    try:
        if installed:
            dismantle(module, engine, known)
        if purged:
            engine.purge(root)
    except StartError as error:
        module.fail_json(msg=f"The engine of {plan.name} cannot be removed: {error}. Fix this and run again.")
    # An empty directory may be a mount point whose disk is not there now.
    kept = engine.holds_data(root) if plan.entry["purge_data"] else engine.has_directory(root)
    if (known["subids"] or root != engine.default_root) and kept:
        # Kept data belongs to the range, which stays: another user who got it could read the data.
        record.save(plan.name, {**record.EMPTY, "subids": known["subids"], "data_root": root})
        return
    if known["subids"]:
        drop_subids([subids.Range(plan.name, *known["subids"])])
    record.forget(plan.name)


def dismantle(module, engine, known):
    engine.stop()
    for path in (engine.wanted_by, engine.unit, engine.configuration):
        engine.put(path, None)
    if engine.has_manager():
        engine.must_run("systemctl", "--user", "daemon-reload")
    engine.drop_context()
    if known["linger"]:
        module.run_command(["loginctl", "disable-linger", engine.account.name], check_rc=True)


class Result:
    """Collects the module's result."""

    def __init__(self, module, missing):
        self.module = module
        self.missing = missing
        self.diff = []
        self.users = []

    def warn_about_limits(self, problem):
        if problem:
            self.module.warn(f"Engines of users run without limits: {problem}.")

    def differs(self, path, before, after):
        self.diff.append({"before_header": path, "after_header": path, "before": before or "", "after": after or ""})

    def report(self, plan):
        """Describe one user's engine, and what its user should know."""
        engine = plan.engine
        both = engine.reaches_the_system()
        if both:
            self.module.warn(
                f"{plan.name} has an engine without root, and may use the system's engine too, which makes them root: "
                f"remove them from docker_access_members and its group (gpasswd --delete {plan.name} docker) if they "
                "should not be."
            )
        lacking = engine.lacking_controllers()
        if lacking:
            self.module.warn(
                f"The systemd of {plan.name} still lacks the cgroup controllers {' and '.join(lacking)}: "
                f"limits of their containers work after the next boot, or after systemctl restart "
                f"user@{engine.account.uid}.service, which ends all that it runs for them."
            )
        self.users.append(
            {
                "name": plan.name,
                "uid": engine.account.uid,
                "socket": engine.socket,
                "network": plan.network,
                "restarted": plan.restarted,
                "may_use_system_engine": both,
            }
        )

    def only_predicted(self, plans):
        """The result before the packages are there, without which nothing is changed."""
        for plan in plans if self.module.check_mode else ():
            self.differs("engine of " + plan.name, None, "present\n")
        return self.finished()

    def finished(self):
        return {
            "changed": bool(self.diff),
            "users": self.users,
            "missing_packages": self.missing,
            "diff": self.diff,
        }
