# SPDX-License-Identifier: MIT
"""echo_runs: an echo server as a child process, and clients that talk to it in lock-step.

What the scripts of this folder share. Clients send one message each, then read one answer each:
however slow the server is made by the tool that watches it, it finds all of them waiting at once.
For that both sides share one CPU, and the server's policy is SCHED_BATCH: being woken by the
first message of a round does not let it interrupt the one who sends the others, sched(7).
"""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess

from started import PATIENCE_SECONDS, Failure, Unavailable, address_of

SKIPPED = 77  # exit status: what is needed is not installed


def commands(build, driver="epoll"):
    """The servers that are compared, by name: how each is started."""
    return {
        "bare": [f"{build}/bench/bare_{driver}_echo"],
        "berth": [f"{build}/bin/berth", "serve", "echo", "--listen", "tcp://127.0.0.1:0",
                  "--loops", "1", "--driver", driver],
    }


def require_programs(build, driver="epoll"):
    for words in commands(build, driver).values():
        if not os.access(words[0], os.X_OK):
            raise Failure(f"{words[0]} is not there; build it: cmake --workflow --preset release")


def missing_tools(*tools):
    return [tool for tool in tools if not shutil.which(tool)]


def strace_words(file):
    """What counts the system calls of the command that follows, into that file."""
    return ["strace", "-f", "-c", "-U", "calls,name", "-o", str(file)]


def strace_counts(file):
    rows = re.findall(r"^ *(\d+) +(\w+)$", file.read_text(), re.MULTILINE)
    return {name: int(calls) for calls, name in rows if name != "total"}


def slopes(few, many, difference):
    """By name, of the counts of two runs that differ in so many messages, or connections."""
    return {name: (many.get(name, 0) - few.get(name, 0)) / difference for name in {*few, *many}}


def by_name(calls):
    """Those that are not nothing, as they are told."""
    return {call: round(count, 4) for call, count in sorted(calls.items()) if abs(count) >= 0.0005}


def share_one_cpu():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def never_interrupt():
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class Server:
    """From its line `listening ADDRESS` to its end by SIGTERM, perhaps below a watching tool."""

    def __init__(self, words, watched_by=()):
        self.process = subprocess.Popen(
            [*watched_by, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=never_interrupt, env={**os.environ, "LC_ALL": "C"})
        host, _, port = address_of(self.process, words[0]).removeprefix("tcp://").rpartition(":")
        self.address = host, int(port)
        # valgrind becomes the server; strace is its parent.
        self.pid = self.process.pid if "strace" not in watched_by[:1] else self.only_child()

    def only_child(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return int(file.read())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        else:
            os.kill(self.pid, signal.SIGTERM)
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        if not kind and self.process.returncode != 0:
            raise Failure(f"the server ended with status {self.process.returncode}: {said}")


class Steps:
    """Counts the instructions of a process while it exists: its own, and those of the vDSO."""

    def __init__(self, build, pid):
        self.process = subprocess.Popen([f"{build}/bench/count_steps", str(pid)],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "counting\n":
            raise Unavailable("count_steps may not trace the server (ptrace_scope?)")

    def end(self):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        own, of_vdso = (int(word) for word in said.split())
        return {"instructions": own, "vdso_instructions": of_vdso}


class Clients:
    """Connections to one server."""

    def __init__(self, address, count, size):
        self.message = os.urandom(size)
        self.sockets = []
        for _ in range(count):
            peer = socket.create_connection(address, timeout=PATIENCE_SECONDS)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Left by RST: thousands of connections in TIME_WAIT would be in the next run's way.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sockets.append(peer)

    def exchange(self, rounds):
        """Every connection sends one message and gets it back, `rounds` times."""
        message, size = self.message, len(self.message)
        for _ in range(rounds):
            for peer in self.sockets:
                peer.sendall(message)
            for peer in self.sockets:
                if peer.recv(size, socket.MSG_WAITALL) != message:
                    raise Failure("an answer is not what was sent")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.sockets:
            peer.close()
