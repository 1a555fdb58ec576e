#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Called by private_engine.py in the engine's mount namespace, but outside its process namespace: ROOT COMMAND...
# Mounts the control groups read-write below ROOT and executes the command. In a container, /sys/fs/cgroup may be
# read-only or empty.
set -eu
root=$1
shift
groups=$root/sys/fs/cgroup

mount --make-rprivate /
mount --bind "$root" "$root" # pivot_root and docker load require the root to be a mount point
mount -t sysfs sysfs "$root/sys"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mount --bind /sys/fs/cgroup "$groups"
    mount -o remount,bind,rw "$groups"
elif ! grep -q '^[1-9]' /proc/self/cgroup; then
    mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 "$groups" # systemd's options; they apply to all mounts
else
    # cgroup v1: a systemd in a lab host remounts this tmpfs read-only, so it must not be the machine's own.
    mount -t tmpfs -o mode=755 cgroup "$groups"
    cut -d: -f2 /proc/self/cgroup | grep . | while read -r controllers; do
        name=${controllers#name=}
        mkdir "$groups/$name"
        if [ -d "/sys/fs/cgroup/$name" ]; then
            mount --bind "/sys/fs/cgroup/$name" "$groups/$name"
            mount -o remount,bind,rw "$groups/$name"
        else
            mount -t cgroup -o "$controllers" cgroup "$groups/$name"
        fi
    done
fi

# cgroup v2: a group other than the root can delegate controllers only while it contains no processes.
if [ -f "$groups/cgroup.type" ]; then
    mkdir -p "$groups/outside-slipway-lab"
    while read -r process; do
        echo "$process" >"$groups/outside-slipway-lab/cgroup.procs" || : # the process has ended
    done <"$groups/cgroup.procs"
fi
exec "$@"
