# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Texts of the files that make up engines of users: the user's unit, delegation, and sysctl settings."""

HEADER = "# managed by slipway.platform.docker_rootless\n"
SERVICE = "docker.service"
# For every user's systemd: since systemd 252 it gets cpu by itself, and memory and pids since 244.
DELEGATION = "/etc/systemd/system/user@.service.d/slipway-rootless.conf"
DELEGATION_TEXT = HEADER + "[Service]\nDelegate=cpu cpuset io memory pids\n"
SYSCTL = "/etc/sysctl.d/60-slipway-rootless.conf"
PORT_START = "net.ipv4.ip_unprivileged_port_start"
PING_RANGE = "net.ipv4.ping_group_range"
EVERY_GROUP = "0 2147483647"

# What dockerd-rootless-setuptool.sh writes, whose text differs from release to release.
UNIT = """[Unit]
Description=Docker Application Container Engine (Rootless)
Documentation=https://docs.docker.com/go/rootless/

[Service]
Environment=PATH={path}
{environment}ExecStart={launcher}
ExecReload=/bin/kill -s HUP $MAINPID
Type=notify
NotifyAccess=all
TimeoutSec=0
RestartSec=2
Restart=always
StartLimitBurst=3
StartLimitInterval=60s
LimitNOFILE=infinity
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
Delegate=yes
KillMode=mixed

[Install]
WantedBy=default.target
"""


def render_unit(launcher, path, variables):
    """Return the text of the user's docker.service; variables are those of the launcher's environment."""
    environment = "".join(f"Environment={name}={value}\n" for name, value in sorted(variables.items()))
    return HEADER + UNIT.format(launcher=launcher, path=path, environment=environment)


def sysctl_settings(port_start, ping):
    """Return the kernel's settings by name; none for what is not asked for."""
    wanted = {} if port_start is None else {PORT_START: str(port_start)}
    return {**wanted, **({PING_RANGE: EVERY_GROUP} if ping else {})}


def render_sysctl(settings):
    """Return the text of the file in sysctl.d, or None without settings."""
    return HEADER + "".join(f"{name} = {value}\n" for name, value in sorted(settings.items())) if settings else None
