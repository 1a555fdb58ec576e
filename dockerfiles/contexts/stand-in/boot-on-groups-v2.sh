#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a systemd that needs control groups v2, as version 258 and later do. On a machine with v1, process 1 gets a group
# of the v2 hierarchy, which has no controllers there.
set -eu
if [ ! -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir /run/groups
    mount -t cgroup2 cgroup2 /run/groups
    group=/run/groups/slipway-lab/$(cat /etc/hostname)
    mkdir -p "$group"
    echo $$ >"$group/cgroup.procs"
    umount /run/groups
    rmdir /run/groups
    exec unshare --cgroup sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /usr/sbin/init'
fi
exec /usr/sbin/init
