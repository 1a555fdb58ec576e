#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command of the hub's container: runs its four servers, and exits when one of them does.
set -eu
here=$(dirname "$0")
trap 'exit 0' TERM

python3 "$here/htpasswd.py"
docker-registry serve "$here/registry.yml" &
docker-registry serve "$here/basic_registry.yml" &
python3 "$here/token_server.py" &
nginx -c "$here/nginx.conf" &
status=0
wait -n || status=$?
echo "A server of the stand-in Docker Hub exited with status $status: stopping all" >&2
exit 1
