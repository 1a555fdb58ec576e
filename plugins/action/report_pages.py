# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Writes the report on the controller; documented in plugins/modules/report_pages.py."""

import os
import time
from pathlib import Path

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible_collections.slipway.platform.plugins.plugin_utils import (
    collection_origin,
    report_files,
    report_hosts,
    report_model,
    report_page,
    run_record,
)

COLLECTION = Path(__file__).resolve().parents[2]
LIMITS = ("certificate_days", "disk_percent", "image_days", "open_ports", "run_days")


class ActionModule(ActionBase):
    """Judges what the hosts said, and writes the files."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "path": {"type": "str", "required": True},
                "fail_on": {"type": "str", "choices": ["never", "red", "yellow"], "default": "never"},
                "keep": {"type": "int", "default": 30},
                "certificate_days": {"type": "int", "default": 30},
                "disk_percent": {"type": "int", "default": 80},
                "image_days": {"type": "int", "default": 90},
                "run_days": {"type": "int", "default": 0},
                "open_ports": {"type": "list", "elements": "int", "default": []},
            }
        )
        folder = Path(os.path.abspath(os.path.expanduser(options["path"])))
        if self._task.check_mode:
            return {**result, "changed": False, "msg": f"The report would be written to {folder}."}
        try:
            return {**result, **self.report(folder, options, task_vars)}
        except report_files.ReportFileError as error:
            return {**result, "failed": True, "msg": str(error)}

    def report(self, folder, options, task_vars):
        history, problem = report_files.prepare(folder)
        inventories = [str(source) for source in task_vars.get("ansible_inventory_sources") or []]
        playbooks = task_vars.get("playbook_dir") or os.getcwd()
        record = run_record.read(run_record.path_of(C.config.get_config_value("ANSIBLE_HOME")))
        hosts = report_hosts.gather(task_vars, record, lambda name: report_model.Fix(name, inventories, playbooks))
        report = report_model.build(
            hosts,
            {name: options[name] for name in LIMITS},
            collection_origin.origin(str(COLLECTION)),
            history[-(options["keep"] - 1) :] if options["keep"] > 1 else [],
            max((host["seconds"] for host in hosts), default=0),
            time.time(),
        )
        texts = {
            report_files.PAGE: report_page.page(report),
            report_files.DATA: report_model.text(report),
            report_files.JUNIT: report_page.junit(report),
        }
        report_files.write(folder, texts, report["generated"], max(1, options["keep"]), keep_earlier=bool(problem))
        page = folder / report_files.PAGE
        lines = [f"{report_model.headline(report['summary'])}: {page.as_uri()}", *report_model.first_reasons(report)]
        lines += [problem] if problem else []
        return {
            "changed": False,
            "failed": report_model.is_red(report, options["fail_on"]),
            "msg": " ".join(line if line.endswith(".") else line + "." for line in lines),
            "lines": lines,
            "page": str(page),
            "summary": report["summary"],
        }
