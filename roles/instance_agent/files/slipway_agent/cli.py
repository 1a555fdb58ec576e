# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The agent's commands. All are copies of one file, whose name selects the command."""

import os

RUNTIME_DIRECTORY = "/run/slipway"
FLEET = "fleet.json"


def main(argv, settings_directory):
    """Run the command that argv[0] names and return its exit status.

    settings_directory: the directory of the JSON files that the roles write.
    """
    return COMMANDS[os.path.basename(argv[0])](argv[1:], settings_directory)


# Each command imports only its own package, because docker starts the credential helper at every pull.
def docker_credential_slipway(arguments, settings_directory):
    from slipway_agent.credential_helper import main

    return main.main(arguments, os.path.join(settings_directory, "docker-credentials.json"))


def docker_firstboot(arguments, settings_directory):
    from slipway_agent.boot import main

    settings = [os.path.join(settings_directory, name) for name in ("firstboot.json", "firstboot-instance.json", FLEET)]
    return main.main(settings[0], settings[1], *[*arguments, settings[2]])


def slipway_ready(arguments, _settings_directory):
    from slipway_agent.boot import ready, report

    return ready.main(arguments, os.path.join(RUNTIME_DIRECTORY, report.NAME))


def slipway_metrics(_arguments, settings_directory):
    from slipway_agent.metrics import main

    return main.main(os.path.join(settings_directory, "metrics.json"))


def slipway_health(_arguments, settings_directory):
    from slipway_agent.fleet import health

    return health.main(os.path.join(settings_directory, FLEET), os.path.join(RUNTIME_DIRECTORY, health.NAME))


def slipway_drain(_arguments, settings_directory):
    from slipway_agent.fleet import drain

    return drain.main(os.path.join(settings_directory, FLEET))


COMMANDS = {
    "docker-credential-slipway": docker_credential_slipway,
    "docker-firstboot": docker_firstboot,
    "slipway-ready": slipway_ready,
    "slipway-metrics": slipway_metrics,
    "slipway-health": slipway_health,
    "slipway-drain": slipway_drain,
}
