#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Started by fresh.py in new mount and process namespaces: ROOT CACHE FOLDER [FILE...] -- COMMAND...
# Makes ROOT the root file system and executes the command. CACHE of the machine is mounted at FOLDER; each file or
# folder FILE is mounted read-only at the same path.
set -eu
root=$1 cache=$2 folder=$3
shift 3

mount --make-rprivate /
mount --bind "$root" "$root" # pivot_root requires the root to be a mount point
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --bind "$cache" "$folder"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then
        mkdir -p "$root$1"
    else
        mkdir -p "$root${1%/*}"
        [ -e "$root$1" ] || : >"$root$1"
    fi
    mount -o bind,ro "$1" "$root$1"
    shift
done
shift
cd "$root"
pivot_root . mnt
umount -l /mnt
exec "$@"
