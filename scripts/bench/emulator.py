"""This project's emulator of ECR, with the requests that it has received."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request

import signing
import workplace

STARTING = 60  # seconds; it hashes its seed images first


class Emulator:
    """Serves while the body runs, with the images of `seeds` in the first account and region.

    - keeps_state: whether it writes its state to the scratch folder, which takes long with many images.
    """

    ACCOUNT = "111122223333"

    def __init__(self, scratch, seeds, *flags, keeps_state=True):
        self._folder = os.path.join(scratch, "emulator")
        self._log, self._variables, self._said, state = (
            os.path.join(self._folder, name) for name in ("log", "env", "said", "state")
        )
        self._command = [
            workplace.BINARY, "emulator", "--env-file", self._variables, "--request-log", self._log,
            *(["--state-dir", state] if keeps_state else []), *flags,
            *(part for seed in seeds for part in ("--seed", seed)),
        ]
        self._process, self._counted = None, 0

    def __enter__(self):
        os.makedirs(self._folder)
        with open(self._said, "wb") as said:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.PIPE, text=True,
                preexec_fn=workplace.end_with_parent,
            )
        deadline = time.monotonic() + STARTING
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise SystemExit(f"bench: the emulator didn't start: {self._process.stderr.read()}")
            time.sleep(0.01)
        return self

    def _is_ready(self):
        with open(self._said, encoding="utf-8") as said:
            return "# Accounts, each with its own keys" in said.read()

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stderr.close()
        shutil.rmtree(self._folder)

    @property
    def variables(self):
        """The environment that points a client at it."""
        with open(self._variables, encoding="ascii") as file:
            return dict(re.findall(r"^export (\w+)=(.*)$", file.read(), re.MULTILINE))

    def requests(self):
        """The operations since the last call, without those for credentials."""
        with open(self._log, encoding="utf-8") as file:
            lines = [line.split("\t") for line in file.read().splitlines()]
        new, self._counted = lines[self._counted:], len(lines)
        return [
            operation for _, face, operation, *_ in new if face != "sts" and operation != "GetAuthorizationToken"
        ]

    def registry(self, region):
        """The address of the first account's registry for clients that know nothing of ECR."""
        with open(self._said, encoding="utf-8") as said:
            return re.search(rf"{self.ACCOUNT}\.dkr\.ecr\.{region}\.localhost:\d+  (\S+)", said.read())[1]

    def login(self, region):
        """User and password for that registry, as `USER:PASSWORD`."""
        variables = self.variables
        url = variables["AWS_ENDPOINT_URL_ECR"]
        body = b"{}"
        fields = signing.signed(url, "GetAuthorizationToken", body, region, variables)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, body, fields), timeout=30) as answer:
            return base64.b64decode(json.load(answer)["authorizationData"][0]["authorizationToken"]).decode()
