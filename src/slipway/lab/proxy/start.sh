#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command of the proxy's container: creates a password for USER that includes characters that URLs must escape, then
# executes squid.
set -eu
here=$(dirname "$0")
home=/srv/slipway/proxy
user=$1

install --directory --owner=proxy --group=proxy --mode=700 "$home"
printf '%s' "$(openssl rand -hex 12) @:/?#%&+\"\$" >"$home/password"
printf '%s:%s\n' "$user" "$(openssl passwd -apr1 -stdin <"$home/password")" >"$home/users"
exec squid -N -f "$here/squid.conf"
