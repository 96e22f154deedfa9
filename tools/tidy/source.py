# SPDX-License-Identifier: MIT
"""source: the files of the tree, each read once and seen in the ways that rules ask for."""

import os
import re
from dataclasses import dataclass
from functools import cached_property

CPP = (".hpp", ".cpp", ".hpp.in")
SCRIPT = (".py", ".sh", ".cmake", "CMakeLists.txt")
TEXT = CPP + SCRIPT + (".md", ".txt")
SKIPPED_FOLDERS = {"build", ".git", "__pycache__"}

# One token that hides code: comment, raw string, string, character. Digit separators (1'000) are
# matched first, so that they do not open a character.
HIDING = re.compile(
    r"""(?P<number>\b\d[\w']*)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)")
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<char>'(?:[^'\\\n]|\\.)+')""",
    re.VERBOSE | re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


@dataclass(frozen=True, order=True)
class Breach:
    path: str
    line: int
    rule: str
    message: str
    fix: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message} ({self.fix})"


@dataclass(frozen=True)
class Include:
    line: int
    quoted: bool
    name: str


class File:
    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding="utf-8")

    def breach(self, line, rule, message, fix):
        return Breach(self.path, line, rule, message, fix)

    def inside(self, *folders):
        return self.path.startswith(tuple(folder + "/" for folder in folders))

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @property
    def is_header(self):
        return self.path.endswith((".hpp", ".hpp.in"))

    @property
    def is_public_header(self):
        return self.is_header and self.inside("include")

    @cached_property
    def is_script(self):
        return self.path.endswith(SCRIPT) or self.text.startswith("#!")

    @cached_property
    def lines(self):
        return self.text.splitlines()

    @cached_property
    def code(self):
        """The C++ text with comments gone and literals emptied; every line keeps its number."""
        def blank(match):
            if match["number"]:
                return match[0]
            newlines = "\n" * match[0].count("\n")
            return newlines if match["comment"] else '""' + newlines
        return HIDING.sub(blank, self.text)

    @cached_property
    def strings(self):
        """The string literals, as (line, content)."""
        return [(self.line_at(m.start()), m[0]) for m in HIDING.finditer(self.text)
                if m["string"] or m["raw"]]

    @cached_property
    def includes(self):
        return [Include(self.line_at(m.start(2)), m[1] == '"', m[2])
                for m in INCLUDE.finditer(self.text)] if self.is_cpp else []

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1


class Tree:
    def __init__(self, root):
        self.files = [File(root, path) for path in sorted(paths_in(root))]
        self._by_path = {file.path: file for file in self.files}

    def find(self, path):
        return self._by_path.get(path)

    def inside(self, *folders):
        return [file for file in self.files if file.inside(*folders)]


def paths_in(root):
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED_FOLDERS]
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(TEXT) or is_executable_text(path):
                yield os.path.relpath(path, root)


def is_executable_text(path):
    if os.path.islink(path) or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as file:
        return file.read(2) == b"#!"
