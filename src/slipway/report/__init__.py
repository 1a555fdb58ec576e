# SPDX-License-Identifier: Apache-2.0
"""Shows the reports of a fleet that playbooks/report.yml has written."""
