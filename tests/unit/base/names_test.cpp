// SPDX-License-Identifier: MIT
//
// Names of enumerators: every one has its own, and a value outside its enum does no harm.

#include <berth/engine.hpp>
#include <berth/handler.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string_view>

namespace berth {
namespace {

// How many enumerators from 0 on have a name of their own.
template <class Enum>
std::size_t names_of() {
    std::set<std::string_view> names;
    for (int value = 0; to_string(static_cast<Enum>(value)) != "unknown"; ++value) {
        EXPECT_TRUE(names.insert(to_string(static_cast<Enum>(value))).second);
    }
    return names.size();
}

TEST(Names, TellAllEnumeratorsApart) {
    EXPECT_EQ(names_of<CloseReason>(), kCloseReasons);
    EXPECT_EQ(names_of<ErrorCode>(), 1 + static_cast<std::size_t>(ErrorCode::internal));
    EXPECT_EQ(names_of<EngineState>(), 1 + static_cast<std::size_t>(EngineState::failed));
    EXPECT_EQ(names_of<StopOutcome>(), 1 + static_cast<std::size_t>(StopOutcome::handed_over));
}

TEST(Names, AreTheEnumerators) {
    EXPECT_EQ(to_string(CloseReason::outbound_overflow), "outbound_overflow");
    EXPECT_EQ(to_string(ErrorCode::address_in_use), "address_in_use");
    EXPECT_EQ(to_string(EngineState::quiescing), "quiescing");
    EXPECT_EQ(to_string(StopOutcome::port_held), "port_held");
}

}  // namespace
}  // namespace berth
