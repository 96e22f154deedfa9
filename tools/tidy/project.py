# SPDX-License-Identifier: MIT
"""project: that nothing in the tree is forgotten, and that its pages keep their form."""

import re

TEST_SUITES = ("tests/unit", "tests/conformance", "tests/integration", "tests/lifecycle",
               "tests/sim", "tests/differential", "tests/faults", "tests/kernel", "tests/cares")
TEST_PARTS = TEST_SUITES + ("tests/support", "tests/consumer", "tests/cycles", "tests/fuzz")
BUILT = ("src", "apps/berth", "cares", "examples", "bench") + TEST_PARTS
TEST_MACRO = re.compile(r"^(TEST|TEST_F|TEST_P|TYPED_TEST)\(", re.MULTILINE)

RELEASE = re.compile(r"^## \[?(Unreleased|\d+\.\d+\.\d+\]? - \d{4}-\d{2}-\d{2})\]?$")
CHANGES = {"Breaking", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def one_h1(file):
    if not file.path.endswith(".md"):
        return
    titles = [number for number, line in prose(file) if line.startswith("# ")]
    if len(titles) != 1:
        yield file.breach(titles[1] if titles else 1, "one-h1", f"{len(titles)} titles",
                          "one page, one subject, one line that begins with '# '")


def prose(file):
    """The numbered lines of a page outside its code blocks."""
    fenced = False
    for number, line in enumerate(file.lines, start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def changelog(tree):
    file = tree.find("CHANGELOG.md")
    if not file:
        return
    releases = [(n, line) for n, line in prose(file) if line.startswith("## ")]
    if not releases or "Unreleased" not in releases[0][1]:
        yield file.breach(releases[0][0] if releases else 1, "changelog",
                          "the first release is not 'Unreleased'", "## Unreleased")
    for number, line in releases:
        if not RELEASE.match(line):
            yield file.breach(number, "changelog", f"'{line}' is no release",
                              "## X.Y.Z - YYYY-MM-DD")
    for number, line in prose(file):
        if line.startswith("### ") and line[4:].strip() not in CHANGES:
            yield file.breach(number, "changelog", f"'{line[4:]}' is no kind of change",
                              "one of " + ", ".join(sorted(CHANGES)))


def unbuilt_source(tree):
    for file in tree.files:
        if file.path.endswith(".cpp") and not file.inside(*BUILT):
            yield file.breach(1, "unbuilt-source", "no CMakeLists.txt globs this folder",
                              "move it, or glob its folder")


def unregistered_test(tree):
    for file in tree.inside("tests"):
        if not file.path.endswith(".cpp"):
            continue
        if file.path.endswith("_test.cpp") and not file.inside(*TEST_SUITES):
            yield file.breach(1, "unregistered-test", "a test that no suite runs",
                              "move it below one of " + " ".join(TEST_SUITES))
        elif TEST_MACRO.search(file.code) and not file.path.endswith("_test.cpp"):
            yield file.breach(1, "unregistered-test", "tests in a file that is not named so",
                              "name it …_test.cpp")


def unlisted_example(tree):
    pages = [tree.find(path) for path in ("README.md", "examples/README.md")]
    listed = "\n".join(page.text for page in pages if page)
    for file in tree.inside("examples"):
        name = file.path.rpartition("/")[2].removesuffix(".cpp")
        if file.path.endswith(".cpp") and name not in listed:
            yield file.breach(1, "unlisted-example", f"{name} is on no page",
                              "list it in examples/README.md")
