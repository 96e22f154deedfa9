# SPDX-License-Identifier: MIT
"""headers: how a file begins, and what a header costs those who include it."""

import re

SPDX = "SPDX-License-Identifier: MIT"
FIRST_LINES = 15
HEADER_REACH = 10
# "Name: what it is." or a whole sentence.
SENTENCE = re.compile(r"^// \S.*?(:\s|\.(\s|$)|:$)")


def spdx(file):
    if not (file.is_cpp or file.is_script):
        return
    line = 2 if file.text.startswith("#!") else 1
    if len(file.lines) < line or SPDX not in file.lines[line - 1]:
        yield file.breach(line, "spdx", "the file does not begin with its licence",
                          f"// {SPDX}")


def first_words(file):
    if not file.is_cpp:
        return
    block = []
    for line in file.lines[1:FIRST_LINES]:
        if not line.startswith("//"):
            break
        block.append(line)
    if not any(SENTENCE.match(line) for line in block[:3]):
        yield file.breach(2, "first-words", "the file does not say what it is",
                          "after the licence: // Name: one sentence.")


def pragma_once(file):
    if file.is_header and not re.search(r"^#pragma once$", file.text, re.MULTILINE):
        yield file.breach(1, "pragma-once", "the header can be included twice", "#pragma once")


def header_reach(tree):
    """How many other headers of berth a public header pulls in, directly or not."""
    for file in tree.inside("include"):
        if not file.is_public_header:
            continue
        reached = reach(tree, file, set())
        if len(reached) > HEADER_REACH:
            yield file.breach(1, "header-reach", f"pulls in {len(reached)} headers of berth",
                              f"at most {HEADER_REACH}; declare instead of including")


def reach(tree, file, seen):
    for include in file.includes:
        name = f"include/{include.name}"
        included = tree.find(name) or tree.find(name + ".in")
        if included and included.path not in seen:
            seen.add(included.path)
            reach(tree, included, seen)
    return seen
