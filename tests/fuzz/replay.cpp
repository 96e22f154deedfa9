// SPDX-License-Identifier: MIT
//
// replay: runs a target over files, or all files of folders, without a fuzzer.
//
// Each line that it prints is the command that repeats what it does next; after a crash the last
// one counts.

#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& path) {
    if (!fs::is_directory(path)) return {path};
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    file.exceptions(std::ios::badbit | std::ios::failbit);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    std::size_t replayed = 0;
    for (const char* argument : arguments.subspan(1)) {
        for (const fs::path& file : files_of(argument)) {
            std::cerr << arguments.front() << ' ' << file.string() << '\n';
            berth::fuzz::try_input(berth::as_bytes(bytes_of(file)));
            ++replayed;
        }
    }
    std::cerr << replayed << " inputs\n";
    return replayed > 0 ? 0 : 2;
}
