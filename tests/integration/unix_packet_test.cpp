// SPDX-License-Identifier: MIT
//
// unixpacket: connections whose messages keep their bounds, and that live and end as streams do.

#include "integration/support_messages.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

namespace berth::test {
namespace {

class Packets : public SpeakingMessages {
protected:
    void serve() { start(address_of("unixpacket")); }
    RawMessages peer() { return RawMessages::connect(engine().endpoints()[0]); }
};

TEST_P(Packets, EachIsOneCallback) {
    listen_to();
    serve();
    RawMessages peer = this->peer();
    const std::vector<std::string> sent{"one", "two", std::string(60'000, 'x'), "four"};
    for (const std::string& each : sent) peer.send(each);
    ASSERT_TRUE(has_heard(4));
    EXPECT_EQ(heard(), sent);
}

TEST_P(Packets, EachWriteIsOne) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.write("one"), WriteStatus::queued);
        EXPECT_EQ(peer.write(Buffer::copy_of("two")), WriteStatus::queued);
        EXPECT_EQ(peer.write(""), WriteStatus::queued);
        EXPECT_EQ(peer.write(pattern(100'000)), WriteStatus::queued);
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    EXPECT_EQ(peer.read().bytes, "one");
    EXPECT_EQ(peer.read().bytes, "two");
    EXPECT_EQ(peer.read().bytes, pattern(100'000)) << "an empty one is no packet";
}

TEST_P(Packets, TheRestOfOneIsDroppedAndCounted) {
    listen_to(2);
    serve();
    RawMessages peer = this->peer();
    peer.send("long");
    peer.send("er");
    ASSERT_TRUE(has_heard(2));
    EXPECT_EQ(heard(), (std::vector<std::string>{"long", "er"}));
    EXPECT_EQ(engine().snapshot().datagrams.unread, 1U);
}

TEST_P(Packets, AreServedOverAnAbstractName) {
    script.traffic = echo;
    start("unixpacket:@" + dir().path().filename().string());
    RawMessages peer = this->peer();
    peer.send("hello");
    EXPECT_EQ(peer.read().bytes, "hello");
}

TEST_P(Packets, TooLongOnesAreRefusedAndNothingCloses) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.write(pattern(4U << 20U)), WriteStatus::too_long);
        EXPECT_TRUE(peer.is_open());
        EXPECT_EQ(peer.counters().bytes_written, 0U);
        EXPECT_TRUE(peer.set_send_buffer(400'000));
        peer.write("short");
        return Action::none;
    };
    serve();
    EXPECT_EQ(peer().read().bytes, "short");
}

TEST_P(Packets, TooLongOnesAreToldFromThoseThatWait) {
    std::atomic<bool> is_refused = false;
    script.open = [&](Connection& peer) {
        while (peer.unsent() == 0) peer.write(pattern(10'000));
        is_refused = peer.write(pattern(4U << 20U)) == WriteStatus::too_long;
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    EXPECT_TRUE(eventually([&] { return is_refused.load(); }));
    EXPECT_EQ(peer.read().bytes, pattern(10'000));
}

TEST_P(Packets, OneThatIsLongerThanItMayBeClosesTheConnection) {
    options.packet_max = 1000;
    listen_to();
    serve();
    RawMessages peer = this->peer();
    peer.send(std::string(1000, 'x'));
    peer.send(std::string(1001, 'x'));
    EXPECT_EQ(closed(), CloseReason::inbound_overflow);
    EXPECT_EQ(heard().size(), 1U);
}

// Whole and in order, although the kernel takes only some at a time.
TEST_P(Packets, WaitForASlowPeerAndKeepTheirBounds) {
    constexpr std::size_t kCount = 300;
    std::atomic<int> writable = 0;
    options.output_high = 100'000;
    options.output_low = 20'000;
    script.open = [](Connection& peer) {
        bool was_over_high = false;
        for (std::size_t size = 1; size <= kCount; ++size) {
            was_over_high |= peer.write(pattern(size * 10)) == WriteStatus::over_high;
        }
        EXPECT_TRUE(was_over_high);
        EXPECT_GT(peer.unsent(), 0U);
        return Action::none;
    };
    script.writable = [&](Connection&) { ++writable; };
    serve();
    RawMessages peer = this->peer();
    opened();
    for (std::size_t size = 1; size <= kCount; ++size) {
        ASSERT_EQ(peer.read().bytes, pattern(size * 10));
    }
    EXPECT_TRUE(eventually([&] { return writable == 1; }));
    EXPECT_EQ(engine().snapshot().outbound_bytes, 0U);
}

TEST_P(Packets, APeerThatDoesNotReadIsNotRead) {
    options.output_high = 50'000;
    options.output_low = 10'000;
    script.traffic = echo;
    serve();
    RawMessages peer = this->peer();
    std::size_t sent = 0;
    ASSERT_TRUE(eventually([&] {
        for (int again = 0; again < 100; ++again) sent += peer.send_now(std::string(5000, 'x'));
        settle();
        return !peer.send_now(std::string(5000, 'x')) && engine().snapshot().outbound_bytes > 0;
    }));
    EXPECT_LT(engine().snapshot().outbound_bytes, 500'000U);
    for (std::size_t back = 0; back < sent; ++back) ASSERT_EQ(peer.read().bytes.size(), 5000U);
}

TEST_P(Packets, CompletionsTellWhenTheKernelHasThem) {
    serve();
    RawMessages peer = this->peer();
    const ConnectionId id = opened();
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().write(id, Buffer::copy_of("hello"), std::move(done));
              }),
              Delivery::written);
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().write(id, Buffer::adopt(pattern(4U << 20U)), std::move(done));
              }),
              Delivery::stale)
        << "too long";
    EXPECT_EQ(peer.read().bytes, "hello");
}

TEST_P(Packets, TheEndComesAfterTheLast) {
    script.end = [this](Connection& peer) {
        note("end");
        peer.write("goodbye");
        return Action::close;
    };
    listen_to();
    serve();
    RawMessages peer = this->peer();
    peer.send("last");
    peer.end();
    EXPECT_EQ(peer.read().bytes, "goodbye");
    EXPECT_EQ(peer.read().bytes, "");
    EXPECT_EQ(closed(), CloseReason::peer_end);
    EXPECT_EQ(heard(), (std::vector<std::string>{"last", "end"}));
}

TEST_P(Packets, CanEndOneHalf) {
    script.open = [](Connection& peer) { return peer.end(), Action::none; };
    listen_to();
    serve();
    RawMessages peer = this->peer();
    EXPECT_EQ(peer.read().bytes, "");
    peer.send("still heard");
    ASSERT_TRUE(has_heard(1));
    peer.close();
    closed();
}

// Packets that came before the reset are heard, although the kernel tells of it first.
TEST_P(Packets, AResetComesAfterTheLast) {
    Gate sent;
    script.open = [&](Connection& peer) {
        peer.write("unread");
        EXPECT_TRUE(sent.pass());
        return Action::none;
    };
    listen_to();
    serve();
    RawMessages peer = this->peer();
    peer.send("last");
    ASSERT_TRUE(eventually([&] { return script.count("on_open") == 1; }));
    ASSERT_TRUE(eventually([&] {
        int waiting = 0;
        return ::ioctl(peer.descriptor(), FIONREAD, &waiting) == 0 && waiting > 0;
    }));
    peer.close();
    sent.open();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    EXPECT_EQ(heard(), std::vector<std::string>{"last"});
}

TEST_P(Packets, WaitWhileReadingIsPaused) {
    listen_to();
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    serve();
    RawMessages peer = this->peer();
    const ConnectionId id = opened();
    for (const char* text : {"one", "two", "three"}) peer.send(text);
    settle();
    EXPECT_TRUE(heard().empty());
    engine().post(id, [](Connection& ours) { ours.resume_read(); });
    ASSERT_TRUE(has_heard(3));
    EXPECT_EQ(heard(), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_P(Packets, PausingInsideACallbackLosesNone) {
    script.traffic = [this](Connection& peer) {
        note(as_text(peer.next()));
        peer.pause_read();
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    for (const char* text : {"one", "two", "three"}) peer.send(text);
    const ConnectionId id = opened();
    for (std::size_t count = 1; count <= 3; ++count) {
        ASSERT_TRUE(has_heard(count));
        settle();
        EXPECT_EQ(heard().size(), count);
        engine().post(id, [](Connection& ours) { ours.resume_read(); });
    }
}

TEST_P(Packets, ABudgetLeavesTheRestToTheNextIteration) {
    options.read_budget = 1000;
    listen_to();
    serve();
    RawMessages peer = this->peer();
    for (int count = 0; count < 50; ++count) peer.send(std::string(900, 'x'));
    EXPECT_TRUE(has_heard(50));
}

TEST_P(Packets, AreDialled) {
    listen_to();
    script.open = [](Connection& peer) {
        const bool is_dialled = peer.listener_index() == Connection::kNoListener;
        peer.write(is_dialled ? "from the client" : "from the server");
        EXPECT_EQ(peer.peer_endpoint().scheme(), Scheme::unix_packet);
        EXPECT_EQ(peer.local_endpoint().scheme(), Scheme::unix_packet);
        EXPECT_TRUE(peer.peer_credentials());
        return Action::none;
    };
    serve();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(engine().endpoints()[0])); });
    ASSERT_TRUE(has_heard(2));
    auto both = heard();
    std::ranges::sort(both);
    EXPECT_EQ(both, (std::vector<std::string>{"from the client", "from the server"}));
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Packets, AreSpreadOverTheLoops) {
    options.loops = 3;
    script.traffic = [](Connection& peer) {
        peer.write(std::to_string(peer.loop().index()));
        peer.discard();
        return Action::none;
    };
    serve();
    std::vector<RawMessages> peers;
    std::string loops;
    for (int count = 0; count < 6; ++count) {
        peers.push_back(peer());
        peers.back().send("where?");
        loops += peers.back().read().bytes;
    }
    std::ranges::sort(loops);
    EXPECT_EQ(loops, "001122");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Packets, DiallingNobodyFailsOnce) {
    serve();
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.connect(*Endpoint::parse(address_of("unixpacket", "nobody"))));
    });
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
    EXPECT_EQ(script.count("on_open"), 0U);
}

TEST_P(Packets, OneOfAnotherTypeCannotConnect) {
    serve();
    on_loop(
        [&](EventLoop& loop) { ASSERT_TRUE(loop.connect(*Endpoint::parse(address_of("unix")))); });
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
}

TEST_P(Packets, AStopAnswersWhatHadArrived) {
    script.traffic = echo;
    serve();
    RawMessages peer = this->peer();
    opened();
    for (int count = 0; count < 20; ++count) peer.send("request");
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    expect_balanced(report.bytes);
    EXPECT_EQ(report.bytes.written, 20 * 7U);
    EXPECT_EQ(report.bytes.acknowledged, 20 * 7U);
    for (int count = 0; count < 20; ++count) EXPECT_EQ(peer.read().bytes, "request");
    EXPECT_EQ(peer.read().bytes, "");
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 1U);
}

TEST_P(Packets, WhatAStopCutsOffIsCounted) {
    constexpr std::uint64_t kWritten = 100 * 9000U;
    script.open = [](Connection& peer) {
        for (int count = 0; count < 100; ++count) peer.write(pattern(9000));
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    opened();
    const StopReport report = stop_within(std::chrono::milliseconds{50});
    EXPECT_EQ(closed_by(report, CloseReason::stop_forced), 1U);
    expect_balanced(report.bytes);
    EXPECT_EQ(report.bytes.written, kWritten);
    EXPECT_GT(report.bytes.discarded, 0U);
    std::uint64_t got = 0;
    for (RawMessage each = peer.read(); !each.bytes.empty(); each = peer.read()) {
        EXPECT_EQ(each.bytes.size(), 9000U) << "whole or not at all";
        got += each.bytes.size();
    }
    EXPECT_EQ(got, report.bytes.acknowledged);
}

TEST_P(Packets, ThePathIsGivenBackAndAStaleOneReplaced) {
    {
        const RawMessages dead = RawMessages::bound(*Endpoint::parse(address_of("unixpacket")));
    }
    script.traffic = echo;
    serve();
    RawMessages peer = this->peer();
    peer.send("alive");
    EXPECT_EQ(peer.read().bytes, "alive");
    EventHandler nothing;
    const auto second = make_engine(nothing)->start(address_of("unixpacket"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::address_in_use);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_FALSE(std::filesystem::exists(dir().file("socket")));
}

TEST_P(Packets, LimitsInTimeHold) {
    options.idle_timeout = std::chrono::milliseconds{20};
    serve();
    RawMessages peer = this->peer();
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
    EXPECT_EQ(peer.read().bytes, "");
}

TEST_P(Packets, AStalledPeerIsGivenUp) {
    options.write_stall_timeout = std::chrono::milliseconds{50};
    script.open = [](Connection& peer) {
        while (peer.unsent() == 0) peer.write(pattern(9000));
        return Action::none;
    };
    serve();
    const RawMessages peer = this->peer();
    EXPECT_EQ(closed(), CloseReason::write_stall_timeout);
}

TEST_P(Packets, FilesAndRelaysAreForStreams) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.send_file({.file = 0, .offset = 0, .count = 1}).error().code(),
                  ErrorCode::unsupported);
        EXPECT_FALSE(peer.relay_to(peer));
        return Action::none;
    };
    serve();
    const RawMessages peer = this->peer();
    opened();
    settle();
}

BERTH_FOR_EACH_PLAIN_DRIVER(Packets);

class TransportedPackets : public SpeakingMessages {};

TEST_P(TransportedPackets, AreRefused) {
    start(address_of("unixpacket"));
    RawMessages peer = RawMessages::connect(engine().endpoints()[0]);
    EXPECT_EQ(peer.read().bytes, "");
    EXPECT_EQ(script.count("on_open"), 0U);
}

BERTH_FOR_EACH_TRANSPORT(TransportedPackets);

}  // namespace
}  // namespace berth::test
