"""A registry that accepts every upload, reads it to the end and discards it.

    python3 -ISB sink.py

Prints its port and serves on 127.0.0.1 until it is stopped. Used for layers that are too large for the disk.
"""

import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    buffer = bytearray(1 << 20)

    def do_GET(self):
        self.answer(200 if self.path == "/v2/" else 404)

    do_HEAD = do_GET

    def do_POST(self):
        self.read()
        self.answer(202, Location=f"{self.path.split('?')[0].rstrip('/')}/upload")

    def do_PUT(self):
        self.read()
        digest = self.path.partition("digest=sha256%3A")[2] or self.path.partition("digest=sha256:")[2]
        self.answer(201, **({"Docker-Content-Digest": f"sha256:{digest[:64]}"} if digest else {}))

    def read(self):
        left = int(self.headers.get("Content-Length", 0))
        buffer = bytearray(1 << 20)
        while left > 0:
            count = self.rfile.readinto(memoryview(buffer)[: min(left, len(buffer))])
            if not count:
                raise ConnectionError("the body ended early")
            left -= count

    def answer(self, status, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    sys.exit(0)
