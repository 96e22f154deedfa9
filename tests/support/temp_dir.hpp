// SPDX-License-Identifier: MIT
//
// TempDir: a fresh directory for one test, gone with everything in it afterwards.
//
// Lifetime:  the directory lives as long as the object.
// Errors:    throws std::system_error when none can be made; the test fails with the reason.

#pragma once

#include <filesystem>
#include <string>

namespace berth::test {

class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::filesystem::path& path() const { return path_; }
    // The path of `name` inside; nothing is created.
    std::string file(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace berth::test
