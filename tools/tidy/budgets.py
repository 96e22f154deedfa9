# SPDX-License-Identifier: MIT
"""budgets: how long a line, a file and a function may be."""

import re

COLUMNS = 100
FILE_LINES = 500
PUBLIC_HEADER_LINES = 250
FUNCTION_LINES = 60

# What may stand in a function's or type's head and contain words or parentheses that mislead.
MISLEADING = re.compile(r"\[\[.*?\]\]|\balignas\s*\([^)]*\)|<[^<>]*>", re.DOTALL)
TYPE = re.compile(r"\b(class|struct|union|enum)\b[^()=]*$", re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def line_length(file):
    if not (file.is_cpp or file.is_script or file.path.endswith(".md")):
        return
    for number, line in enumerate(file.lines, start=1):
        # A link cannot be folded, and a table row must not be.
        if file.path.endswith(".md") and ("](" in line or line.lstrip().startswith("|")):
            continue
        if len(line) > COLUMNS:
            yield file.breach(number, "line-length", f"{len(line)} columns",
                              f"at most {COLUMNS}")


def file_length(file):
    if not (file.is_cpp or file.is_script):
        return
    budget = PUBLIC_HEADER_LINES if file.is_public_header else FILE_LINES
    if len(file.lines) > budget:
        yield file.breach(budget + 1, "file-length", f"{len(file.lines)} lines",
                          f"at most {budget}; split by subject")


def function_length(file):
    if not file.is_cpp:
        return
    for first, last in functions(file.code):
        if last - first + 1 > FUNCTION_LINES:
            yield file.breach(first, "function-length", f"{last - first + 1} lines",
                              f"at most {FUNCTION_LINES}; name its parts")


def functions(code):
    """(first line, last line) of each outermost function body, by following braces."""
    code = PREPROCESSOR.sub(lambda match: "\n" * match[0].count("\n"), code)
    scopes = []  # (kind, where its head begins)
    head = 0     # where the text before the next brace begins
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        outside = all(kind in ("namespace", "type") for kind, _ in scopes)
        if match[0] == "{":
            scopes.append((kind_of(code[head:at]) if outside else "inner", head))
            head = at + 1 if scopes[-1][0] != "function" else head
        elif match[0] == "}" and scopes:
            kind, began = scopes.pop()
            if kind == "function" and code[at + 1:].lstrip()[:1] in (",", "{"):
                head = began  # it was a braced member initializer: the body is still to come
                continue
            if kind == "function":
                yield line_of_text(code, began), code.count("\n", 0, at) + 1
            head = at + 1
        elif outside:
            head = at + 1


def kind_of(head):
    while (plain := MISLEADING.sub(" ", head)) != head:  # <…> may stand inside <…>
        head = plain
    if re.search(r"\bnamespace\b|\bextern\s*\"\"\s*$", head):
        return "namespace"
    if TYPE.search(head):
        return "type"
    return "function" if "(" in head else "inner"


def line_of_text(code, offset):
    while offset < len(code) and code[offset].isspace():
        offset += 1
    return code.count("\n", 0, offset) + 1
