"""Runs one command and measures seconds, CPU seconds and memory."""

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import workplace

# A client that takes longer hangs: the slowest run, skopeo over the long link, takes half a minute.
PATIENCE = 300  # seconds

_LAUNCHER = [sys.executable, "-ISB", os.path.join(os.path.dirname(os.path.realpath(__file__)), "launch.py")]


@dataclass
class Run:
    wall: float  # seconds, from before the process is made until it has ended
    cpu: float  # seconds, user and system, of the process and of those it waited for
    peak: int  # bytes, the largest resident set of one process
    output: str
    # The servers' requests, filled in by the code that started them.
    requests: int = 0


class Failed(Exception):
    pass


def run(command, environment, accepted=("0",)):
    """Runs `command` until it ends.

    - accepted: the exit statuses of success; `plan` ends with 2 if there is something to do.
    - Throws: `Failed` if it doesn't succeed or hangs.
    """
    with tempfile.NamedTemporaryFile(prefix="ecr-replicate-bench-") as said:
        launcher = subprocess.Popen(
            [*_LAUNCHER, said.name, str(PATIENCE), *command], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True, preexec_fn=workplace.end_with_parent,
        )
        try:
            figures, _ = launcher.communicate(timeout=PATIENCE + 30)
        except BaseException:
            launcher.terminate()
            launcher.wait()
            raise
        output = said.read().decode(errors="replace")
    if launcher.returncode != 0:
        raise Failed(f"{' '.join(command)}\ncan't be run")
    peak, own, cpu, wall, status = figures.split()
    if status not in accepted:
        raise Failed(f"{' '.join(command)}\nended with {status}\n{output[-2_000:]}")
    if int(peak) <= int(own):
        peak = 0  # hidden by the launcher's own memory
    return Run(float(wall), float(cpu), int(peak), output)


def median(values):
    return statistics.median(values)
