# SPDX-License-Identifier: Apache-2.0
"""Shows the state of each lab host, queried on the host."""

from docker.models.containers import Container
from rich.table import Table

from slipway.lab import hosts
from slipway.lab.progress import console

QUESTIONS = {
    "distribution": '. /etc/os-release && echo "$PRETTY_NAME${VARIANT:+ ($VARIANT)}"',
    "engine": "docker version --format '{{.Server.Version}}'",
    "docker.service": "echo $(systemctl is-active docker.service), $(systemctl is-enabled docker.service)",
    "docker.sock": "stat --format '%U:%G %a' /run/docker.sock",
}
# A stand-in host carries an image, since it reaches no registry; other hosts pull hello-world.
CARRIED_IMAGE = "/usr/share/slipway/hello.tar"
RUN_A_CONTAINER = f"""
if [ -f {CARRIED_IMAGE} ]; then
    docker load --quiet --input {CARRIED_IMAGE} >/dev/null && docker run --rm slipway/hello
else
    docker run --rm hello-world
fi
"""


def show(containers: list[Container]) -> bool:
    """Print a table of facts and the output of a container on each host; return whether all containers ran."""
    table = Table("host", *QUESTIONS)
    for host in containers:
        table.add_row(str(host.name), *(_ask(host, question)[1] for question in QUESTIONS.values()))
    console.print(table)
    healthy = True
    for host in containers:
        succeeded, output = _ask(host, RUN_A_CONTAINER)
        healthy = healthy and succeeded
        console.print(f"{host.name}: docker run prints:\n{output}", markup=False)
    return healthy


def _ask(host: Container, question: str) -> tuple[bool, str]:
    status, output = hosts.run(host, "sh", "-c", question)
    return status == 0, output
