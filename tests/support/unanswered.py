# SPDX-License-Identifier: Apache-2.0
"""A host that does not answer; the machine of the tests may have no ssh, so its ssh is a stand-in."""

from pathlib import Path

GONE = {"ansible_connection": "ssh", "ansible_ssh_executable": str(Path(__file__).with_name("unanswered-ssh"))}
