#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Started by private_engine.py in mount and process namespaces of its own: ROOT SETTING.
# Makes ROOT the root file system and becomes dockerd in a network namespace of its own.
set -eu
root=$1
setting=$2

mount --make-rprivate /
mount --bind "$root" "$root" # pivot_root and docker load want the root to be a mount
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
else
    # cgroup v1: a systemd in a lab host remounts this tmpfs read-only, so it must not be the machine's own.
    mount -t tmpfs -o mode=755 cgroup "$root/sys/fs/cgroup"
    for hierarchy in /sys/fs/cgroup/*/; do
        mkdir "$root$hierarchy"
        mount --bind "$hierarchy" "$root$hierarchy"
    done
fi
cd "$root"
pivot_root . mnt
umount -l /mnt
rm -rf /run/docker* /run/containerd /run/netns # of an engine that was killed

ip netns add lab
nsenter --net=/run/netns/lab ip link set lo up
if [ "$setting" = online ]; then
    # Gives the namespace the world without touching the machine's network; its resolver is at 10.0.2.3.
    echo "nameserver 10.0.2.3" >/etc/resolv.conf
    slirp4netns --configure --mtu=65520 --disable-host-loopback --netns-type=path /run/netns/lab tap0 &
fi
exec nsenter --net=/run/netns/lab dockerd --cgroup-parent=/slipway-lab
