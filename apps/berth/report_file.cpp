// SPDX-License-Identifier: MIT
//
// Report file: a temporary neighbour, then rename(2).

#include "report_file.hpp"

#include <berth/report.hpp>

#include <fmt/core.h>

#include <expected>
#include <filesystem>
#include <fstream>
#include <ios>
#include <ostream>
#include <random>
#include <string>
#include <system_error>

namespace berth::app {

namespace fs = std::filesystem;

Written check_report_place(const fs::path& file) {
    std::error_code ignored;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
    if (!fs::is_directory(folder, ignored)) {
        return std::unexpected(
            fmt::format("there is no folder '{}'; make it first", folder.native()));
    }
    if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
        return std::unexpected(fmt::format(
            "'{}' is not a regular file, and only such a one can be replaced atomically",
            file.native()));
    }
    return {};
}

Written write_report(const StopReport& report, const fs::path& file) {
    // A symbolic link stays one: what it points to is replaced.
    std::error_code error;
    const fs::path target = fs::is_symlink(file, error) ? fs::canonical(file, error) : file;
    fs::path part = target;
    part += fmt::format(".{:08x}.part", std::random_device{}());

    std::ofstream stream(part, std::ios::binary);
    stream << report.to_json() << '\n' << std::flush;
    const bool is_whole = stream.good();
    stream.close();
    if (is_whole) fs::rename(part, target, error);
    if (is_whole && !error) return {};

    const std::string cause = error ? error.message() : "it could not be written";
    fs::remove(part, error);
    return std::unexpected(fmt::format("report '{}': {}", file.native(), cause));
}

}  // namespace berth::app
