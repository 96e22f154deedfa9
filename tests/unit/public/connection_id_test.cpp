// SPDX-License-Identifier: MIT
//
// ConnectionId: packs loop, slot and generation without loss; the default names nothing.

#include <berth/connection_id.hpp>

#include <gtest/gtest.h>

#include <unordered_set>

namespace berth {
namespace {

TEST(ConnectionId, NamesNothingByDefault) {
    EXPECT_FALSE(ConnectionId());
    EXPECT_EQ(ConnectionId().value(), 0u);
}

TEST(ConnectionId, NamesSomethingFromItsFirstGenerationOn) { EXPECT_TRUE(ConnectionId(0, 0, 1)); }

TEST(ConnectionId, KeepsItsParts) {
    constexpr ConnectionId kId(7, 0x12'3456, 0x89ab'cdef);
    static_assert(kId.loop() == 7 && kId.slot() == 0x12'3456 && kId.generation() == 0x89ab'cdef);
    static_assert(kId.value() == 0x0712'3456'89ab'cdef);
}

TEST(ConnectionId, KeepsTheGreatestParts) {
    constexpr ConnectionId kId(255, 0xff'ffff, 0xffff'ffff);
    EXPECT_EQ(kId.loop(), 255u);
    EXPECT_EQ(kId.slot(), 0xff'ffffu);
    EXPECT_EQ(kId.generation(), 0xffff'ffffu);
}

TEST(ConnectionId, ComesBackFromItsValue) {
    constexpr ConnectionId kId(3, 4, 5);
    EXPECT_EQ(ConnectionId::from_value(kId.value()), kId);
}

TEST(ConnectionId, DiffersInEveryPart) {
    const std::unordered_set<ConnectionId> ids{{1, 1, 1}, {2, 1, 1}, {1, 2, 1}, {1, 1, 2}};
    EXPECT_EQ(ids.size(), 4u);
    EXPECT_TRUE(ids.contains(ConnectionId(1, 2, 1)));
    EXPECT_LT(ConnectionId(1, 1, 2), ConnectionId(1, 2, 1));
}

}  // namespace
}  // namespace berth
