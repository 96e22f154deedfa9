# SPDX-License-Identifier: MIT
"""started: a server as a child process says `listening ADDRESS`, or there is nothing to measure."""

import threading

PATIENCE_SECONDS = 60  # for anything that should have happened long ago


class Failure(Exception):
    """Something without which nothing can be measured."""


class Unavailable(Failure):
    """This machine does not allow it."""


def address_of(process, name):
    """What it says, as a URL; a server that does not say it is ended."""
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.start()
    line = process.stdout.readline()
    watchdog.cancel()
    if line.startswith("listening "):
        return line.split()[1]
    process.kill()
    said = f"{line}{process.communicate()[1] or ''}".strip()
    kind = Unavailable if "io_uring" in said else Failure
    raise kind(f"{name} did not start: {said}")
