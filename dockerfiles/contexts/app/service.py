# SPDX-License-Identifier: Apache-2.0
"""An example of a service: greets, and says on /health that it is well. Replace it by your own."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS = {"/": b"Hello from Slipway\n", "/health": b"ok\n"}


class Handler(BaseHTTPRequestHandler):
    """Answers what it knows, and 404 to the rest."""

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path)
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(answer or b"not found\n")


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
