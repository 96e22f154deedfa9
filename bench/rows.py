# SPDX-License-Identifier: MIT
"""rows: the echo servers that are compared, and how each is started.

The bare loops are the yardsticks, berth is what is measured, the others are its peers. Each runs
one loop on the first CPU that this process may use; who makes the load has the last one.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from started import PATIENCE_SECONDS, Failure, address_of

MOST_URGENT = -20
DESCRIPTORS = 40_000  # enough for 15,000 connections and their servers


@dataclass(frozen=True)
class Row:
    name: str
    label: str
    program: str  # below the build folder
    words: tuple = ()
    speaks_unix: bool = False
    reference: str = "bare-epoll"  # whom its efficiency is told against
    loops: int = 1  # more than one run wherever they want
    is_udp: bool = False

    def is_berth(self):
        return self.program == "bin/berth"

    def command(self, build, path=None):
        """At a free port, or at the Unix path."""
        if self.is_berth():
            scheme = "udp" if self.is_udp else "tcp"
            address = f"unix://{path}" if path else f"{scheme}://127.0.0.1:0"
            return [f"{build}/{self.program}", *self.words, "--listen", address]
        return [f"{build}/{self.program}", *self.words, *(("--unix", str(path)) if path else ())]


def berth(driver, loops=1):
    return Row(f"berth-{driver}", f"berth, {driver}", "bin/berth",
               ("serve", "echo", "--loops", str(loops), "--driver", driver), True,
               f"bare-{driver}", loops)


def berth_udp(driver):
    return Row(f"berth-{driver}-udp", f"berth, {driver}", "bin/berth",
               ("serve", "echo", "--loops", "1", "--driver", driver), reference="bare-udp",
               is_udp=True)


ROWS = (
    Row("bare-epoll", "bare epoll loop", "bench/bare_epoll_echo", speaks_unix=True),
    Row("bare-uring", "bare io_uring loop", "bench/bare_uring_echo", speaks_unix=True),
    berth("epoll"),
    berth("uring"),
    Row("libuv", "libuv", "bench/peers/libuv_echo"),
    Row("asio", "Asio, callbacks", "bench/peers/asio_echo"),
    Row("asio-coroutine", "Asio, coroutines", "bench/peers/asio_coroutine_echo"),
    Row("asio-uring", "Asio, io_uring", "bench/peers/asio_uring_echo"),
    Row("libevent", "libevent", "bench/peers/libevent_echo"),
    Row("bare-udp", "bare mmsg loop", "bench/bare_datagram_echo", is_udp=True),
    berth_udp("epoll"),
    berth_udp("uring"),
    Row("libuv-udp", "libuv", "bench/peers/libuv_datagram_echo", reference="bare-udp",
        is_udp=True),
    Row("asio-udp", "Asio, callbacks", "bench/peers/asio_datagram_echo", reference="bare-udp",
        is_udp=True),
)
BY_NAME = {row.name: row for row in ROWS}


def built_rows(build, names=None, with_udp=False):
    """Those that are there. Peers may be missing; what berth is compared with may not."""
    rows = [row for row in ROWS if (row.name in names if names else with_udp or not row.is_udp)]
    built = [row for row in rows if os.access(f"{build}/{row.program}", os.X_OK)]
    for row in rows:
        if row not in built and "peers" not in row.program:
            raise Failure(f"{build}/{row.program} is not there; build it: "
                          "cmake --workflow --preset release")
    return built


def server_cpu():
    return min(os.sched_getaffinity(0))


def load_cpu():
    cpus = os.sched_getaffinity(0)
    if len(cpus) < 2:
        raise Failure("two CPUs are needed: one for the server, one for the load")
    return max(cpus)


def go_first():
    """In a child: ahead of what else the machine does, as far as this user may. Its priority
    counts within its session only, and that one's among all others: sched(7), autogroups."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, MOST_URGENT)
    with suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(MOST_URGENT))


def prepare():
    """What a script does first: SIGTERM ends it as Ctrl-C does, so that no server is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (DESCRIPTORS if unlimited else min(DESCRIPTORS, hard), hard))


class Server:
    """One row as a process, from its line `listening ADDRESS` to SIGTERM."""

    def __init__(self, row, build, is_unix=False):
        self.row = row
        self.folder = tempfile.TemporaryDirectory(prefix="berth-bench-") if is_unix else None
        path = Path(self.folder.name) / "echo.sock" if is_unix else None
        cpus = {server_cpu()} if row.loops == 1 else os.sched_getaffinity(0)

        def begin():
            os.sched_setaffinity(0, cpus)
            go_first()

        self.process = subprocess.Popen(
            row.command(build, path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=begin)
        self.pid = self.process.pid
        self.address = address_of(self.process, row.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        if self.folder:
            self.folder.cleanup()
