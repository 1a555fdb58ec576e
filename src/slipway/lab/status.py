# SPDX-License-Identifier: Apache-2.0
"""What is true on each lab host, asked of the host itself."""

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
# The stand-in carries an image, since no registry can be reached from it; other hosts pull Docker's own.
CARRIED_IMAGE = "/usr/share/slipway/hello.tar"
RUN_A_CONTAINER = f"""
if [ -f {CARRIED_IMAGE} ]; then
    docker load --quiet --input {CARRIED_IMAGE} >/dev/null && docker run --rm slipway/hello
else
    docker run --rm hello-world
fi
"""


def show(containers: list[Container]) -> bool:
    """Print a table of answers and the output of a container on each host; tell whether all is well."""
    table = Table("host", *QUESTIONS)
    for host in containers:
        table.add_row(str(host.name), *(_ask(host, question)[1] for question in QUESTIONS.values()))
    console.print(table)
    well = True
    for host in containers:
        succeeded, output = _ask(host, RUN_A_CONTAINER)
        well = well and succeeded
        console.print(f"{host.name}: docker run says:\n{output}", markup=False)
    return well


def _ask(host: Container, question: str) -> tuple[bool, str]:
    status, output = hosts.run(host, "sh", "-c", question)
    return status == 0, output
