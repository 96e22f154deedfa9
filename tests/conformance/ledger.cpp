// SPDX-License-Identifier: MIT
//
// Ledger: the rules that every completion obeys.

#include "conformance/ledger.hpp"

#include <gtest/gtest.h>

namespace berth::conformance {

bool Ledger::is(const driver::Source& source, unsigned operation) const {
    const auto found = flags_.find(&source);
    return found != flags_.end() && (found->second & operation) != 0;
}

void Ledger::finish(const driver::Source& source, unsigned operation) {
    const auto found = flags_.find(&source);
    if (found != flags_.end()) found->second &= ~operation;
}

void Ledger::expect(const char* completion, const driver::Source& source, unsigned needed,
                    unsigned barred) const {
    expect_place(completion);
    EXPECT_TRUE(is(source, needed)) << completion << " answers nothing that is in flight (2)";
    EXPECT_FALSE(is(source, barred & kClosing)) << completion << " after close (2)";
    EXPECT_FALSE(is(source, barred & kPaused)) << completion << " while paused (11)";
}

void Ledger::expect_place(const char* completion) const {
    EXPECT_EQ(place, Place::in_poll) << completion << " from inside a call other than poll (3)";
}

}  // namespace berth::conformance
