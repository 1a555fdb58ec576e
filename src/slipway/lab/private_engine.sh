#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Started by control_groups.sh in new mount and process namespaces: SETTING, and the arguments of storage.sh.
# Makes ROOT the root file system and executes dockerd in a new network namespace.
set -eu
setting=$1
root=$2
storage=$3

mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
if [ "$storage" != direct ]; then
    shift
    sh "$(dirname "$0")/storage.sh" "$@"
fi
cd "$root"
pivot_root . mnt
umount -l /mnt
rm -rf /run/docker* /run/containerd /run/netns # left by a killed engine

ip netns add lab
nsenter --net=/run/netns/lab ip link set lo up
if [ "$setting" = online ]; then
    # Gives the namespace internet access without changing the machine's network; its resolver is at 10.0.2.3.
    echo "nameserver 10.0.2.3" >/etc/resolv.conf
    slirp4netns --configure --mtu=65520 --disable-host-loopback --netns-type=path /run/netns/lab tap0 &
fi
# The socket is root's alone: the number of this root's group docker is that of any other group on the machine.
exec nsenter --net=/run/netns/lab dockerd --group=root --cgroup-parent=/slipway-lab
