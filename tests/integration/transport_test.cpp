// SPDX-License-Identifier: MIT
//
// Transports, once they are open: what the rest of the suite cannot see from behind a well-behaved
// peer. Peers here speak by hand where they misbehave.

#include "integration/support_transport.hpp"
#include "support/record_transport.hpp"

namespace berth::test {
namespace {

using std::chrono::milliseconds;

// ── Input that is not wanted yet ─────────────────────────────────────────────────────────────

TEST_P(Transported, WhatIsNotWantedStaysInTheTransport) {
    options.input_max = 10;  // of what the connection may keep
    script.traffic = [](Connection& peer) {
        if (as_text(peer.peek()) == "record 1") peer.pause_read();
        return echo(peer);
    };
    start();
    RawPeer peer = connect_by_hand();
    std::string records;
    for (const char* text : {"record 1", "record 2", "record 3"}) records += codec.seal(text);
    peer.send(records);
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    settle();
    EXPECT_EQ(script.count("on_traffic"), 1U);
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_TRUE(eventually([&] { return script.count("on_traffic") == 3; }));
    EXPECT_EQ(script.count("on_close"), 0U);
}

TEST_P(Transported, WhatIsKeptAboveHighIsShownBelowLow) {
    options.output_high = kPlenty / 2;
    script.traffic = [](Connection& peer) { return peer.discard(), write_plenty(peer); };
    start();
    RawPeer peer = connect();
    peer.send("1");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    peer.send("2");
    settle();
    engine().write(opened(), "and more");
    settle();
    settle();
    EXPECT_EQ(script.count("on_traffic"), 1U);
    EXPECT_EQ(peer.read(2 * kPlenty + 8).size(), 2 * kPlenty + 8);
    EXPECT_EQ(script.count("on_traffic"), 2U);
}

TEST_P(Transported, TransportGoesWithItsConnection) {
    start();
    const std::size_t before = RecordTransport::count();
    RawPeer peer = connect();
    opened();
    EXPECT_EQ(RecordTransport::count(), before + 1);
    peer.close();
    EXPECT_TRUE(eventually([&] { return RecordTransport::count() == before; }));
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Transported, FinWithoutAGoodbyeIsAReset) {
    std::string heard;
    script.traffic = [&](Connection& peer) { return heard += as_text(peer.next()), Action::none; };
    start();
    RawPeer peer = connect_by_hand();
    peer.send(codec.seal("all?"));
    peer.end();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    EXPECT_EQ(script.count("on_end"), 0U);
    settle();
    EXPECT_EQ(heard, "all?");
}

TEST_P(Transported, GoodbyeIsThePeersEndAndIsAnsweredBeforeOurFin) {
    script.end = [](Connection& peer) { return peer.write("bye"), Action::close; };
    start();
    RawPeer peer = connect_by_hand();
    peer.send(kGoodbye);
    EXPECT_EQ(peer.read_to_end(), codec.seal("bye") + kGoodbye);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(closed(), CloseReason::peer_end);
    EXPECT_EQ(script.count("on_end"), 1U);
}

TEST_P(Transported, NothingAfterTheGoodbyeCounts) {
    script.end = [](Connection&) { return Action::none; };
    start();
    RawPeer peer = connect_by_hand();
    peer.send(kGoodbye + "whatever" + kGoodbye);
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    peer.send("more");
    peer.end();
    settle();
    EXPECT_EQ(script.count("on_end"), 1U);
    EXPECT_EQ(script.count("on_traffic") + script.count("on_close"), 0U);
}

TEST_P(Transported, CloseNeedsNoGoodbyeOfThePeer) {
    options.linger = patience();
    script.open = [](Connection&) { return Action::close; };
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read_to_end(), kGoodbye);
    peer.end();
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Transported, GarbageIsAnsweredWithAnAlertAndAReset) {
    script.traffic = echo;
    start();
    RawPeer peer = connect_by_hand();
    peer.send(codec.seal("good") + std::string("\0\0\7", 3));
    EXPECT_EQ(closed(), CloseReason::io_error);
    EXPECT_EQ(peer.read_to_end(), RecordCodec().seal("good") + kAlert);
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Transported, AcknowledgementOfNothingIsGarbage) {
    start();
    RawPeer peer = connect_by_hand();
    peer.send(kAcknowledge);
    EXPECT_EQ(closed(), CloseReason::io_error);
}

// ── Writes that wait for a read ──────────────────────────────────────────────────────────────

TEST_P(Transported, WriteWaitsForWhatTheTransportMustRead) {
    script.open = write_plenty;
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
    settle();
    EXPECT_EQ(peer.read_now(), "");
    peer.send(kAcknowledge);
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
}

TEST_P(Transported, OutputOfARecordIsUnsentUntilAllOfItHasLeft) {
    std::size_t unsent = 0;
    script.open = write_plenty;
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
    const ConnectionId id = opened();
    on_loop([&](EventLoop& loop) { unsent = loop.find(id)->unsent(); });
    EXPECT_EQ(unsent, kPlenty - kWindow * (kFullRecord - 3));
}

TEST_P(Transported, PauseDoesNotKeepTheTransportFromReading) {
    script.open = [](Connection& peer) { return peer.pause_read(), write_plenty(peer); };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("not yet");
    EXPECT_EQ(peer.read(kPlenty), pattern(kPlenty));
    EXPECT_EQ(script.count("on_traffic"), 0U);
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read(7), "not yet");
}

TEST_P(Transported, PauseHoldsAgainWhenTheTransportNeedsNothing) {
    options.input_max = 1'000;
    script.open = [](Connection& peer) { return peer.pause_read(), write_plenty(peer); };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(kPlenty).size(), kPlenty);
    peer.send(pattern(5'000));  // too much to be kept
    settle();
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read(5'000), pattern(5'000));
}

TEST_P(Transported, WhatAWriteWaitsForMayBeHeldAlready) {
    script.open = [](Connection& peer) {
        return peer.write(pattern(kWindow * (kFullRecord - 3))), Action::none;
    };
    script.traffic = [](Connection& peer) {
        peer.discard();
        return peer.pause_read(), Action::none;
    };
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
    peer.send(codec.seal("pause") + kAcknowledge);
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    engine().write(opened(), "more");
    EXPECT_EQ(peer.read(7).size(), 7U);
}

TEST_P(Transported, GoodbyeReadDuringAPauseIsToldAfterIt) {
    script.open = [](Connection& peer) { return peer.pause_read(), write_plenty(peer); };
    script.traffic = echo;
    start();
    RawPeer peer = connect_by_hand();
    peer.send(codec.seal("last") + kGoodbye);
    EXPECT_EQ(peer.read(kPlenty).size(), kPlenty);  // it is not waited for any more
    settle();
    EXPECT_EQ(script.count("on_traffic") + script.count("on_end"), 0U);
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    EXPECT_EQ(script.count("on_traffic"), 1U);
    EXPECT_TRUE(peer.read_to_end().ends_with(kGoodbye));
}

TEST_P(Transported, InputThatMustBeReadDuringAPauseIsBounded) {
    options.input_max = 100'000;
    script.open = [](Connection& peer) { return peer.pause_read(), write_plenty(peer); };
    start();
    RawPeer peer = connect_by_hand();
    try {  // until the reset, and without an acknowledgement
        while (script.closed().empty()) peer.send_now(codec.seal(pattern(10'000)));
    } catch (const std::system_error&) {
    }
    EXPECT_EQ(closed(), CloseReason::inbound_overflow);
}

TEST_P(Transported, OutputThatWaitsForAReadIsBounded) {
    options.output_max = 2 * kPlenty;
    script.open = write_plenty;
    script.traffic = [](Connection& peer) { return peer.discard(), write_plenty(peer); };
    start();
    RawPeer peer = connect_by_hand();
    const ConnectionId id = opened();
    for (int i = 0; i < 3; ++i) engine().wake(id);
    EXPECT_EQ(closed(), CloseReason::outbound_overflow);
}

// It sends tiny records, whose acknowledgements it does not read. Over a Unix socket: the kernel
// takes few of them.
TEST_P(Transported, AnswersThatAreNotReadAreBounded) {
    script.traffic = [](Connection& peer) { return peer.discard(), Action::none; };
    start(unix_address("socket"));
    RawPeer peer = connect_silent();
    peer.send(codec.handshake());
    opened();
    try {
        while (script.closed().empty()) {
            std::string records;
            for (int i = 0; i < 10'000; ++i) records += codec.seal(".");
            peer.send(records);
        }
    } catch (const std::system_error&) {
    }
    EXPECT_EQ(closed(), CloseReason::outbound_overflow);
}

TEST_P(Transported, WriteDoesNotWaitForAPeerThatIsGone) {
    script.open = [](Connection& peer) { return write_plenty(peer), Action::close; };
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
    peer.end();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

TEST_P(Transported, StopWaitsForAWriteThatWaitsForARead) {
    script.open = write_plenty;
    options.linger = patience();
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), pattern(kPlenty));
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.bytes.written, kPlenty);
    EXPECT_EQ(report.bytes.discarded, 0U);
}

TEST_P(Transported, DeadlineCountsWhatWaitedForAReadAsDiscarded) {
    script.open = write_plenty;
    start();
    RawPeer peer = connect_by_hand();
    EXPECT_EQ(peer.read(kWindow * kFullRecord).size(), kWindow * kFullRecord);
    engine().request_stop(within(milliseconds{30}));
    const StopReport report = stop();
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_EQ(report.bytes.discarded, kPlenty - kWindow * (kFullRecord - 3));
    EXPECT_EQ(report.bytes.written,
              report.bytes.acknowledged + report.bytes.discarded + report.bytes.unconfirmed);
}

BERTH_FOR_EACH_TRANSPORT(Transported);

}  // namespace
}  // namespace berth::test
