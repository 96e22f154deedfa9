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
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUITE = HERE.parent
sys.path.insert(0, str(SUITE.parent / "planting"))

from planting import (CannotTry, Defect, PROJECT, Workshop, complaints, read_defects,
                      run)

DRIVER = "driver/epoll"  # below src/
TABLE = SUITE / "conformance.hpp"
RUN_SECONDS = 30  # of all tests of one sentence; far more than they need
PATIENCE_MS = "3000"


# ── The suite and its table ──────────────────────────────────────────────────────────────────

def sentence_of(defect: Defect) -> int:
    return int(defect.label)


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


def failures(suite: Path, tests: list[str]) -> list[str]:
    """Those of the tests that fail, in each world of the driver; or what ended them all."""
    wanted = ":".join(f"World/{name}/epoll_*" for name in tests)
    done = run([suite, f"--gtest_filter={wanted}"], RUN_SECONDS,
               os.environ | {"BERTH_TEST_PATIENCE_MS": PATIENCE_MS})
    if done.status is None:
        return [f"(hangs: ended after {RUN_SECONDS} s)"]
    if done.status < 0:
        return [f"(crashes: signal {-done.status})"]
    failed = re.findall(r"^\[  FAILED  \] World/([\w.]+/\w+), where", done.output, flags=re.M)
    return list(dict.fromkeys(failed))


# ── The proof ────────────────────────────────────────────────────────────────────────────────

def prove(workshop: Workshop, defects: list[Defect]) -> bool:
    table = read_table()
    useless = failures(workshop.program, [name for names in table.values() for name in names])
    wrong = check_table(table, workshop.program) + complaints(defects)
    wrong += [f"{name} fails on the driver as it is" for name in useless]
    for complaint in wrong:
        print(f"WRONG   {complaint}")
    missed = sum(not is_found(workshop, each, table[sentence_of(each)], useless)
                 for each in defects)
    print(f"{len(defects) - missed} of {len(defects)} planted defects found")
    return missed == 0 and not wrong


def is_found(workshop: Workshop, defect: Defect, tests: list[str], useless: list[str]) -> bool:
    try:
        suite = workshop.make(defect)
    except CannotTry as reason:
        print(f"BROKEN  {defect.label:>2} {defect.name}: {reason}", flush=True)
        return False
    failed = [name for name in failures(suite, tests) if name not in useless]
    verdict = "found " if failed else "MISSED"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    print(f"{verdict}  {defect.label:>2} {defect.name}"
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
        defects = [each for each in read_defects(HERE / "mutations.txt", DRIVER)
                   if not arguments.sentences or sentence_of(each) in arguments.sentences]
        with tempfile.TemporaryDirectory(prefix="berth-mutations-") as folder:
            workshop = Workshop(arguments.build.resolve(), "berth_conformance_tests", Path(folder),
                                flags=("-O0",))
            return 0 if prove(workshop, defects[:2] if arguments.quick else defects) else 1
    except CannotTry as reason:
        print(f"cannot try: {reason}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
