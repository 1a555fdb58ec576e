# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The checks of the report, as a table: what a host said, held against what is wanted of it.

A new check is a function here and a line in CHECKS; what it needs to know of the host is a line in
module_utils/report/facts.py.
"""

import shlex
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm

OK, WARN, FAIL, UNKNOWN, NONE = STATES = ("ok", "warn", "fail", "unknown", "none")
# The percentage of a disk from which it is red, and the days before its end from which a certificate is.
DISK_FULL, CERTIFICATE_DAYS = 95, 7
DAY = 86400

# id: a column of the page, a key of report.json; needs: the facts without which the state is unknown; judge: a function
# of a Subject, which returns a Verdict.
Check = namedtuple("Check", "id title about needs judge")
# value: a few words; reason: a sentence, and command: what repairs it, both "" where nothing is wrong.
Verdict = namedtuple("Verdict", "state value reason command", defaults=("", "", ""))


class Subject:
    """One host: its facts by name, what is wanted of it (role variables without docker_), limits and commands."""

    def __init__(self, facts, wanted, limits, fix, now):
        self.answers, self.wanted, self.limits, self.fix, self.now = facts, wanted, limits, fix, now

    def fact(self, name):
        """Return the fact, None where the host did not tell it."""
        return (self.answers.get(name) or {}).get("facts")

    def error(self, name):
        return (self.answers.get(name) or {"error": "the host was not asked"}).get("error", "")


def verdict_of(check, subject):
    """Return the Verdict of a check; one that crashes says so, and nothing about the others."""
    for name in check.needs:
        error = subject.error(name)
        if error:
            return Verdict(UNKNOWN, "unknown", f"It could not be told: {error}.", "")
    try:
        return check.judge(subject)
    except Exception as error:  # of facts that no check expected; the text may be anything
        return Verdict(
            UNKNOWN, "unknown", f"The check {check.id} failed unexpectedly ({type(error).__name__}: {error}).", ""
        )


def is_absent(subject):
    return subject.wanted["engine_state"] == "absent"


def engine(subject):
    installed = subject.fact("packages")
    package, pin = subject.wanted["engine_package"], subject.wanted["engine_version"]
    version = installed.get(package, "")
    if is_absent(subject):
        if not version:
            return Verdict(NONE, "none")
        return Verdict(FAIL, version, f"{package} {version} is installed, and none is wanted.", subject.fix.site())
    if not version:
        others = ", ".join(f"{name} {number}" for name, number in sorted(installed.items()))
        beside = f"; there is {others}" if others else ""
        return Verdict(FAIL, "missing", f"{package} is not installed{beside}.", subject.fix.site())
    if pin and not rpm.Package(package, "", version, "").satisfies(pin):
        return Verdict(FAIL, version, f"{package} {version} is installed, and {pin} is wanted.", subject.fix.site())
    newest = (subject.fact("newest") or {}).get(package, "")
    if newest and rpm.version_key(newest) > rpm.version_key(version):
        return Verdict(
            WARN,
            version,
            f"{package} {newest} is available, and {version} is installed{' and wanted' if pin else ''}.",
            subject.fix.upgrade(newest),
        )
    return Verdict(OK, version)


def service(subject):
    found, wanted = subject.fact("service"), subject.wanted["engine_service_state"]
    if is_absent(subject):
        return Verdict(NONE, "none")
    if found["masked"]:
        names = " ".join(found["masked"])
        command = subject.fix.command(f"systemctl unmask {names}")
        return Verdict(FAIL, "masked", f"{names} is masked, so the engine cannot start.", command)
    if not found["exists"]:
        return Verdict(FAIL, "missing", "docker.service does not exist.", subject.fix.site())
    running = found["state"] in ("active", "reloading")
    if running != (wanted == "started"):
        return Verdict(FAIL, found["state"], f"docker.service is {found['state']}, not {wanted}.", subject.fix.site())
    if running and not found["answers"]:
        return Verdict(
            FAIL,
            "silent",
            "docker.service runs, but its API does not answer.",
            subject.fix.command("systemctl restart docker.service"),
        )
    if subject.wanted["engine_service_enabled"] != (found["enabled"] == "enabled"):
        wish = "enabled" if subject.wanted["engine_service_enabled"] else "disabled"
        return Verdict(WARN, found["enabled"], f"docker.service is {found['enabled']}, not {wish}.", subject.fix.site())
    return Verdict(OK, "running" if running else found["state"])


def restart(subject):
    reasons = list(subject.fact("service")["restart"])
    installed = (subject.fact("packages") or {}).get(subject.wanted["engine_package"], "")
    running = subject.fact("service")["version"]
    # A package may have another version than its program says, as those of a lab or a rebuild.
    if running and installed and rpm.version_key(running)[:3] != rpm.version_key(installed)[:3]:
        reasons.append(f"version {running} runs, and {installed} is installed")
    if reasons:
        return Verdict(FAIL, "pending", f"The engine must restart: {'; '.join(reasons)}.", subject.fix.site())
    return Verdict(OK, "no")


def reboot(subject):
    found = subject.fact("reboot")
    if not found["updated"]:
        return Verdict(OK, "no")
    newer = any("kernel" in name for name in found["updated"])
    kernel = f" Kernel {found['running']} runs, and {found['newest']} is installed." if newer else ""
    names = ", ".join(found["updated"])
    return Verdict(
        WARN, "pending", f"Updated since the host was booted: {names}.{kernel}", subject.fix.module("reboot")
    )


def configuration(subject):
    if is_absent(subject):
        return Verdict(NONE, "none")
    found = subject.fact("drift")
    if not found["files"]:
        return Verdict(OK, "as wanted")
    options = f" Options that differ: {', '.join(found['options'])}." if found["options"] else ""
    count = len(found["files"])
    return Verdict(
        FAIL,
        f"{count} file{'s' if count > 1 else ''}",
        f"site.yml would change {', '.join(found['files'])}.{options}",
        subject.fix.site(),
    )


def hardening(subject):
    found = subject.fact("hardening")
    if is_absent(subject) or found is None:
        return Verdict(NONE, "none")
    problems = [f"more is allowed than the profile grants on {', '.join(found['loose'])}"] if found["loose"] else []
    problems += found["unaudited"]
    if problems:
        return Verdict(FAIL, "broken", f"Hardening: {'; '.join(problems)}.", subject.fix.site())
    if not found["audit_runs"]:
        command = subject.fix.command("systemctl enable --now auditd")
        return Verdict(WARN, "no audit", "The rules of audit are not in force, because auditd does not run.", command)
    return Verdict(OK, "holds")


def socket(subject):
    found = subject.fact("socket")
    if is_absent(subject):
        return Verdict(NONE, "none")
    if found is None:
        if subject.wanted["engine_service_state"] != "started":
            return Verdict(NONE, "none")
        return Verdict(FAIL, "missing", "/run/docker.sock does not exist.", subject.fix.site())
    if not found["is_socket"]:
        return Verdict(FAIL, "no socket", "/run/docker.sock is not a socket: remove it.", subject.fix.site())
    group, mode = subject.wanted["access_socket_group"], subject.wanted["access_socket_mode"]
    shown = f"{found['group']} {found['mode']}"
    wrong = [
        text
        for text, is_wrong in (
            (f"its owner is UID {found['owner']}, not root", found["owner"] != 0),
            (f"its group is {found['group']}, not {group}", found["group"] != group),
            (f"its mode is {found['mode']}, not {mode}", int(found["mode"], 8) != int(str(mode), 8)),
            ("it has an access control list", found["acl"]),
        )
        if is_wrong
    ]
    if wrong:
        return Verdict(FAIL, shown, f"/run/docker.sock: {'; '.join(wrong)}.", subject.fix.site())
    return Verdict(OK, shown)


def members(subject):
    if is_absent(subject):
        return Verdict(NONE, "none")
    found, group = subject.fact("members"), subject.wanted["access_socket_group"]
    if found is None:
        return Verdict(FAIL, "no group", f"The group {group} does not exist.", subject.fix.site())
    wanted = subject.wanted["access_members"]
    missing = sorted(set(wanted) - set(found["members"]))
    extra = sorted(set(found["members"]) - set(wanted))
    problems = [f"{', '.join(missing)} should be able to use the engine, and cannot"] if missing else []
    if extra and not subject.wanted["access_socket_group_shared"]:
        problems.append(f"{', '.join(extra)} can use the engine, and docker_access_members does not say so")
    if found["password"]:
        problems.append(f"{group} has a password, with which anyone can join")
    shown = str(len(found["members"]))
    if not problems:
        return Verdict(OK, shown)
    severe = missing or found["password"] or subject.wanted["access_exclusive"]
    remedy = subject.fix.site() if severe else subject.fix.command(f"gpasswd --delete {extra[0]} {group}")
    return Verdict(FAIL if severe else WARN, shown, f"Group {group}: {'; '.join(problems)}.", remedy)


def logins(subject):
    answer = subject.fact("logins")
    if answer is None:
        return Verdict(NONE, "none")
    if "logins" not in answer:
        return Verdict(FAIL, "failed", str(answer.get("msg") or "docker_login gave no reason."), subject.fix.site())
    changed = [f"{login['user']} at {login['registry']}" for login in answer["logins"] if login["changed"]]
    count = len(answer["logins"])
    if changed:
        return Verdict(
            FAIL, f"{count - len(changed)} of {count}", f"Not stored: {', '.join(changed)}.", subject.fix.site()
        )
    ending = [login for login in answer["logins"] if isinstance(login.get("ends"), int)]
    if ending:
        first = min(ending, key=lambda login: login["ends"])
        days = int((first["ends"] - subject.now) // DAY)
        if days < subject.limits["certificate_days"]:
            when = f"ended {-days} days ago" if days < 0 else f"ends in {days} days"
            return Verdict(
                FAIL if days < 0 else WARN,
                "ended" if days < 0 else f"{days} d",
                f"The token of {first['user']} at {first['registry']} {when}: renew it in docker_registry_auth_logins.",
                subject.fix.site(),
            )
    verified = sum(bool(login["verified"]) for login in answer["logins"])
    return Verdict(OK, f"{verified} verified" if verified else f"{count} stored")


def certificates(subject):
    found = subject.fact("certificates")
    if not found:
        return Verdict(NONE, "none")
    unreadable = [item["path"] for item in found if item["days"] is None]
    if unreadable:
        return Verdict(WARN, "unreadable", f"No certificate can be read from {', '.join(unreadable)}.", "")
    first = min(found, key=lambda item: item["days"])
    days, shown = first["days"], f"{first['days']} d"
    if days < 0:
        return Verdict(FAIL, "ended", f"{first['path']} ended {-days} days ago: replace it.", subject.fix.site())
    if days < subject.limits["certificate_days"]:
        state = FAIL if days < CERTIFICATE_DAYS else WARN
        return Verdict(state, shown, f"{first['path']} ends in {days} days: replace it.", subject.fix.site())
    return Verdict(OK, shown)


def disk(subject):
    shares = [
        (100 - 100 * entry[free] // entry[size], what, entry)
        for entry in subject.fact("disks")
        for size, free, what in (("bytes", "free", "bytes"), ("inodes", "free_inodes", "inodes"))
        if entry[size]
    ]
    used, what, entry = max(shares, key=lambda share: share[0])
    if used < subject.limits["disk_percent"]:
        return Verdict(OK, f"{used} %")
    left = f"{entry['free'] / 2**30:.1f} GiB left" if what == "bytes" else f"{entry['free_inodes']} inodes left"
    if entry["engine"]:
        hint, line = "removes images that no container uses", "docker image prune --all --force"
    else:
        hint, line = "shows what is there", f"du --one-file-system --human-readable --max-depth 2 {entry['path']}"
    return Verdict(
        FAIL if used >= DISK_FULL else WARN,
        f"{used} %",
        f"{entry['path']} is {used} % full ({left}). The command {hint}.",
        subject.fix.command(line),
    )


def containers(subject):
    found = subject.fact("containers")
    trouble = [
        f"{', '.join(found[state])} {'is' if len(found[state]) == 1 else 'are'} {state}"
        for state in ("unhealthy", "restarting", "dead")
        if found[state]
    ]
    shown = f"{found['running']} running"
    if not trouble:
        return Verdict(OK, shown)
    name = next(found[state][0] for state in ("unhealthy", "restarting", "dead") if found[state])
    return Verdict(
        FAIL, shown, f"Containers: {'; '.join(trouble)}.", subject.fix.command(f"docker logs --tail 50 {name}")
    )


def services(subject):
    found = subject.fact("services")
    if not found["count"]:
        return Verdict(NONE, "none")
    failing = found["failing"]
    if not failing:
        return Verdict(OK, f"{found['count']} up")
    listed = "; ".join(f"{item['name']} {item['trouble']}" for item in failing)
    # Images may have the labels of Compose, with any text.
    project, service = (shlex.quote(name) if name else "" for name in failing[0]["name"].partition("/")[::2])
    command = (
        f"docker compose --project-name {project} logs --tail 50 {service}"
        if service
        else f"docker service ps --no-trunc {project}"
    )
    shown = f"{found['up']} of {found['count']}"
    return Verdict(FAIL, shown, f"Services: {listed}.", subject.fix.command(command))


def ports(subject):
    found = subject.fact("containers")["open_ports"]
    if not found:
        return Verdict(OK, "none")
    expected = {str(port) for port in subject.limits["open_ports"]}
    shown = ", ".join(dict.fromkeys(f"{item['port']}/{item['protocol']}" for item in found))
    surprising = [item for item in found if str(item["port"]) not in expected]
    if not surprising:
        return Verdict(OK, shown)
    listed = ", ".join(f"{item['port']}/{item['protocol']} of {item['container']}" for item in surprising)
    return Verdict(
        WARN,
        shown,
        f"Open to all addresses of the host: {listed}. Publish on one address, or list the port in "
        "slipway_report_open_ports.",
        subject.fix.command(f"docker port {surprising[0]['container']}"),
    )


def images(subject):
    found = subject.fact("images")
    bases = [base for base in found["bases"] if found["digests"].get(base["base"]) not in (None, base["digest"])]
    if bases:
        listed = ", ".join(f"{base['image']} (on {base['base']})" for base in bases)
        return Verdict(WARN, "stale base", f"Built on an older base than the host has: {listed}.", subject.fix.site())
    if not found["used"]:
        return Verdict(OK, f"{found['count']} unused" if found["count"] else "none")
    oldest = found["used"][0]
    days = int((subject.now - oldest["created"]) // DAY)
    # Reproducible builds date their images to 1970 or 1980.
    if oldest["created"] < 365 * DAY * 15:
        return Verdict(OK, "undated")
    if days > subject.limits["image_days"]:
        return Verdict(
            WARN,
            f"{days} d",
            f"{oldest['name']} runs and is {days} days old: pull or build it again.",
            subject.fix.site(),
        )
    return Verdict(OK, f"{days} d")


def swarm(subject):
    found = subject.fact("swarm")
    if found["state"] == "inactive":
        return Verdict(NONE, "none")
    if found["state"] != "active":
        return Verdict(
            FAIL,
            found["state"],
            f"The node's state in the swarm is {found['state']}.",
            subject.fix.command("docker info"),
        )
    if found["role"] != "manager":
        return Verdict(OK, "worker")
    if found["error"]:
        sentence = f"The managers of the swarm do not answer, as without a quorum: {found['error']}."
        return Verdict(FAIL, "no quorum", sentence, subject.fix.command("docker info"))
    reachable, managers = found["reachable"], found["managers"]
    shown = f"manager {reachable}/{managers}"
    if reachable * 2 <= managers or reachable < managers:
        lost = reachable * 2 <= managers
        sentence = f"{reachable} of {managers} managers are reachable{', which is no quorum' if lost else ''}."
        return Verdict(FAIL if lost else WARN, shown, sentence, subject.fix.command("docker node ls"))
    return Verdict(OK, shown)


def last_run(subject):
    recorded = subject.fact("run") or {}
    moment = max(subject.fact("last_run") or 0, recorded.get("at") or 0)
    if not moment:
        if subject.error("last_run"):
            return Verdict(UNKNOWN, "unknown", f"It could not be told: {subject.error('last_run')}.", "")
        return Verdict(WARN, "never", "No run of site.yml is known of this host.", subject.fix.site())
    commit = f" · {recorded['commit'][:7]}" if recorded.get("commit") else ""
    shown = ago(subject.now - moment) + commit
    if recorded.get("result") == "failed":
        return Verdict(FAIL, shown, f"The last run of {recorded['playbook']} failed on this host.", subject.fix.site())
    days = int((subject.now - moment) // DAY)
    if subject.limits["run_days"] and days >= subject.limits["run_days"]:
        return Verdict(WARN, shown, f"The last run was {days} days ago.", subject.fix.site())
    return Verdict(OK, shown)


def ago(seconds):
    """Return a time span in words that fit a cell."""
    for unit, name in ((DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return "now"


CHECKS = (
    Check("engine", "Engine", "Installed version against the wanted and the newest one.", ("packages",), engine),
    Check("service", "Service", "Whether the engine runs, answers and starts at boot.", ("service",), service),
    Check("configuration", "Config", "Files of the engine that site.yml would change.", ("drift",), configuration),
    Check(
        "hardening",
        "Hardening",
        "Modes of the engine's files, and audit, as the hardened profile has them.",
        ("hardening",),
        hardening,
    ),
    Check("restart", "Restart", "Whether the engine must restart to use what is in place.", ("service",), restart),
    Check("reboot", "Reboot", "Packages whose update needs a reboot.", ("reboot",), reboot),
    Check("socket", "Socket", "Owner, group and mode of the engine's socket.", ("socket",), socket),
    Check("members", "Members", "Who may use the engine, and is root with it.", ("members",), members),
    Check(
        "logins", "Logins", "Whether registries accept the wanted logins, and the host has them.", ("logins",), logins
    ),
    Check("certificates", "Certs", "Days left of the first certificate to end.", ("certificates",), certificates),
    Check("disk", "Disk", "Bytes and inodes in use on the fullest disk.", ("disks",), disk),
    Check(
        "containers",
        "Containers",
        "Containers that run, are unhealthy or restart again and again.",
        ("containers",),
        containers,
    ),
    Check(
        "services",
        "Services",
        "Services of Compose projects and of a swarm, and their health.",
        ("services",),
        services,
    ),
    Check("ports", "Open ports", "Ports that containers publish on all addresses.", ("containers",), ports),
    Check("images", "Images", "Age of the oldest image in use, and images on a stale base.", ("images",), images),
    Check("swarm", "Swarm", "Role in a swarm, and whether its managers have a quorum.", ("swarm",), swarm),
    Check("last_run", "Last run", "When site.yml last ran, and at which commit.", (), last_run),
)
