# SPDX-License-Identifier: MIT
"""windows: short measurements of several servers, in turn, round after round.

All servers of a cell run at once; a round gives each of them one window of `berth load`, and the
next round goes backwards, so that what the machine does meanwhile is nobody's luck.
"""

import fcntl
import json
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rows import Server, go_first, load_cpu
from started import PATIENCE_SECONDS, Failure


@dataclass(frozen=True)
class Cell:
    name: str
    title: str
    connections: int
    size: str = "64"
    depth: int = 1
    window: str = "400ms"
    warm_up: str = "40ms"
    flags: tuple = ()
    is_unix: bool = False
    is_udp: bool = False
    is_quick: bool = False

    def load_words(self):
        return ["--connections", str(self.connections), "--size", self.size, "--depth",
                str(self.depth), "--duration", self.window, "--warm-up", self.warm_up, *self.flags]


@contextmanager
def alone(lock):
    """Nobody else who holds the lock measures or builds meanwhile."""
    if not lock:
        yield
        return
    with open(lock, "a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load(build, server, words):
    """One window: what `berth load` says of it."""
    command = ["taskset", "-c", str(load_cpu()), f"{build}/bin/berth", "load", server.address,
               "--loops", "1", "--json", "--cpu-of", str(server.pid), *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                         preexec_fn=go_first)
    if ran.returncode != 0:
        raise Failure(f"{server.row.name}: {' '.join(command)}: {ran.stdout}{ran.stderr[:500]}")
    return json.loads(ran.stdout)


# What is kept of a window, and where it stands in the load's answer.
KEPT = {
    "cpu_us": lambda said: said.get("cpu_us_per_request"),
    "requests_per_s": lambda said: said["requests_per_s"],
    "p50_us": lambda said: said["latency_us"]["p50"],
    "p99_us": lambda said: said["latency_us"]["p99"],
}


def speaks(row, cell):
    return row.is_udp == cell.is_udp and (row.speaks_unix or not cell.is_unix)


def measure_cell(cell, rows, arguments):
    rows = [row for row in rows if speaks(row, cell)]
    found = {row.name: {kept: [] for kept in KEPT} for row in rows}
    failures = []
    with ExitStack() as held:
        servers = [held.enter_context(Server(row, arguments.build, cell.is_unix)) for row in rows]
        for number in range(arguments.rounds):
            with alone(arguments.lock):
                for server in servers if number % 2 == 0 else reversed(servers):
                    try:
                        said = load(arguments.build, server, cell.load_words())
                    except (Failure, subprocess.TimeoutExpired) as failure:
                        failures.append(str(failure))
                        said = None
                    for kept, of in KEPT.items():
                        found[server.row.name][kept].append(of(said) if said else None)
    return {"name": cell.name, "title": cell.title, "load": cell.load_words(),
            "rows": found, "failures": failures}
