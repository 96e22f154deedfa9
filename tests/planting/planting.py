# SPDX-License-Identifier: MIT
"""planting: defects put into a copy of src/, to see that a test program would notice.

A list of defects is a text file:

    [LABEL] NAME  FILE
    - text to find, exactly once, as it stands in the file (lines joined, indentation kept)
    + what takes its place; none: the text goes

An empty line before the next `-` begins another change of the same defect; `#` in the first
column begins a comment. What a label means is up to the list.

A program that was built by CMake and Ninja is made again with one defect in it: only those of its
objects are compiled that see the changed file, and they stand before the archives in the linker's
command, which then keep their own back.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent.parent
SOURCES = PROJECT / "src"
COMPILERS_AT_A_TIME = 2


class CannotTry(Exception):
    """The proof itself is broken: nothing is said about the tests."""


class Change(NamedTuple):
    search: str
    replacement: str


class Defect(NamedTuple):
    label: str
    name: str
    file: Path  # below src/
    changes: list[Change]


# ── Lists ────────────────────────────────────────────────────────────────────────────────────

def read_defects(listed: Path, folder: str = "") -> list[Defect]:
    """Those of a list whose files are named from src/`folder`."""
    text = re.sub(r"^#.*\n", "", listed.read_text(), flags=re.M)
    return [parse(block, listed.name, folder)
            for block in re.split(r"^(?=\[)", text, flags=re.M)[1:]]


def parse(block: str, listed: str, folder: str) -> Defect:
    head, _, rest = block.rstrip().partition("\n")
    matched = re.fullmatch(r"\[(\S+)\] (\S+) +(\S+)", head)
    if not matched:
        raise CannotTry(f"{listed}: not a heading: {head}")
    changes = [parse_change(part.split("\n")) for part in re.split(r"\n\n+", rest)]
    return Defect(matched[1], matched[2], Path(folder) / matched[3], changes)


def parse_change(lines: list[str]) -> Change:
    side = {sign: "\n".join(line[2:] for line in lines if line.startswith(sign)) for sign in "-+"}
    return Change(side["-"], side["+"])


def complaints(defects: list[Defect]) -> list[str]:
    """The source's text changes, and then its defects must follow."""
    return [f"{each.name}: its text is {count} times in src/{each.file}, not once"
            for each in defects for change in each.changes
            if (count := (SOURCES / each.file).read_text().count(change.search)) != 1]


# ── Programs ─────────────────────────────────────────────────────────────────────────────────

class Workshop:
    """Makes variants of a finished program of a CMake build, one at a time, in a folder."""

    def __init__(self, build: Path, target: str, folder: Path, flags: tuple[str, ...] = ()):
        self.build = build
        self.folder = folder
        self.flags = ("-g0", "-w", "-Wno-error", *flags)
        self.program = build / self.ask("query", target, line=2)
        self.link = [word for word in self.command_of(str(self.program.relative_to(build)))
                     if word not in (":", "&&")]
        self.seen = self.read_dependencies()
        self.objects = self.objects_in_use()

    def make(self, defect: Defect) -> Path:
        """The program with the defect in it."""
        copy = self.folder / "src"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(SOURCES, copy)
        plant(defect, copy / defect.file)
        changed = [each for each in self.objects if SOURCES / defect.file in self.seen[each]]
        if not changed:
            raise CannotTry(f"{self.program.name} does not depend on src/{defect.file}")
        with ThreadPoolExecutor(COMPILERS_AT_A_TIME) as pool:
            made = dict(zip(changed, pool.map(self.compile, changed)))
        return self.link_with(made)

    # ── How the build does it ──

    def ask(self, tool: str, *words: str, line: int | None = None) -> str:
        """What `ninja -t TOOL` answers."""
        done = subprocess.run(["ninja", "-C", self.build, "-t", tool, *words],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotTry(f"{self.build} is no Ninja build with {' '.join(words)}: {done.stderr}")
        return done.stdout if line is None else done.stdout.splitlines()[line].split()[-1]

    def command_of(self, output: str) -> list[str]:
        return shlex.split(self.ask("commands", "-s", output))

    def read_dependencies(self) -> dict[str, set[Path]]:
        """Object -> the files that it was compiled from."""
        seen: dict[str, set[Path]] = {}
        for line in self.ask("deps").splitlines():
            if line.startswith("    "):
                seen[output].add(Path(os.path.normpath(self.build / line.strip())))
            elif line:
                output = line.partition(": #deps")[0]
                seen[output] = set()
        return seen

    def objects_in_use(self) -> list[str]:
        """The program's own objects, and those that the linker takes out of archives."""
        traced = self.run([*self.without("-o", self.link), "-o", str(self.folder / "traced"),
                           "-Wl,-t,-t"], self.build)
        members = set(re.findall(r"^\((\S+\.a)\)(\S+)$", traced, flags=re.M))
        archived = [each for archive in {archive for archive, _ in members}
                    if not Path(archive).is_absolute()
                    for each in self.command_of(archive)
                    if (archive, Path(each).name) in members]
        return [each for each in self.link if each.endswith(".o")] + archived

    # ── The same, with a defect ──

    def compile(self, output: str) -> str:
        command = self.command_of(output)
        for option in ("-MF", "-MT", "-o", "-c"):
            if option == "-c":
                source = Path(command[command.index("-c") + 1])
            command = self.without(option, command)
        made = self.folder / output.replace("/", "_")
        if source.is_relative_to(SOURCES):
            source = self.folder / "src" / source.relative_to(SOURCES)
        elif source.parent.name == "Unity":
            source = self.batch_of_copies(source, Path(f"{made}.cxx"))
        first_include = next(at for at, word in enumerate(command) if word.startswith("-I"))
        command.insert(first_include, f"-I{self.folder / 'src'}")
        command.remove("-MD")
        self.run([*command, *self.flags, "-o", str(made), "-c", str(source)], self.build)
        return str(made)

    def batch_of_copies(self, batch: Path, copied: Path) -> Path:
        """CMAKE_UNITY_BUILD: a file that includes others by their absolute paths."""
        copied.write_text(batch.read_text().replace(f'"{SOURCES}/', f'"{self.folder}/src/'))
        return copied

    def link_with(self, made: dict[str, str]) -> Path:
        program = self.folder / self.program.name
        words = [word for word in self.without("-o", self.link) if word not in made]
        first_object = next(at for at, word in enumerate(words) if word.endswith((".o", ".a")))
        self.run([*words[:first_object], *made.values(), *words[first_object:],
                  "-o", str(program)], self.build)
        return program

    @staticmethod
    def without(option: str, command: list[str]) -> list[str]:
        at = command.index(option)
        return command[:at] + command[at + 2:]

    @staticmethod
    def run(command: list[str], directory: Path) -> str:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotTry(f"{shlex.join(command)}\n{done.stderr}")
        return done.stdout


def plant(defect: Defect, file: Path) -> None:
    text = file.read_text()
    for change in defect.changes:
        text = text.replace(change.search, change.replacement)
    file.write_text(text)


# ── Running ──────────────────────────────────────────────────────────────────────────────────

class Run(NamedTuple):
    status: int | None  # negative: the signal that ended it; None: the time was over
    output: str
    seconds: float


def run(command: list[str | Path], seconds: float, environment: dict | None = None) -> Run:
    """Of the program and all that it starts nothing is left when the time is over."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=environment, start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
            return Run(process.returncode, output, time.monotonic() - began)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Run(None, process.communicate()[0], time.monotonic() - began)
