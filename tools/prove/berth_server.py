# SPDX-License-Identifier: MIT
"""berth_server: `berth serve` as a child process, for the proofs of this folder."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def driver_flags():
    """`--driver NAME`, taken off the proof's own command line: what each server is started with."""
    if "--driver" not in sys.argv:
        return ["--driver", "epoll"]
    at = sys.argv.index("--driver")
    flags = sys.argv[at : at + 2]
    del sys.argv[at : at + 2]
    return flags


DRIVER = driver_flags()


def berth_program():
    """The program to prove: $BERTH, or the release build, which is brought up to date."""
    if "BERTH" in os.environ:
        return os.environ["BERTH"]
    for words in (
        ["cmake", "--preset", "release"],
        ["cmake", "--build", "--preset", "release", "--target", "berth_program"],
    ):
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(ROOT, "build/release/bin/berth")


class Server:
    """An echo server, from `ready` to its report."""

    def __init__(self, berth, address, *flags, service="echo", preexec=None):
        self.folder = tempfile.TemporaryDirectory(
            prefix="berth-prove-", ignore_cleanup_errors=True)  # one killed may still be writing
        self.report_file = os.path.join(self.folder.name, "report.json")
        words = [berth, "serve", service, "--listen", address, "--report", self.report_file]
        self.process = subprocess.Popen(
            [*words, *DRIVER, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=preexec,
        )
        self.addresses = []  # one, and those of the flags
        while (said := self.process.stdout.readline()).startswith("listening "):
            self.addresses.append(said.split()[1])
        if not self.addresses:
            raise RuntimeError(f"the server did not start: {self.process.stderr.read().strip()}")
        self.address = self.addresses[0]

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, patience=60):
        """SIGTERM; the exit status and the report."""
        self.process.send_signal(signal.SIGTERM)
        self.last_words = self.process.communicate(timeout=patience)[1].strip()
        with open(self.report_file, encoding="utf-8") as file:
            return self.process.returncode, json.load(file)


def load(berth, address, **flags):
    """`berth load`; its exit status and its JSON."""
    words = [berth, "load", address, "--json"]
    for name, value in flags.items():
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(str(value))
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        return run.returncode, json.loads(run.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"{' '.join(words)}: {run.stderr.strip()}") from None


def eventually(fact, seconds, pause=0.02):
    """Does `fact()` become true within so many seconds? How long it took, or None."""
    begin = time.monotonic()
    while not fact():
        if time.monotonic() - begin > seconds:
            return None
        time.sleep(pause)
    return time.monotonic() - begin


class Verdicts:
    """Prints each claim with its proof, and knows whether all held."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def claim(self, text, holds, shown=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {text}{': ' if shown else ''}{shown}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
