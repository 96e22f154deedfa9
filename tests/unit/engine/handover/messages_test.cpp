// SPDX-License-Identifier: MIT
//
// Messages: what is written reads back as the same, and nothing else is believed.

#include "engine/handover/messages.hpp"

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace berth::engine::handover {
namespace {

template <class Body>
void expect_round_trip(const Body& body) {
    const auto read = decode(encode(body));
    ASSERT_TRUE(read) << read.errno_value();
    ASSERT_TRUE(std::holds_alternative<Body>(*read));
    EXPECT_EQ(std::get<Body>(*read), body);
}

OfferedSocket some_socket() {
    return {.listener = 1,
            .shard = 2,
            .is_lent = true,
            .address = "tcp://127.0.0.1:9000",
            .asked = "tcp://127.0.0.1:0",
            .inode = 1ULL << 40U,
            .path_device = 3,
            .path_inode = 4};
}

TEST(HandoverMessages, ReadBackAsTheyWereWritten) {
    expect_round_trip(Hello{.process = 4711});
    expect_round_trip(Refused{.reason = "it is stopping"});
    expect_round_trip(Offer{.generation = 7, .is_last = false, .sockets = {some_socket(), {}}});
    expect_round_trip(Adopted{.adopted = 3, .returned = 1});
    expect_round_trip(Ready{});
    expect_round_trip(Commit{});
    expect_round_trip(Rollback{});
    expect_round_trip(Resumed{});
    expect_round_trip(Final{});
    expect_round_trip(Imported{.serial = 9, .is_taken = true});
    expect_round_trip(DrainStatus{.connections = 412});
    expect_round_trip(Bye{.outcome = "handed_over"});
}

Passenger some_passenger() {
    Passenger passenger;
    passenger.serial = 5;
    passenger.listener = 1;
    passenger.peer.address = {127, 0, 0, 1};
    passenger.peer.port = 40'000;
    passenger.peer.family = 4;
    passenger.idle_left = std::chrono::milliseconds{1'500};
    passenger.unread = Buffer::copy_of("half a li");
    passenger.state = Buffer::copy_of("who it is");
    return passenger;
}

TEST(HandoverMessages, CarryAPassengerWithItsBytesAndItsTime) {
    const Passenger sent = some_passenger();
    const auto read = decode(encode(some_passenger()));
    ASSERT_TRUE(read);
    const auto& passenger = std::get<Passenger>(*read);
    EXPECT_EQ(passenger.serial, sent.serial);
    EXPECT_EQ(passenger.listener, sent.listener);
    EXPECT_EQ(passenger.peer, sent.peer);
    EXPECT_EQ(passenger.idle_left, sent.idle_left);
    EXPECT_EQ(as_text(passenger.unread.bytes()), "half a li");
    EXPECT_EQ(as_text(passenger.state.bytes()), "who it is");
}

TEST(HandoverMessages, KeepTheDifferenceBetweenNoIdleLimitAndNoneLeft) {
    Passenger passenger;
    const auto unlimited = decode(encode(std::move(passenger)));
    passenger = {};
    passenger.idle_left = Duration{0};
    const auto spent = decode(encode(std::move(passenger)));
    EXPECT_FALSE(std::get<Passenger>(*unlimited).idle_left);
    EXPECT_EQ(std::get<Passenger>(*spent).idle_left, Duration{0});
}

TEST(HandoverMessages, AreRefusedWhereverTheyEndTooSoonOrTooLate) {
    auto bytes = encode(some_passenger());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(decode(Bytes(bytes).first(size)).errno_value(), EPROTO) << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_EQ(decode(bytes).errno_value(), EPROTO);
}

TEST(HandoverMessages, OfAnotherVersionAreToldFromNonsense) {
    auto bytes = encode(Commit{});
    bytes[2] = std::byte{kVersion + 1};
    EXPECT_EQ(decode(bytes).errno_value(), EPROTONOSUPPORT);
    bytes[0] = std::byte{'x'};
    EXPECT_EQ(decode(bytes).errno_value(), EPROTO);
}

TEST(HandoverMessages, SayNoInEveryVersion) {
    auto bytes = encode(Refused{.reason = "version 1 is too old"});
    bytes[2] = std::byte{kVersion + 1};
    const auto read = decode(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<Refused>(*read).reason, "version 1 is too old");
}

TEST(HandoverMessages, ClipAReasonThatIsLongerThanOneMayBe) {
    const auto read = decode(encode(Refused{.reason = std::string(kTextMax + 1, 'x')}));
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<Refused>(*read).reason.size(), kTextMax);
}

TEST(HandoverMessages, FitTheirBoundWithAllTheyMayCarry) {
    Offer offer;
    for (std::size_t i = 0; i < kOfferMax; ++i) {
        offer.sockets.push_back({.listener = 0,
                                 .address = std::string(kAddressMax, 'a'),
                                 .asked = std::string(kAddressMax, 'b')});
    }
    EXPECT_LE(encode(offer).size(), kMessageMax);
    Passenger passenger;
    passenger.unread = Buffer::copy_of(std::string(kPassengerMax, 'u'));
    EXPECT_LE(encode(std::move(passenger)).size(), kMessageMax);
}

}  // namespace
}  // namespace berth::engine::handover
