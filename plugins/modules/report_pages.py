#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

# Documentation only: plugins/action/report_pages.py runs on the controller.

DOCUMENTATION = r"""
module: report_pages
short_description: Write the report about all hosts of a play
version_added: 0.1.0
description:
  - Judges what M(slipway.platform.docker_host_report) has collected against the variables of each host, and writes
    C(index.html), C(report.json) and C(junit.xml) into O(path), and the same files into C(runs/<time>) below it.
  - Runs on the controller, for all hosts of the play at once. It is made for the role
    P(slipway.platform.slipway_report#role).
  - An earlier report is replaced by renaming, when the new one is complete.
options:
  path:
    description: Folder of the report, created if needed. A relative one is below the current folder.
    type: str
    required: true
  fail_on:
    description: Fail after the report is written - V(never), if a host is V(red), or if one is V(yellow) or worse.
    type: str
    choices: [never, red, yellow]
    default: never
  keep:
    description: Number of runs to keep.
    type: int
    default: 30
  certificate_days:
    description: A certificate that ends within this number of days is yellow, within 7 days red.
    type: int
    default: 30
  disk_percent:
    description: A disk is yellow from this percentage on, of its bytes or inodes, and red from 95.
    type: int
    default: 80
  image_days:
    description: An image in use that is older is yellow.
    type: int
    default: 90
  run_days:
    description: A host whose last run is this number of days ago is yellow. V(0) for never.
    type: int
    default: 0
  open_ports:
    description: Ports that containers may publish on all addresses.
    type: list
    elements: int
    default: []
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run writes a report. It is not counted as a change, because no host changes.
seealso:
  - module: slipway.platform.docker_host_report
"""

EXAMPLES = r"""
- name: Write the report
  slipway.platform.report_pages:
    path: /srv/report
    fail_on: red
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
page:
  description: Path of the page.
  returned: unless in check mode
  type: str
lines:
  description: What to tell a person - the headline with the path of the page, and the first red hosts.
  returned: unless in check mode
  type: list
  elements: str
summary:
  description: Number of hosts, and of those that are red (V(fail)), yellow (V(warn)), good (V(ok)) or V(silent).
  returned: unless in check mode
  type: dict
  sample: {hosts: 48, fail: 3, warn: 5, ok: 40, silent: 1}
"""
