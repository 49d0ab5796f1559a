"""Real registries: docker-registry on a folder, with or without TLS; its access log counts the requests."""

import collections
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

import images
import workplace

STARTING = 20  # seconds; it takes a tenth of one


class Certificate:
    """A private CA, and a certificate for every address that a benchmark serves on."""

    ADDRESSES = ("127.0.0.1", "10.77.0.1", "10.77.0.2")

    def __init__(self):
        self.folder = os.path.join(workplace.KEPT, "tls-1")
        self.authority = os.path.join(self.folder, "ca.crt")  # skopeo reads every *.crt of a folder
        self.certificate = os.path.join(self.folder, "server.cert.pem")
        self.key = os.path.join(self.folder, "server.key.pem")
        if not self._is_good():
            self._make()

    def _is_good(self):
        day = 24 * 60 * 60
        check = ["openssl", "x509", "-checkend", str(day), "-noout", "-in", self.certificate]
        return os.path.exists(self.key) and subprocess.run(check, capture_output=True).returncode == 0

    def _make(self):
        os.makedirs(self.folder, exist_ok=True)
        authority_key = os.path.join(self.folder, "ca.key.pem")
        request, extensions = (os.path.join(self.folder, name) for name in ("server.csr", "server.ext"))
        with open(extensions, "w", encoding="ascii") as file:
            names = ",".join(f"IP:{address}" for address in self.ADDRESSES)
            file.write(f"subjectAltName={names},DNS:localhost\nextendedKeyUsage=serverAuth\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl(
            "req", "-x509", *curve, "-days", "365", "-subj", "/CN=ecr-replicate bench authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", authority_key, "-out", self.authority,
        )
        openssl("req", *curve, "-subj", "/CN=ecr-replicate bench", "-keyout", self.key, "-out", request)
        openssl(
            "x509", "-req", "-days", "365", "-in", request, "-CA", self.authority, "-CAkey", authority_key,
            "-CAcreateserial", "-extfile", extensions, "-out", self.certificate,
        )


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: openssl {arguments[0]} failed:\n{done.stderr}")


@dataclass
class Somewhere:
    """A registry that another process has started, on http."""

    authority: str
    certificate = None

    @property
    def base(self):
        return f"http://{self.authority}"


class Registry:
    """One docker-registry, without the cache that would make a second copy free.

    - root: its storage, as `images` lays it out.
    - scratch: a folder for configuration and logs.
    - namespace: the network namespace to serve in, if not this process's.
    """

    def __init__(self, name, root, scratch, certificate=None, address="127.0.0.1", namespace=None):
        self.name, self.root, self.certificate = name, root, certificate
        self.address, self.namespace = address, namespace
        self.log = os.path.join(scratch, f"{name}.access.log")
        self.errors = os.path.join(scratch, f"{name}.log")
        self.configuration = os.path.join(scratch, f"{name}.yml")
        self.port, self._process, self._counted = None, None, 0

    @property
    def authority(self):
        return f"{self.address}:{self.port}"

    @property
    def base(self):
        return f"{'https' if self.certificate else 'http'}://{self.authority}"

    def start(self):
        """Serves on the port it had before, or on any that is free."""
        os.makedirs(self.root, exist_ok=True)
        # In its own namespace every port is free.
        self.port = self.port or (5_000 if self.namespace else free_port())
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write(self._yaml())
        command = ["docker-registry", "serve", self.configuration]
        if self.namespace:
            command = ["ip", "netns", "exec", self.namespace, *command]
        with open(self.log, "wb") as log, open(self.errors, "wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=errors, cwd=self.root,
                preexec_fn=workplace.end_with_parent,
            )
        self._counted = 0
        self._wait_until_it_answers()
        return self

    def stop(self):
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def _yaml(self):
        tls = ""
        if self.certificate:
            tls = f"  tls:\n    certificate: {self.certificate.certificate}\n    key: {self.certificate.key}\n"
        return (
            "version: 0.1\n"
            "log:\n  level: error\n  accesslog:\n    disabled: false\n"
            f"storage:\n  filesystem:\n    rootdirectory: {self.root}\n"
            "  maintenance:\n    uploadpurging:\n      enabled: false\n"
            f"http:\n  addr: {self.authority}\n  secret: bench\n{tls}"
            "health:\n  storagedriver:\n    enabled: false\n"
        )

    def _wait_until_it_answers(self):
        deadline = time.monotonic() + STARTING
        while True:
            try:
                return socket.create_connection((self.address, self.port), 1).close()
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                with open(self.errors, encoding="utf-8", errors="replace") as file:
                    raise SystemExit(f"bench: docker-registry didn't start:\n{file.read()[-2_000:]}")
            time.sleep(0.01)

    def manifest(self, repository, tag):
        """The manifest's bytes of a tag, or None; used to check a client's result."""
        try:
            return self._ask(f"/v2/{repository}/manifests/{tag}", Accept=images.MANIFEST_TYPE).read()
        except urllib.error.HTTPError as refusal:
            if refusal.code != 404:
                raise
            return None

    def open_upload(self, repository):
        """The address of an open upload."""
        return self._ask(f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]

    def _ask(self, path, body=None, **fields):
        context = ssl.create_default_context(cafile=self.certificate.authority) if self.certificate else None
        handlers = [urllib.request.ProxyHandler({})]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        request = urllib.request.Request(self.base + path, body, fields)
        return urllib.request.build_opener(*handlers).open(request, timeout=30)

    def requests(self):
        """The requests since the last call, as (method, path). A line is written after its answer."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        new, self._counted = lines[self._counted:], len(lines)
        return [tuple(found.groups()) for line in new if (found := re.search(r'"([A-Z]+) (\S+) HTTP', line))]


def summary(requests):
    """`GET 9, HEAD 1, POST 9, PUT 10`"""
    counts = collections.Counter(method for method, _ in requests)
    return ", ".join(f"{method} {counts[method]}" for method in sorted(counts))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
