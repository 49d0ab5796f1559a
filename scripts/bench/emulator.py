"""This project's emulator of ECR, with the requests that it has received."""

import os
import re
import shutil
import subprocess
import time

import workplace

STARTING = 60  # seconds; it hashes its seed images first


class Emulator:
    """Serves while the body runs, with the images of `seeds` in the first account and region."""

    def __init__(self, scratch, seeds, *flags):
        self._folder = os.path.join(scratch, "emulator")
        self._log, self._variables, state = (os.path.join(self._folder, name) for name in ("log", "env", "state"))
        self._command = [
            workplace.BINARY, "emulator", "--env-file", self._variables, "--request-log", self._log,
            "--state-dir", state, *flags,
            *(part for seed in seeds for part in ("--seed", seed)),
        ]
        self._process, self._counted = None, 0

    def __enter__(self):
        os.makedirs(self._folder)
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=workplace.end_with_parent,
        )
        deadline = time.monotonic() + STARTING
        while not os.path.exists(self._variables):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise SystemExit(f"bench: the emulator didn't start: {self._process.stderr.read()}")
            time.sleep(0.01)
        return self

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
