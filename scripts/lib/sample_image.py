"""The image for the commands in the docs: two platforms with a few files, always with the same bytes.

It is served as a plain registry on loopback, so that `ecr-replicate copy` can copy it to a page's emulator.
"""

import hashlib
import http.server
import io
import json
import tarfile
import threading
from contextlib import contextmanager

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"  # not compressed, because zlib's output differs between versions

NAME, TAG = "team/app", "v1"


def tar(name, content):
    file, info = io.BytesIO(), tarfile.TarInfo(name)
    info.size = len(content)
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def noise(seed, length):
    """Bytes that differ between layers."""
    return b"".join(hashlib.sha256(b"%s %d" % (seed, n)).digest() for n in range(length // 32))


class Image:
    def __init__(self):
        self.content, self.types = {}, {}
        shared = self.keep(LAYER, tar("usr/share/app/data", noise(b"data", 1 << 20)))
        children = []
        for architecture in ("amd64", "arm64"):
            own = tar("usr/bin/app", noise(architecture.encode(), 256 << 10))
            layers = [shared, self.keep(LAYER, own)]
            config = {
                "architecture": architecture,
                "os": "linux",
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
            }
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.keep(CONFIG, self.json(config))}
            child = self.keep(MANIFEST, self.json(manifest | {"layers": layers}))
            children.append(child | {"platform": {"architecture": architecture, "os": "linux"}})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
        self.digest = self.keep(INDEX, self.json(index))["digest"]

    def keep(self, media_type, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.content[digest], self.types[digest] = content, media_type
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    @staticmethod
    def json(value):
        return json.dumps(value, separators=(",", ":")).encode()


@contextmanager
def served():
    """`HOST:PORT/NAME:TAG` of the image while the body runs."""
    image = Image()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            what = self.path.split("?")[0].rstrip("/").split("/")[-1]
            digest = image.digest if what == TAG else what
            found = self.path.rstrip("/") == "/v2" or digest in image.content
            body = image.content.get(digest, b"{}")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", image.types.get(digest, "application/json"))
            self.send_header("Content-Length", str(len(body)))
            if digest in image.content:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{NAME}:{TAG}"
    finally:
        server.shutdown()
