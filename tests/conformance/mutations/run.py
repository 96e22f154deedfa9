#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# run.py: proves that the conformance suite would notice.
#
# Plants each defect of mutations.txt in a copy of the epoll driver, builds the suite with it, and
# runs the tests that conformance.hpp lists for the sentence. A defect is found when one of them
# fails, crashes or hangs. A test that fails on the driver as it is proves nothing.
#
#     cmake --build --preset dev --target berth_conformance_tests
#     tests/conformance/mutations/run.py --build build/dev           # all of them
#     tests/conformance/mutations/run.py --build build/dev --quick   # the first two
#
# Exit status: 0 all found; 1 one was missed, or the table is wrong; 2 it could not be tried.

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SUITE = HERE.parent
PROJECT = SUITE.parent.parent
DRIVER = Path("driver/epoll")  # below src/
TABLE = SUITE / "conformance.hpp"
RUN_SECONDS = 30  # of all tests of one sentence; far more than they need
PATIENCE_MS = "1000"


class Mutation(NamedTuple):
    sentence: int
    name: str
    file: str
    search: str
    replacement: str


class CannotTry(Exception):
    """The proof itself is broken: nothing is said about the suite."""


# ── What is to be done ───────────────────────────────────────────────────────────────────────

def read_mutations() -> list[Mutation]:
    text = re.sub(r"^#.*\n", "", (HERE / "mutations.txt").read_text(), flags=re.M)
    return [parse_mutation(block) for block in re.split(r"^(?=\[)", text, flags=re.M)[1:]]


def parse_mutation(block: str) -> Mutation:
    head, *lines = block.rstrip().split("\n")
    matched = re.fullmatch(r"\[(\d+)\] (\S+) +(\S+)", head)
    if not matched:
        raise CannotTry(f"mutations.txt: not a heading: {head}")
    side = {sign: "\n".join(line[2:] for line in lines if line.startswith(sign)) for sign in "-+"}
    return Mutation(int(matched[1]), matched[2], matched[3], side["-"], side["+"])


def read_table() -> dict[int, list[str]]:
    """Sentence -> names of its tests, from the comment on top of conformance.hpp."""
    table: dict[int, list[str]] = {}
    for line in TABLE.read_text().splitlines():
        row = re.fullmatch(r"// {2,6}(\d+)?((?: +\w+\.\w+)+)", line)
        if not row:
            continue
        if row[1]:
            sentence = int(row[1])
        table.setdefault(sentence, []).extend(row[2].split())
    return table


def check_table(table: dict[int, list[str]], suite: Path) -> list[str]:
    listed = {name for names in table.values() for name in names}
    existing = tests_of(suite)
    return ([f"{name} is in the table of conformance.hpp and nowhere else"
             for name in sorted(listed - existing)] +
            [f"{name} is missing in the table of conformance.hpp"
             for name in sorted(existing - listed)])


def tests_of(suite: Path) -> set[str]:
    output = subprocess.run([suite, "--gtest_list_tests"], capture_output=True, text=True,
                            check=True).stdout
    names, group = set(), ""
    for line in output.splitlines():
        if line.startswith("  "):
            names.add(group + line.split("/")[0].strip())
        else:
            group = line.rsplit("/", 1)[-1].strip()
    return names


# ── The suite, with a changed driver ─────────────────────────────────────────────────────────

class Workshop:
    """Builds variants of the suite from the objects of a finished CMake build."""

    def __init__(self, build: Path, folder: Path):
        database = build / "compile_commands.json"
        if not database.exists():
            raise CannotTry(f"{database} is missing: configure with "
                            "CMAKE_EXPORT_COMPILE_COMMANDS and build berth_conformance_tests")
        self.commands = {Path(entry["file"]): entry for entry in json.loads(database.read_text())}
        self.build = build
        self.folder = folder

    def make(self, mutation: Mutation | None) -> Path:
        shutil.rmtree(self.folder / "src", ignore_errors=True)
        copy = self.folder / "src" / DRIVER
        shutil.copytree(PROJECT / "src" / DRIVER, copy)
        if mutation:
            plant(mutation, copy / mutation.file)
        objects = [self.compile(SUITE / "worlds.cpp", SUITE / "worlds.cpp")]
        for source in sorted((PROJECT / "src" / DRIVER).glob("*.cpp")):
            objects.append(self.compile(source, copy / source.name))
        return self.link(objects)

    def compile(self, known_as: Path, source: Path) -> Path:
        """As CMake would, but the copy's headers come first, and a warning is no obstacle."""
        entry = self.commands.get(known_as)
        if not entry:
            raise CannotTry(f"{known_as} is not part of {self.build}")
        command = shlex.split(entry["command"])
        made = self.folder / (source.stem + ".o")
        command[command.index("-o") + 1] = str(made)
        command[command.index("-c") + 1] = str(source)
        command += ["-I", str(self.folder / "src"), "-O0", "-g0", "-w", "-Wno-error"]
        first_include = next(at for at, word in enumerate(command) if word.startswith("-I"))
        command.insert(first_include, f"-I{self.folder / 'src'}")
        self.run(command, entry["directory"])
        return made

    def link(self, objects: list[Path]) -> Path:
        """The changed objects stand before the archive, which then keeps its own back."""
        suite = self.folder / "suite"
        compiled = {path.name for path in objects}
        others = [path for path in self.build.rglob("berth_conformance_tests.dir/**/*.o")
                  if path.name.removesuffix(".cpp.o") + ".o" not in compiled]
        archives = [next(self.build.rglob(f"lib{name}.a"))
                    for name in ("berth_test_support", "berth_internals")]
        worlds = self.commands[SUITE / "worlds.cpp"]["command"]
        compiler = [word for word in shlex.split(worlds)
                    if not word.endswith("ccache")][0]
        flags = [word for word in shlex.split(worlds) if word.startswith("-fsanitize")]
        self.run([compiler, *flags, "-o", str(suite), *map(str, objects), *map(str, others),
                  *map(str, archives), "-lgmock_main", "-lgmock", "-lgtest", "-pthread"],
                 str(self.folder))
        return suite

    @staticmethod
    def run(command: list[str], directory: str) -> None:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotTry(f"{shlex.join(command)}\n{done.stderr}")


def plant(mutation: Mutation, file: Path) -> None:
    file.write_text(file.read_text().replace(mutation.search, mutation.replacement))


def check_mutations(mutations: list[Mutation]) -> list[str]:
    """The driver's text changes, and then its defects must follow."""
    counts = [(each, (PROJECT / "src" / DRIVER / each.file).read_text().count(each.search))
              for each in mutations]
    return [f"{each.name}: its text is {count} times in {each.file}, not once"
            for each, count in counts if count != 1]


def failures(suite: Path, tests: list[str]) -> list[str]:
    """Those of the tests that fail, each as often as there are worlds; or what ended them all."""
    wanted = ":".join(f"World/{name}/*" for name in tests)
    environment = os.environ | {"BERTH_TEST_PATIENCE_MS": PATIENCE_MS}
    try:
        done = subprocess.run([suite, f"--gtest_filter={wanted}"], env=environment,
                              capture_output=True, text=True, errors="replace",
                              timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return [f"(hangs: ended after {RUN_SECONDS} s)"]
    if done.returncode < 0:
        return [f"(crashes: signal {-done.returncode})"]
    failed = re.findall(r"^\[  FAILED  \] World/([\w.]+/\w+), where", done.stdout, flags=re.M)
    return list(dict.fromkeys(failed))


# ── The proof ────────────────────────────────────────────────────────────────────────────────

def prove(workshop: Workshop, mutations: list[Mutation]) -> bool:
    table = read_table()
    unchanged = workshop.make(None)
    useless = failures(unchanged, [name for names in table.values() for name in names])
    complaints = check_table(table, unchanged) + check_mutations(mutations)
    complaints += [f"{name} fails on the driver as it is" for name in useless]
    for complaint in complaints:
        print(f"WRONG   {complaint}")
    missed = sum(not is_found(workshop, each, table[each.sentence], useless)
                 for each in mutations)
    print(f"{len(mutations) - missed} of {len(mutations)} planted defects found")
    return missed == 0 and not complaints


def is_found(workshop: Workshop, mutation: Mutation, tests: list[str],
             useless: list[str]) -> bool:
    try:
        suite = workshop.make(mutation)
    except CannotTry as reason:
        print(f"BROKEN  {mutation.sentence:2} {mutation.name}: {reason}", flush=True)
        return False
    failed = [name for name in failures(suite, tests) if name not in useless]
    verdict = "found " if failed else "MISSED"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    print(f"{verdict}  {mutation.sentence:2} {mutation.name}"
          + (f": {failed[0]}{more}" if failed else ""), flush=True)
    return bool(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description="Plants defects in the epoll driver; the "
                                     "conformance suite must find each.")
    parser.add_argument("--build", type=Path, default=PROJECT / "build/dev",
                        help="a CMake build with berth_conformance_tests built")
    parser.add_argument("--quick", action="store_true", help="two defects only")
    parser.add_argument("--sentences", type=int, nargs="*", help="those of these sentences only")
    arguments = parser.parse_args()
    try:
        mutations = [each for each in read_mutations()
                     if not arguments.sentences or each.sentence in arguments.sentences]
        with tempfile.TemporaryDirectory(prefix="berth-mutations-") as folder:
            workshop = Workshop(arguments.build.resolve(), Path(folder))
            return 0 if prove(workshop, mutations[:2] if arguments.quick else mutations) else 1
    except CannotTry as reason:
        print(f"cannot try: {reason}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
