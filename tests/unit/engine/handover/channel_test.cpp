// SPDX-License-Identifier: MIT
//
// Channel: messages and descriptors arrive whole, and a broken one leaks nothing.

#include "engine/handover/channel.hpp"

#include "driver/kernel_system.hpp"

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <variant>

namespace berth::engine::handover {
namespace {

class Channels : public testing::Test {
protected:
    void SetUp() override {
        const auto pair = system.message_pair();
        ASSERT_TRUE(pair);
        ours.open(pair->first);
        theirs.open(pair->second);
    }
    driver::Descriptor some_descriptor() { return *system.open_reserve(); }

    driver::System& system = driver::kernel_system();
    Channel ours{system};
    Channel theirs{system};
};

TEST_F(Channels, CarryMessagesInOrder) {
    ASSERT_TRUE(ours.send(Ready{}));
    ASSERT_TRUE(ours.send(DrainStatus{.connections = 3}));
    EXPECT_TRUE(std::holds_alternative<Ready>(theirs.receive()->message));
    EXPECT_EQ(std::get<DrainStatus>(theirs.receive()->message).connections, 3U);
    EXPECT_EQ(theirs.receive().errno_value(), EAGAIN);
}

TEST_F(Channels, HandDescriptorsOverAndCloseWhatNobodyTakes) {
    const std::size_t before = system.descriptors_open();
    const std::array sent{some_descriptor(), some_descriptor()};
    ASSERT_TRUE(ours.send(Ready{}, sent));
    {
        auto arrival = theirs.receive();
        ASSERT_TRUE(arrival);
        ASSERT_EQ(arrival->attached.size(), 2U);
        system.close(arrival->attached.take(0));
    }
    for (const auto descriptor : sent) system.close(descriptor);
    EXPECT_EQ(system.descriptors_open(), before);
}

TEST_F(Channels, LearnThatTheOtherEndIsGone) {
    ours.close();
    EXPECT_EQ(theirs.receive().errno_value(), EPIPE);
    EXPECT_EQ(theirs.send(Ready{}).errno_value(), EPIPE);
}

TEST_F(Channels, HearARefusalFromOneWhoNeverListened) {
    ASSERT_TRUE(theirs.send(Hello{.process = 1}));
    ASSERT_TRUE(ours.send(Refused{.reason = "not now"}));
    ours.close();  // with the HELLO unread
    const auto arrival = theirs.receive();
    ASSERT_TRUE(arrival) << arrival.errno_value();
    EXPECT_EQ(std::get<Refused>(arrival->message).reason, "not now");
    EXPECT_EQ(theirs.receive().errno_value(), EPIPE);
}

TEST_F(Channels, CloseWhatCameWithNonsense) {
    const std::size_t before = system.descriptors_open();
    const auto sent = some_descriptor();
    ASSERT_TRUE(system.send_message(ours.descriptor(), as_bytes("nonsense"), {&sent, 1}));
    EXPECT_EQ(theirs.receive().errno_value(), EPROTO);
    system.close(sent);
    EXPECT_EQ(system.descriptors_open(), before);
}

}  // namespace
}  // namespace berth::engine::handover
