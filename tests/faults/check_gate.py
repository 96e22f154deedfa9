#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# check_gate: proves from outside that no system call of the library bypasses the gate.
#
#     check_gate.py BERTH_FAULTS LIBBERTH_FAULTY.a
#
#   1. No object of the library refers to a function of libc that makes a system call.
#   2. strace counts the calls of a whole run, start, service and stop: of each kind as many as the
#      gate has counted, but for those of UNGATED.
#   3. A fault that strace injects ends as the same fault at the gate does.
#
# Exit status: 0 proven; 1 disproven; 77 this system does not allow ptrace: nothing is proven.

import collections
import re
import subprocess
import sys
import tempfile

SKIPPED = 77

# What libc and the C++ runtime do for themselves. None of it is about sockets, files or epoll.
# The gate may know of some of it, too: then strace sees more of it than the gate.
UNGATED = {
    "brk": "memory", "mmap": "memory", "munmap": "memory", "mprotect": "memory",
    "madvise": "memory", "mremap": "memory",
    "clone3": "a thread begins", "clone": "a thread begins", "rseq": "a thread begins",
    "set_robust_list": "a thread begins", "exit": "a thread ends",
    "rt_sigprocmask": "a thread begins or ends",
    "rt_sigaction": "the one call of the library that libc makes for it: src/os/call.hpp",
    "rt_sigreturn": "the way back from a handler",
    "futex": "threads wait for each other: semaphore, atomic wait, join",
    "sched_yield": "threads wait for each other",
    "gettid": "the C++ runtime", "getpid": "the C++ runtime",
    "restart_syscall": "a futex that a signal has interrupted",
    "getppid": "the marks of the server under test",
}

# Functions of libc that would be a way around.
WRAPPERS = set("""
    accept accept4 bind chmod close connect creat dup dup2 dup3 epoll_create epoll_create1
    epoll_ctl epoll_pwait epoll_wait eventfd execl execv execve execvp fchmod fchmodat fcntl
    fcntl64 flock fopen fopen64 fork fstat fstat64 getdents64 getifaddrs getpeername getrandom
    getrlimit getrlimit64 getsockname getsockopt if_indextoname if_nametoindex ioctl listen lstat
    lstat64 open open64 openat openat64 opendir pipe pipe2 poll posix_spawn posix_spawnp ppoll
    prctl pread prlimit prlimit64 pselect pthread_setaffinity_np pthread_setname_np pwrite read
    readdir readdir64 readlink readlinkat readv recv recvfrom recvmmsg recvmsg rename renameat
    renameat2 rmdir sched_getaffinity sched_setaffinity select send sendfile sendmmsg sendmsg
    sendto setrlimit setsockopt shutdown sigprocmask socket socketpair splice stat stat64 statx
    timerfd_create unlink unlinkat vfork wait wait4 waitpid write writev
""".split())  # not syscall(2): std::atomic::wait makes its futex by it
FILE_STREAMS = re.compile(r"basic_[io]?f(stream|ilebuf)|__basic_file")

# strace counts per thread, so: calls that only the starting thread makes.
INJECTED = [
    ("socket", "socket", 4, "ENOBUFS"),
    ("bind", "bind", 2, "EADDRNOTAVAIL"),
    ("listen", "listen", 2, "EADDRINUSE"),
    ("local_address", "getsockname", 1, "ENOBUFS"),
    ("epoll_create", "epoll_create1", 2, "EMFILE"),
    ("eventfd", "eventfd2", 3, "ENFILE"),
    ("lock", "flock", 1, "ENOLCK"),
    ("unlink", "unlinkat", 3, "EROFS"),
]


def complain(text):
    print(f"FAIL {text}")
    return False


def check_symbols(archive):
    listing = subprocess.run(["nm", "-u", "-C", archive],
                             capture_output=True, text=True, check=True)
    wanted = {line.split(maxsplit=1)[1].split("@")[0]
              for line in listing.stdout.splitlines() if line.startswith(" ")}
    around = sorted(name for name in wanted if name in WRAPPERS or FILE_STREAMS.search(name))
    if around:
        return complain(f"the library calls libc for: {' '.join(around)}")
    print(f"ok   of {len(wanted)} functions that the library wants none makes a gated call")
    return True


def run(faults, *words):
    """What a run of berth_faults tells: {kind: [rest of line]}."""
    done = subprocess.run([faults, *words], capture_output=True, text=True, check=False)
    told = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        told[kind].append(re.sub(r"/tmp/\S+/socket|:\d+\b|\bport \d+\b", "ADDRESS", rest))
    return told


def calls_begun(trace):
    """(number, name) of each call. What a signal without a handler interrupts, the kernel begins
    anew, and strace tells it twice; it was made once."""
    begun = []
    last_of = {}
    interrupted = {}
    for line in trace:
        thread = line.split(maxsplit=1)[0]
        first = re.match(r"\d+ +\[ *(\d+)\] (\w+)\(", line)
        if first:
            call = (int(first[1]), first[2])
            before = interrupted.pop(thread, None)
            if before is not None and begun[before] == call:
                begun[before] = None
            last_of[thread] = len(begun)
            begun.append(call)
        if "ERESTARTNOHAND" in line:  # on a line of its own, where another thread came between
            interrupted[thread] = last_of[thread]
    return [call for call in begun if call]


def traced(faults, driver, stop):
    """({number: calls}, {number: name}) between the marks, and what the gate has counted."""
    with tempfile.NamedTemporaryFile(mode="r", prefix="berth-trace-") as trace:
        told = run(faults, "--driver", driver, "--nth", "0", "--stop", stop, "--tell",
                   "strace", "-f", "-n", "-o", trace.name)
        calls = calls_begun(trace)
    if "skipped" in told:
        return told["skipped"][0]
    marks = [at for at, (_, name) in enumerate(calls) if name == "getppid"]
    if len(marks) != 2 or "VIOLATION" in told:
        return None
    inside = calls[marks[0] + 1:marks[1]]
    counted = {int(number): int(count)
               for number, _, count in (line.split() for line in told["count"])}
    return collections.Counter(number for number, _ in inside), dict(inside), counted


def check_counts(faults, driver, stop):
    found = traced(faults, driver, stop)
    if not found:
        return complain(f"{driver}, {stop}: the run under strace went wrong")
    if isinstance(found, str):
        print(f"SKIPPED {found}")
        return True
    seen, names, counted = found
    holds = True
    for number in sorted(seen.keys() | counted.keys()):
        name = names.get(number, str(number))
        is_missed = seen[number] < counted.get(number, 0)
        is_around = seen[number] > counted.get(number, 0) and name not in UNGATED
        if is_missed or is_around:
            holds = complain(f"{driver}, {stop}: {name}: "
                             f"strace saw {seen[number]}, the gate {counted.get(number, 0)}")
    gated = sum(counted.values())
    if holds:
        print(f"ok   {driver}, {stop}: {gated} calls of {len(counted)} kinds, each seen by both; "
              f"{sum(seen.values()) - gated} of libc's own")
    return holds


def check_injection(faults, call, system_call, nth, error):
    gate = run(faults, "--stop", "graceful", "--tell",
               "--call", call, "--nth", str(nth), "--error", error)
    outside = run(faults, "--stop", "graceful", "--tell", "--nth", "0",
                  "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={system_call}",
                  "-e", f"inject={system_call}:error={error}:when={nth}")
    if not gate["end"] or gate["end"] != outside["end"]:
        return complain(f"{call} {nth} {error}: at the gate {gate['end']}, "
                        f"from strace {outside['end']}")
    print(f"ok   {system_call} {nth} {error}, injected by strace, ends as at the gate: "
          f"{gate['end'][0]}")
    return True


def may_trace():
    try:
        return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"],
                              capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def main():
    faults, archive = sys.argv[1:]
    holds = check_symbols(archive)
    if not may_trace():
        print("NOT PROVEN: strace is missing, or this system does not allow ptrace(2)")
        return SKIPPED if holds else 1
    for driver in ("epoll", "uring"):
        for stop in ("graceful", "forced"):
            holds &= check_counts(faults, driver, stop)
    for injected in INJECTED:
        holds &= check_injection(faults, *injected)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
