// SPDX-License-Identifier: MIT
//
// Handshakes: a connection opens when its transport's is over; whatever ends it before then has
// no callback but on_connect_failed.

#include "integration/support_transport.hpp"

#include <cerrno>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Handshake : public Transported {};

// ── Accepted
// ──────────────────────────────────────────────────────────────────────────────────────

TEST_P(Handshake, OpensWhenTheHandshakeIsOverAndNotBefore) {
    start();
    RawPeer peer = connect_silent();
    peer.send(kHello);
    EXPECT_EQ(peer.read(kHello.size()), kHello);
    settle();
    EXPECT_EQ(script.count("on_open"), 0U);
    peer.send(kConfirm);
    EXPECT_EQ(peer.read(kConfirm.size()), kConfirm);
    opened();
}

TEST_P(Handshake, RecordsMayComeByteByByte) {
    script.traffic = echo;
    start();
    RawPeer peer = connect_silent();
    for (const char byte : codec.handshake() + codec.seal("slow") + codec.goodbye()) {
        peer.send({&byte, 1});
        settle();
    }
    codec.receive(peer.read_to_end());
    EXPECT_EQ(codec.take_plain(10), "slow");
    EXPECT_TRUE(codec.has_ended());
}

TEST_P(Handshake, SilentPeerIsGivenUpWithoutACallback) {
    handshake_timeout = milliseconds{30};
    start();
    RawPeer peer = connect_silent();
    peer.send(kHello);
    EXPECT_EQ(peer.read_to_end(), kHello);
    expect_nothing_was_opened();
}

TEST_P(Handshake, TimeoutOfTheHandshakeDoesNotOutliveIt) {
    handshake_timeout = milliseconds{30};
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    opened();
    const Instant end = within(milliseconds{60});
    ASSERT_TRUE(eventually([&] { return engine().now() >= end; }));
    peer.send("x");
    EXPECT_EQ(peer.read(1), "x");
}

TEST_P(Handshake, PeerThatLeavesDuringTheHandshakeLeavesNothing) {
    start();
    for (const bool by_reset : {false, true}) {
        RawPeer peer = connect_silent();
        peer.send(kHello);
        ASSERT_EQ(peer.read(kHello.size()), kHello);
        by_reset ? peer.reset() : peer.end();
        ASSERT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
    }
    expect_nothing_was_opened();
}

TEST_P(Handshake, NoHandshakeAtAllIsAnsweredWithAnAlert) {
    start();
    RawPeer peer = connect_silent();
    peer.send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(peer.read_to_end(), kAlert);
    expect_nothing_was_opened();
}

TEST_P(Handshake, StopDuringAHandshakeWaitsForNobody) {
    start();
    RawPeer peer = connect_silent();
    peer.send(kHello);
    EXPECT_EQ(peer.read(kHello.size()), kHello);
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_LT(report.duration, seconds{1});
    expect_nothing_was_opened();
}

// The second connection is still asked for its handshake while the first one is asked to drain.
TEST_P(Handshake, ThatArrivesWithTheStopIsFinishedAndServed) {
    Gate entered;
    Gate leave;
    script.traffic = echo;
    script.drain = [&](Connection&, Deadline) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return Action::none;
    };
    start();
    const RawPeer first = connect();
    opened();
    RawPeer late = connect_silent();
    late.send(kHello);
    EXPECT_EQ(late.read(kHello.size()), kHello);
    engine().request_stop();
    ASSERT_TRUE(entered.pass());
    late.send(kConfirm + codec.seal("1"));
    leave.open();
    leave.open();
    EXPECT_EQ(late.read(kConfirm.size() + 4).size(), kConfirm.size() + 4);
    for (int i = 0; i < 3; ++i) settle();
    late.send(codec.seal("2"));
    EXPECT_EQ(late.read(4).size(), 4U) << "its handler wanted to go on";
}

// It connects while the loop is about to force everybody else, and is accepted after that.
TEST_P(Handshake, OfAClientInTheAcceptQueueIsNotWaitedForPastTheDeadline) {
    Gate busy;
    Gate go_on;
    const auto be_busy = [&](EventLoop&) {
        busy.open();
        EXPECT_TRUE(go_on.pass());
    };
    start();
    ASSERT_TRUE(engine().loop(0).post(be_busy));
    ASSERT_TRUE(busy.pass());
    ASSERT_TRUE(engine().loop(0).post(be_busy));
    engine().request_stop(engine().now());
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::forcing; }));
    go_on.open();
    ASSERT_TRUE(busy.pass());
    const RawPeer silent = connect_silent();
    go_on.open();
    EXPECT_LT(stop().duration, milliseconds{900});  // a second is what forcing may take
    expect_nothing_was_opened();
}

// ── Dialling ─────────────────────────────────────────────────────────────────────────────────

class Dialling : public Transported {
protected:
    void SetUp() override {
        Transported::SetUp();
        script.connect_failed = [this](EventLoop&, ConnectionId, const Error& error) {
            failure = error.errno_value();
            failed.open();
        };
    }
    RawPeer be_dialled(Deadline deadline = Deadline::never()) {
        on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(server.endpoint(), deadline)); });
        return server.accept();
    }

    RawListener server{loopback_endpoint()};
    int failure = 0;
    Gate failed;
};

TEST_P(Dialling, WhoDialsSpeaksFirstAndWaitsForEachAnswer) {
    script.open = [](Connection& peer) { return peer.write("hi"), Action::none; };
    start();
    RawPeer peer = be_dialled();
    EXPECT_EQ(peer.read(kHello.size()), kHello);
    peer.send(kHello);
    EXPECT_EQ(peer.read(kConfirm.size()), kConfirm);
    settle();
    EXPECT_EQ(script.count("on_open"), 0U);
    peer.send(kConfirm);
    EXPECT_EQ(peer.read(5).size(), 5U);
    EXPECT_EQ(script.count("on_open"), 1U);
}

TEST_P(Dialling, DeadlineCoversTheHandshake) {
    start();
    const RawPeer peer = be_dialled(within(milliseconds{30}));
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure, ETIMEDOUT);
    expect_nothing_was_opened();
}

TEST_P(Dialling, WithoutADeadlineTheHandshakeIsStillBounded) {
    handshake_timeout = milliseconds{30};
    start();
    const RawPeer peer = be_dialled();
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure, ETIMEDOUT);
}

TEST_P(Dialling, WrongAnswerIsAFailureToConnect) {
    start();
    RawPeer peer = be_dialled();
    peer.send(kGoodbye);
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure, EPROTO);
    expect_nothing_was_opened();
}

TEST_P(Dialling, LargeTransfersPassEachOther) {
    const std::string sent = pattern(4 * kPlenty);
    std::string heard;
    Gate done;
    script.open = [&](Connection& peer) {
        if (peer.listener_index() == Connection::kNoListener) peer.write(sent);
        return Action::none;
    };
    script.traffic = [&](Connection& peer) {
        if (peer.listener_index() != Connection::kNoListener) return echo(peer);
        heard += as_text(peer.next());
        if (heard.size() == sent.size()) done.open();
        return Action::none;
    };
    start();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(target())); });
    ASSERT_TRUE(done.pass());
    stop();
    EXPECT_EQ(heard, sent);
}

BERTH_FOR_EACH_TRANSPORT(Handshake);
BERTH_FOR_EACH_TRANSPORT(Dialling);

}  // namespace
}  // namespace berth::test
