"""The long link: two network namespaces, joined by tools/tundelay.c."""

import os
import shutil
import subprocess
import time

import workplace

NEAR_ADDRESS, FAR_ADDRESS = "10.77.0.1", "10.77.0.2"
STARTING = 10  # seconds

_NEAR, _FAR = "ecr-replicate-near-", "ecr-replicate-far-"


class Impossible(Exception):
    """The reason why namespaces or tun devices can't be made here."""


class Link:
    """Joined namespaces while the body runs; this process enters the near one."""

    def __init__(self, scratch, one_way, mbit, loss=0):
        """- one_way: in milliseconds. - loss: in percent."""
        self.scratch, self.figures = scratch, [str(one_way), str(mbit), str(loss)]
        self.near, self.far = (f"{prefix}{os.getpid()}" for prefix in (_NEAR, _FAR))
        self._process = None

    def __enter__(self):
        why = self._obstacle()
        if why:
            raise Impossible(why)
        program = workplace.compiled("tundelay")
        if not program:
            raise Impossible("tools/tundelay.c can't be compiled")
        try:
            for prefix in (_NEAR, _FAR):
                for name in workplace.stale(os.listdir("/run/netns") if os.path.isdir("/run/netns") else [], prefix):
                    subprocess.run(["ip", "netns", "delete", name], capture_output=True)
            for name in (self.near, self.far):
                made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
                if made.returncode != 0:
                    raise Impossible(f"ip netns add: {made.stderr.strip()}")
                # The kernel must not reuse one run's measurements of the link for the next run.
                setting = "echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save"
                subprocess.run(["ip", "netns", "exec", name, "sh", "-c", setting], check=True)
            self._join(program)
            workplace.enter(self.near)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    @staticmethod
    def _obstacle():
        if os.geteuid() != 0:
            return "making network namespaces takes root"
        if not shutil.which("ip"):
            return "there is no `ip` (Debian's iproute2)"
        if not os.path.exists("/dev/net/tun"):
            return "there is no /dev/net/tun"
        return None

    def _join(self, program):
        log = os.path.join(self.scratch, "tundelay.log")
        with open(log, "wb") as said:
            self._process = subprocess.Popen(
                [program, self.near, self.far, *self.figures], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                preexec_fn=workplace.end_with_parent,
            )
        deadline = time.monotonic() + STARTING
        while True:
            with open(log, encoding="utf-8", errors="replace") as file:
                said = file.read()
            if said.startswith("up"):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Impossible(f"tundelay: {said.strip() or 'no answer'}")
            time.sleep(0.01)


def congestion_control():
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as file:
        return file.read().strip()
