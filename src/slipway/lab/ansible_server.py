# SPDX-License-Identifier: Apache-2.0
"""A server that runs ansible-playbook many times: it imports Ansible once and forks a process for each run.

This saves the import, the filters that each task of a run would load, and the packing of modules that an earlier run
has used: a third of the CPU time of a short play.
`python -m slipway.lab.ansible_server` reads requests from stdin, one line of JSON each:
{"arguments": [...], "environment": {...}, "stdout": path, "stderr": path}. It answers each with a line that holds the
exit status. ANSIBLE_* variables are read when the server starts, all other variables for each run.
"""

import gc
import json
import os
import sys
import traceback
import warnings
from typing import Any

from ansible.cli.playbook import PlaybookCLI
from ansible.plugins.loader import filter_loader, init_plugin_loader


def main() -> None:
    init_plugin_loader([])
    filter_loader.get("slipway.platform.typed")  # which loads all filters, those of ansible-core too
    warnings.filterwarnings("ignore", message="AnsibleCollectionFinder has already been configured")
    # Runs are short, and the collector would copy all that they share with this process: a fifth of their CPU time.
    gc.disable()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            _run(request)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(request: dict[str, Any]) -> None:
    """Run ansible-playbook in this process and exit."""
    status: Any = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for stream, path in ((1, request["stdout"]), (2, request["stderr"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = ["ansible-playbook", *request["arguments"]]
        PlaybookCLI.cli_executor(sys.argv)
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a normal exit would remove the temporary folder that all runs share


if __name__ == "__main__":
    main()
