# SPDX-License-Identifier: MIT
"""tidy's own tests: a clean tree passes, and each rule finds the one breach that is planted.

Method: a small tree in a temporary folder; each test changes one file of it and names the rule,
the line and nothing else that must be reported.
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "tidy"))
sys.dont_write_bytecode = True

from budgets import functions  # noqa: E402
from checker import check  # noqa: E402

HEADER = "// SPDX-License-Identifier: MIT\n//\n// Ship: it floats.\n\n#pragma once\n\n"
SOURCE = "// SPDX-License-Identifier: MIT\n//\n// Ship: it floats.\n\n"
TEST = SOURCE + "TEST(Ship, Floats) {}\n"

CLEAN = {
    "include/berth/ship.hpp": HEADER + "#include <string>\n",
    "src/base/list.hpp": HEADER + "// using namespace std; std::endl\n",
    "src/os/calls.cpp": SOURCE + '#include "base/list.hpp"\n\n#include <sys/socket.h>\n',
    "src/driver/epoll/driver.cpp": SOURCE + "#include <sys/epoll.h>\n",
    "tests/unit/base/list_test.cpp": TEST,
    "examples/01_echo.cpp": SOURCE + "#include <berth/ship.hpp>\n",
    "examples/README.md": "# Examples\n\n- 01_echo\n\n```sh\n# a comment, no title\n```\n",
    "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n### Added\n\n- A ship.\n\n"
                    "## 0.1.0 - 2026-01-31\n",
}


class TidyTest(unittest.TestCase):
    def breaches(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in (CLEAN | changes).items():
                if text is not None:
                    place = Path(folder, path)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(text, encoding="utf-8")
            return check(Path(folder))

    def found(self, changes):
        return [(b.path, b.line, b.rule) for b in self.breaches(changes)]

    def assert_finds(self, rule, path, line, text):
        self.assertEqual(self.found({path: text}), [(path, line, rule)])

    def assert_passes(self, path, text):
        self.assertEqual(self.found({path: text}), [])


class CleanTree(TidyTest):
    def test_passes(self):
        self.assertEqual(self.found({}), [])


class Budgets(TidyTest):
    def test_line_length(self):
        self.assert_finds("line-length", "src/base/a.cpp", 5, SOURCE + "//" + "x" * 99)

    def test_line_length_counts_characters_not_bytes(self):
        self.assert_passes("src/base/a.cpp", SOURCE + "// " + "─" * 97)

    def test_file_length(self):
        self.assert_finds("file-length", "src/base/a.cpp", 501, SOURCE + "int a;\n" * 497)

    def test_a_public_header_is_shorter(self):
        self.assert_finds("file-length", "include/berth/a.hpp", 251, HEADER + "int a;\n" * 245)

    def test_function_length(self):
        body = "namespace berth {\nvoid f() {\n" + "g();\n" * 59 + "}\n}\n"
        self.assert_finds("function-length", "src/base/a.cpp", 6, SOURCE + body)

    def test_function_length_of_a_constructor_with_braced_initialisers(self):
        body = "A::A() : b_{1}, c_{2} {\n" + "g();\n" * 59 + "}\n"
        self.assert_finds("function-length", "src/base/a.cpp", 5, SOURCE + body)

    def test_a_long_class_is_no_function(self):
        body = "template <class R, class... A>\nclass F<R(A...)> {\n" + "int a();\n" * 99 + "};\n"
        self.assert_passes("src/base/a.cpp", SOURCE + body)

    def test_functions_are_measured_from_head_to_brace(self):
        code = "struct A {\n  int f()\n  {\n    return {};\n  }\n  int g() { return 1; }\n};\n"
        self.assertEqual(list(functions(code)), [(2, 5), (6, 6)])


class Headers(TidyTest):
    def test_spdx(self):
        self.assert_finds("spdx", "src/base/a.cpp", 1, "//\n" + SOURCE)

    def test_spdx_of_a_script_comes_second(self):
        self.assert_finds("spdx", "tools/a.sh", 2, "#!/bin/sh\n")

    def test_first_words(self):
        self.assert_finds("first-words", "src/base/a.cpp", 2,
                          "// SPDX-License-Identifier: MIT\n\nint a;\n")

    def test_pragma_once(self):
        self.assert_finds("pragma-once", "src/base/a.hpp", 1, SOURCE)

    def test_header_reach(self):
        many = {f"include/berth/h{n}.hpp": HEADER for n in range(10)}
        many["include/berth/h10.hpp"] = HEADER + "#include <berth/ship.hpp>\n"
        includes = "".join(f"#include <{path[8:]}>\n" for path in many)
        self.assertEqual(self.found(many | {"include/berth/all.hpp": HEADER + includes}),
                         [("include/berth/all.hpp", 1, "header-reach")])


class Layers(TidyTest):
    def test_an_include_goes_down_only(self):
        self.assert_finds("layer", "src/base/a.cpp", 5, SOURCE + '#include "os/calls.hpp"\n')

    def test_an_include_names_its_layer(self):
        self.assert_finds("layer", "src/base/a.cpp", 5, SOURCE + '#include "list.hpp"\n')

    def test_a_folder_is_a_layer(self):
        self.assert_finds("layer", "src/helpers/a.cpp", 1, SOURCE)

    def test_system_header(self):
        self.assert_finds("system-header", "src/net/a.cpp", 5, SOURCE + "#include <unistd.h>\n")

    def test_a_driver_has_its_own_kernel_header_only(self):
        self.assert_finds("system-header", "src/driver/epoll/a.cpp", 5,
                          SOURCE + "#include <sys/socket.h>\n")

    def test_third_party(self):
        self.assert_finds("third-party", "src/net/a.cpp", 5, SOURCE + "#include <fmt/core.h>\n")

    def test_public_include(self):
        self.assert_finds("public-include", "include/berth/a.hpp", 7,
                          HEADER + '#include "base/list.hpp"\n')
        self.assert_finds("public-include", "include/berth/a.hpp", 7,
                          HEADER + "#include <netinet/in.h>\n")


class Words(TidyTest):
    def test_each_banned_word(self):
        for rule, path, code in [
            ("shared-ptr", "src/net/a.cpp", "std::shared_ptr<int> a;"),
            ("sleep", "tests/unit/a_test.cpp", "std::this_thread::sleep_for(a);"),
            ("sleep", "tests/support/a.cpp", "usleep(1);"),
            ("printf", "src/net/a.cpp", "std::printf(a);"),
            ("printf", "src/net/a.cpp", "std::cerr << a;"),
            ("std-function", "src/net/a.cpp", "std::function<void()> a;"),
            ("endl", "apps/berth/a.cpp", "out << std::endl;"),
            ("preprocessor-if", "src/net/a.cpp", "#ifdef NDEBUG"),
            ("thread", "src/net/a.cpp", "std::jthread a;"),
            ("lock", "src/net/a.cpp", "std::mutex a;"),
        ]:
            with self.subTest(rule, code=code):
                self.assert_finds(rule, path, 5, SOURCE + code + "\n")

    def test_using_namespace(self):
        self.assert_finds("using-namespace", "src/net/a.hpp", 7, HEADER + "using namespace std;\n")

    def test_what_only_looks_like_a_banned_word(self):
        for code in ["std::snprintf(a);", 'a = "std::endl";', "std::thread::id a;",
                     "int a = 1'000; // std::mutex, '", 'a = R"(std::function)";']:
            with self.subTest(code):
                self.assert_passes("src/net/a.cpp", SOURCE + code + "\n")

    def test_todo(self):
        self.assert_finds("todo", "src/net/a.cpp", 5, SOURCE + "// TODO: swim\n")
        self.assert_passes("src/net/a.cpp", SOURCE + "// TODO(#12): swim\n")

    def test_literal_port(self):
        path = "tests/integration/a_test.cpp"
        self.assert_finds("literal-port", path, 5, SOURCE + 'start("tcp://127.0.0.1:9000");\n')
        self.assert_passes(path, SOURCE + 'start("tcp://127.0.0.1:0");\n')


class Project(TidyTest):
    def test_one_h1(self):
        self.assert_finds("one-h1", "docs/a.md", 3, "# One\n\n# Two\n")
        self.assert_finds("one-h1", "docs/a.md", 1, "Nothing\n")

    def test_changelog(self):
        self.assert_finds("changelog", "CHANGELOG.md", 5,
                          "# Changelog\n\n## Unreleased\n\n### Improved\n")
        self.assert_finds("changelog", "CHANGELOG.md", 5,
                          "# Changelog\n\n## Unreleased\n\n## 0.1\n")
        self.assert_finds("changelog", "CHANGELOG.md", 3, "# Changelog\n\n## 0.1.0 - 2026-01-31\n")

    def test_unbuilt_source(self):
        self.assert_finds("unbuilt-source", "extra/a.cpp", 1, SOURCE)

    def test_unregistered_test(self):
        self.assert_finds("unregistered-test", "tests/support/a_test.cpp", 1, TEST)
        self.assert_finds("unregistered-test", "tests/unit/a.cpp", 1, TEST)

    def test_unlisted_example(self):
        self.assert_finds("unlisted-example", "examples/02_chat.cpp", 1, SOURCE)


class Exceptions(TidyTest):
    PATH = "tools/tidy/exceptions.txt"
    BREACH = {"src/net/a.cpp": SOURCE + "std::mutex a;\n"}

    def test_a_granted_breach_passes(self):
        self.assertEqual(self.found(self.BREACH | {self.PATH: "lock src/net/a.cpp: why\n"}), [])

    def test_an_exception_that_nobody_needs_is_a_breach(self):
        self.assertEqual(self.found({self.PATH: "lock src/net/a.cpp: why\n"}),
                         [(self.PATH, 1, "exception")])

    def test_an_exception_has_a_reason(self):
        self.assertEqual(self.found(self.BREACH | {self.PATH: "lock src/net/a.cpp:\n"}),
                         [(self.PATH, 1, "exception")])


if __name__ == "__main__":
    unittest.main()
