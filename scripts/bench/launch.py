"""Runs one command and prints its resource usage: `python3 -ISB launch.py OUTPUT SECONDS PROGRAM ARGUMENT...`

This is a separate program because Linux starts the memory peak of a new program with that of its parent, so a large
parent would hide the measurement. This one imports very little and stays at about 8 MiB.

    PEAK OWN_PEAK CPU WALL STATUS

The figures are in bytes and seconds; the status is the exit code, the negative number of a signal, or `hung`.
"""

import os
import select
import signal
import sys
import time

output, patience = sys.argv[1], float(sys.argv[2])
command = sys.argv[3:]
files = [
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
started = time.monotonic()
# Python ignores SIGPIPE, and its children would inherit that. The process group can be ended as a whole.
child = os.posix_spawnp(
    command[0], command, os.environ, file_actions=files, setpgroup=0, setsigdef=[signal.SIGPIPE]
)


def stop(number, _):
    os.killpg(child, signal.SIGKILL)
    sys.exit(128 + number)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, stop)

handle = os.pidfd_open(child)
poll = select.poll()
poll.register(handle, select.POLLIN)
hung = not poll.poll(patience * 1_000)
if hung:
    os.killpg(child, signal.SIGKILL)
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - started

with open("/proc/self/status", encoding="ascii") as file:
    own = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))
# Linux counts ru_maxrss in KiB. The CPU time includes the processes that the command waited for.
print(usage.ru_maxrss << 10, own, usage.ru_utime + usage.ru_stime, wall,
      "hung" if hung else os.waitstatus_to_exitcode(status))
