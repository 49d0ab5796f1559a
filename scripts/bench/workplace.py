"""A benchmark's files, kept in .build-bench or temporary in RAM, and the clean-up at its end."""

import atexit
import ctypes
import os
import random
import re
import shutil
import signal
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Images and certificates, made once, and the last runs; `make clean` removes it.
KEPT = os.environ.get("BENCH_FOLDER") or os.path.join(ROOT, ".build-bench")
BINARY = os.environ.get("ECR_REPLICATE") or os.path.join(ROOT, ".build", "release", "ecr-replicate")
# An earlier build to measure too: `ECR_REPLICATE_BEFORE=PROGRAM make bench`.
EARLIER_BINARY = os.environ.get("ECR_REPLICATE_BEFORE")

MEMORY = "/dev/shm"
_PREFIX = "ecr-replicate-bench-"

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000


class Stop(SystemExit):
    """A signal that ends the benchmark as an error does, after the clean-up."""


def begin():
    """Makes signals end the program through its `finally` clauses, and removes files of a killed run.

    - Returns: an empty folder in RAM that is removed afterwards.
    """
    def stop(number, _):
        raise Stop(128 + number)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    for name in stale(os.listdir(MEMORY), _PREFIX):
        shutil.rmtree(os.path.join(MEMORY, name), ignore_errors=True)
    folder = os.path.join(MEMORY, f"{_PREFIX}{os.getpid()}")
    os.makedirs(folder)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    os.makedirs(KEPT, exist_ok=True)
    return folder


def stale(names, prefix):
    """Those of `names` that end with the number of a process that has ended."""
    for name in names:
        owner = re.fullmatch(re.escape(prefix) + r"(\d+)", name)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            yield name


def end_with_parent():
    """Called in a child before exec, so that the child ends with the benchmark in every case."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def enter(namespace):
    """Moves this process, and its later children, into a network namespace."""
    with open(f"/run/netns/{namespace}", "rb") as file:
        if _libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)


def compiled(name, *libraries):
    """The program built from tools/NAME.c, or None without a compiler or a library."""
    source, program = os.path.join(ROOT, "tools", f"{name}.c"), os.path.join(KEPT, name)
    if os.path.exists(program) and os.path.getmtime(program) > os.path.getmtime(source):
        return program
    compiler = next((found for found in map(shutil.which, ("cc", "gcc", "clang")) if found), None)
    if not compiler:
        return None
    done = subprocess.run(
        [compiler, "-O2", "-Wall", "-o", program, source, *(f"-l{library}" for library in libraries)],
        capture_output=True, text=True,
    )
    if done.returncode != 0:
        say(f"tools/{name}.c doesn't compile:\n{done.stderr}")
        return None
    return program


def number_from(variable, usual):
    text = os.environ.get(variable, str(usual))
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        sys.exit(f"bench: {variable} is a number of at least 1, not {text!r}")
    return int(text)


class Rounds:
    """Shuffled rounds, so that after-effects of one client (heat, pages, ports) affect all others equally."""

    def __init__(self, count):
        self.count = count
        self.seed = number_from("SEED", random.randrange(1, 10_000))
        self._random = random.Random(self.seed)

    def over(self, things, count=None):
        """(round, thing) for `count` rounds, or the default number."""
        for number in range(count or self.count):
            order = list(things)
            self._random.shuffle(order)
            for thing in order:
                yield number, thing


def need(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        sys.exit(f"bench: there is no {' and no '.join(missing)} here; `scripts/setup --bench` installs what it can")
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"bench: there is no program at {BINARY}; run `make release` first")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
