# SPDX-License-Identifier: MIT
"""checker: every rule over every file, less the exceptions that are granted."""

import budgets
import headers
import layers
import project
import words
from source import Breach, Tree

FILE_RULES = [
    budgets.line_length,
    budgets.file_length,
    budgets.function_length,
    headers.spdx,
    headers.first_words,
    headers.pragma_once,
    layers.layer,
    layers.system_header,
    layers.third_party,
    layers.public_include,
    words.banned,
    words.todo,
    words.literal_port,
    project.one_h1,
]

TREE_RULES = [
    headers.header_reach,
    project.changelog,
    project.unbuilt_source,
    project.unregistered_test,
    project.unlisted_example,
]

EXCEPTIONS = "tools/tidy/exceptions.txt"


def check(root):
    tree = Tree(root)
    breaches = [b for rule in FILE_RULES for file in tree.files for b in rule(file)]
    breaches += [b for rule in TREE_RULES for b in rule(tree)]
    return sorted(less_exceptions(tree, set(breaches)))


def less_exceptions(tree, breaches):
    """Takes out what tools/tidy/exceptions.txt grants; an exception that nobody uses, or without
    a reason, is a breach itself: the file may only shrink."""
    listed = tree.find(EXCEPTIONS)
    left = set(breaches)
    for number, line in enumerate(listed.lines if listed else [], start=1):
        if not line.strip() or line.startswith("#"):
            continue
        grant, _, reason = line.partition(":")
        rule, _, path = grant.partition(" ")
        if not reason.strip():
            left.add(Breach(EXCEPTIONS, number, "exception", "no reason given",
                            "write RULE PATH: REASON"))
        granted = {b for b in left if (b.rule, b.path) == (rule, path.strip())}
        left -= granted
        if not granted:
            left.add(Breach(EXCEPTIONS, number, "exception", f"'{grant}' excepts nothing",
                            "remove the line"))
    return left
