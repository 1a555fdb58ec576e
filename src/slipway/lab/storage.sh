#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Called by storage.py and private_engine.sh, each in a separate mount namespace: ROOT KIND BYTES.
# Mounts the storage for the engine's data at ROOT/var/lib/docker; fails if overlay mounts do not work on it.
set -eu
root=$1
kind=$2
bytes=$3
data=$root/var/lib/docker

mkdir -p "$data"
case $kind in
image)
    file=$data.ext4
    if [ ! -e "$file" ]; then
        truncate --size="$bytes" "$file.unfinished"
        chroot "$root" mke2fs -q -F -t ext4 -m 0 /var/lib/docker.ext4.unfinished
        mv "$file.unfinished" "$file"
    fi
    mount -o loop,discard "$file" "$data"
    ;;
memory)
    mount -t tmpfs -o "mode=710,size=$bytes" data "$data"
    ;;
esac

trial=$(mktemp -d "$data/trial.XXXXXX")
(
    cd "$trial" # relative paths: overlay options cannot contain a comma or a colon
    mkdir lower upper work merged
    touch lower/file
    mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged || exit
    rm merged/file # creates a whiteout, as in image layers
    umount merged
) && works=0 || works=$?
rm -rf "$trial"
exit "$works"
