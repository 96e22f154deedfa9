// SPDX-License-Identifier: MIT
//
// eventually: patience from the environment, and the pause.

#include "support/eventually.hpp"

#include <poll.h>

#include <cstdlib>

namespace berth::test {

std::chrono::milliseconds patience() {
    static const std::chrono::milliseconds value = [] {
        const char* text = std::getenv("BERTH_TEST_PATIENCE_MS");
        const long given = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
        return std::chrono::milliseconds{given > 0 ? given : 10'000};
    }();
    return value;
}

void let_others_run() { ::poll(nullptr, 0, 1); }

}  // namespace berth::test
