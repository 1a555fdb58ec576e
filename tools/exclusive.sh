# SPDX-License-Identifier: Apache-2.0
# Sourced by tools that change $VIRTUAL_ENV: one of them runs in a clone at a time. What they run inherits the lock.
# Afterwards, $waited is empty unless another one was waited for.
waited=
if command -v flock >/dev/null; then
    exec 9>>"$VIRTUAL_ENV.lock"
    if ! flock --nonblock 9; then
        echo "slipway: another command of this clone is using .venv: waiting for it to finish" >&2
        flock 9
        waited=yes
    fi
fi
