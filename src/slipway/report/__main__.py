# SPDX-License-Identifier: Apache-2.0
"""Show the reports of a fleet in a browser of this machine."""

import argparse
import signal
import sys
from pathlib import Path

from slipway.printable import printable
from slipway.report import runs, server

PORT = 8321


def main() -> int:
    """Run one command; print a ReportError as one message and return 1."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except runs.ReportError as error:
        print(f"slipway-report: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway-report", description=__doc__)
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="serve the last 30 runs on 127.0.0.1, read-only, until interrupted")
    serve.add_argument("--path", type=Path, default=Path("slipway-report"), help="folder of the report: %(default)s")
    serve.add_argument("--port", type=int, default=PORT, help="port, 0 for any that is free: %(default)s")
    serve.set_defaults(run=_serve)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    # A service manager sends SIGTERM, and a shell that starts this in the background has it ignore SIGINT.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    with server.create(arguments.path, arguments.port) as serving:
        print(f"http://127.0.0.1:{serving.server_port}/ shows {arguments.path}; Ctrl-C ends it.", flush=True)
        serving.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
