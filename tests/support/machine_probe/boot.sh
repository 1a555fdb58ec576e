# SPDX-License-Identifier: Apache-2.0
# Reports the state of the machine on the second serial port; tests/lab/test_machine_boot.py runs it as user data.
export HOME=/root

say() {
    printf '%s %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')" >/dev/ttyS1
}

say running "$(systemctl is-system-running --wait)"
say failed "$(systemctl list-units --failed --plain --no-legend)"
say docker "$(systemctl is-active docker.service)"
# The service is of type notify, so it is active when it answers. The clock starts with the kernel.
say docker_microseconds "$(systemctl show --property ActiveEnterTimestampMonotonic --value docker.service)"
say machine_id "$(cat /etc/machine-id)"
say host_keys "$(cat /etc/ssh/ssh_host_*_key.pub)"
say cloud_init "$(cat /run/cloud-init/result.json)"
say instance "$(cat /var/lib/cloud/data/instance-id)"
say runcmd "$(sed -n '/^ready: /s/:.*//p' /var/log/cloud-init-output.log)"
say last_message "$(tail -n 1 /var/log/cloud-init-output.log)"
