// SPDX-License-Identifier: MIT
//
// TempDir: mkdtemp(3) in the system's temporary folder.

#include "support/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace berth::test {

TempDir::TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "berth-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
    }
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;  // a leftover directory is no reason to fail a test
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace berth::test
