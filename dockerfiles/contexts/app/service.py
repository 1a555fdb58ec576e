# SPDX-License-Identifier: Apache-2.0
"""An example service with a greeting on / and a health check on /health. Replace it with your own."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS = {"/": b"Hello from Slipway\n", "/health": b"ok\n"}


class Handler(BaseHTTPRequestHandler):
    """Answers the paths in ANSWERS, and 404 for others."""

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path)
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(answer or b"not found\n")


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
