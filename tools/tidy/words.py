# SPDX-License-Identifier: MIT
"""words: what is not said in berth, why, and what is said instead."""

import re
from dataclasses import dataclass

# The only places of these two, each one subject in one file.
THREADS = ("src/engine/threads.cpp", "src/engine/threads.hpp")
LOCKS = ()

# The tests that open sockets; in the others an address is only text.
SOCKET_TESTS = ("tests/cares", "tests/conformance", "tests/differential", "tests/faults",
                "tests/integration", "tests/kernel", "tests/lifecycle", "tests/support",
                "tests/unit/driver")


@dataclass(frozen=True)
class Banned:
    rule: str
    pattern: re.Pattern
    applies: callable  # file -> bool
    reason: str
    instead: str


def cpp_in(*folders):
    return lambda file: file.is_cpp and file.inside(*folders)


BANNED = [
    Banned("shared-ptr", re.compile(r"\b(std::)?(shared_ptr|make_shared|weak_ptr)\b"),
           cpp_in("include", "src/net"),
           "ownership is known here", "own by unique_ptr, lend by reference, name by ConnectionId"),
    Banned("sleep", re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\("),
           cpp_in("tests", "src"),
           "a sleep is too short on a slow day and too long on all others",
           "tests: eventually(predicate); library: a timer"),
    Banned("printf", re.compile(r"\b(v?[fd]?printf|f?puts)\s*\(|\bstd::(cout|cerr|clog)\b"),
           cpp_in("src", "include"),
           "a library does not print", "report through Logger or return an Error"),
    Banned("std-function", re.compile(r"\bstd::function\b"), cpp_in("include", "src"),
           "it copies and allocates", "berth::UniqueFunction"),
    Banned("endl", re.compile(r"\bstd::endl\b"), lambda file: file.is_cpp,
           "it flushes", "'\\n'"),
    Banned("using-namespace", re.compile(r"\busing\s+namespace\b"),
           lambda file: file.is_header,
           "it changes the meaning of everything below", "name what you use"),
    Banned("preprocessor-if", re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b"),
           lambda file: file.is_cpp and not file.inside("src/os"),
           "both branches must be read and only one is compiled",
           "if constexpr, a twin file, or a place in src/os"),
    Banned("thread", re.compile(r"\bstd::j?thread\b(?!\s*::)"),
           lambda file: file.inside("src", "include") and file.path not in THREADS,
           "threads are made in one file", THREADS[0]),
    Banned("lock", re.compile(r"\bstd::(\w*mutex|condition_variable\w*|lock_guard|unique_lock"
                              r"|scoped_lock|shared_lock|call_once|once_flag)\b"),
           lambda file: file.inside("src", "include") and file.path not in LOCKS,
           "loops share nothing that needs one", "post a task to the loop that owns the data"),
]

TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
PORT = re.compile(r"(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[[0-9a-f:]*\]|\*|//):([1-9]\d*)")


def banned(file):
    rules = [rule for rule in BANNED if rule.applies(file)]
    if not rules:
        return
    for number, line in enumerate(file.code.splitlines(), start=1):
        for rule in rules:
            match = rule.pattern.search(line)
            if match:
                yield file.breach(number, rule.rule, f"{match[0].strip()}: {rule.reason}",
                                  rule.instead)


def todo(file):
    if not (file.is_cpp or file.is_script) or file.inside("tools/tidy", "tests/tidy"):
        return
    for number, line in enumerate(file.lines, start=1):
        match = TODO.search(line)
        if match:
            yield file.breach(number, "todo", f"{match[1]} without an issue",
                              f"{match[1]}(#number), or do it now")


def literal_port(file):
    if not (file.is_cpp and file.inside(*SOCKET_TESTS)):
        return
    for number, content in file.strings:
        match = PORT.search(content)
        if match:
            yield file.breach(number, "literal-port", f"port {match[1]} may be somebody's",
                              "bind port 0 and ask which one it became")
