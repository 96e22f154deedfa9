// SPDX-License-Identifier: MIT
//
// The end of a process whose promise was broken.

#include "base/assert.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace berth::base {

// Puts pieces together on the spot: after a broken promise the heap is not to be trusted.
void rule_broken(const char* rule, std::source_location where) {
    std::array<char, 16> line{};
    std::to_chars(line.data(), line.data() + line.size() - 1, where.line());
    for (const char* piece : {"berth: rule broken: ", rule, " (", where.file_name(), ":",
                              static_cast<const char*>(line.data()), ")\n"}) {
        std::fputs(piece, stderr);
    }
    std::abort();
}

}  // namespace berth::base
