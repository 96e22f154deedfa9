// SPDX-License-Identifier: MIT
//
// The hard cases of a stop, one test for each way in which a peer or a handler can make it
// difficult. What is required of each: docs/internals/connection.md.

#include "integration/support_transport.hpp"
#include "support/privilege.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMuch = 12U << 20U;

class HardCase : public AnEngine {
protected:
    static Action write_much(Connection& peer) {
        peer.write(Buffer::adopt(pattern(kMuch)));
        return Action::none;
    }
    // From now on its kernel acknowledges nothing.
    static bool vanish(const RawPeer& peer) {
        std::array<sock_filter, 1> drop{{BPF_STMT(BPF_RET | BPF_K, 0)}};
        const sock_fprog program{.len = drop.size(), .filter = drop.data()};
        return ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                            sizeof program) == 0;
    }
};

TEST_P(HardCase, PeerThatNeverReadsIsResetAtTheDeadlineAndItsLossIsExact) {
    script.open = write_much;
    start();
    RawPeer peer = connect_slow();
    opened();
    const StopReport report = stop_within(milliseconds{200});
    EXPECT_EQ(report.outcome, StopOutcome::forced);
    expect_balanced(report.bytes);
    const std::size_t missed = kMuch - peer.read_to_end().size();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
    EXPECT_LE(report.bytes.discarded, missed);
    if (speaks_records()) return;  // part of a record is nothing to its reader
    EXPECT_LE(missed, report.bytes.discarded + report.bytes.unconfirmed);
}

TEST_P(HardCase, PeerThatNeverReadsDoesNotHoldUpOthers) {
    script.open = [](Connection& peer) {
        return peer.id().slot() == 0 ? write_much(peer) : Action::none;
    };
    start();
    const RawPeer stuck = connect_slow();
    opened();
    RawPeer other = connect();
    opened(1);
    engine().request_stop(within(patience() / 2));
    EXPECT_EQ(other.read_to_end(), "");
    EXPECT_EQ(other.ended(), Ended::by_fin);
    other.close();
    EXPECT_EQ(closed(), CloseReason::stop_graceful);
    engine().request_stop(engine().now());
}

TEST_P(HardCase, PeerThatNeverClosesCostsLingerAndTheStopIsClean) {
    options.linger = milliseconds{100};
    options.drain = seconds{3600};
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_GE(report.duration, milliseconds{95});
    EXPECT_LT(report.duration, seconds{2});
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

TEST_P(HardCase, PeerThatVanishedIsForcedAsAUserTimeout) {
    if (speaks_records()) GTEST_SKIP() << "the kernel's matter: without a transport";
    script.traffic = [](Connection& peer) { return peer.discard(), Action::none; };
    start();
    RawPeer peer = connect();
    peer.send("here I am");
    const ConnectionId id = opened();
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    if (!vanish(peer)) GTEST_SKIP() << "a filter on a TCP socket needs CAP_NET_ADMIN here";
    engine().write(id, "are you there?");
    settle();
    const StopReport report = stop_within(milliseconds{1200});
    EXPECT_EQ(report.outcome, StopOutcome::forced);
    EXPECT_EQ(closed_by(report, CloseReason::user_timeout), 1U) << report.to_json();
    EXPECT_EQ(report.bytes.unconfirmed, 14U);
    EXPECT_EQ(report.bytes.discarded, 0U);
}

TEST_P(HardCase, PeerThatHalfClosedFirstIsServedAndEndsInOrder) {
    options.linger = patience();
    std::vector<ConnectionId> ended;
    script.end = [&](Connection& peer) { return ended.push_back(peer.id()), Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    peer.end();
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    script.drain = [](Connection& here, Deadline) { return here.write("all"), Action::close; };
    const StopReport report = stop();
    EXPECT_EQ(peer.read_to_end(), "all");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_LT(report.duration, patience() / 2) << "its FIN is in: nothing to linger for";
}

TEST_P(HardCase, PeerThatSendsForEverAfterOurFinIsResetAndTheStopIsClean) {
    options.linger = seconds{3600};
    options.drain = seconds{3600};
    options.linger_bytes_max = 256U << 10U;
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), "");
    const std::string chunk(64U << 10U, 'x');
    EXPECT_TRUE(eventually([&] {
        try {
            peer.send_now(chunk);
        } catch (const std::system_error&) {  // it was reset
        }
        return engine().connection_count() == 0;
    }));
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_GT(report.bytes.received_after_fin, options.linger_bytes_max);
}

TEST_P(HardCase, RequestThatMeetsOurFinIsCounted) {
    options.linger = patience();
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    peer.read_to_end();
    peer.send("late");
    peer.close();
    EXPECT_EQ(stop().bytes.received_after_fin, 4U);
}

TEST_P(HardCase, SlowReaderGetsAllOf12MegabytesWithinTheDeadline) {
    options.drain = patience();
    script.open = write_much;
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), pattern(kMuch));
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.bytes.acknowledged, kMuch);
}

TEST_P(HardCase, HandlerThatThrowsInOnDrainLosesItsOwnConnection) {
    script.drain = [](Connection& peer, Deadline) -> Action {
        if (peer.id().slot() == 0) throw std::runtime_error("drain");
        return Action::close;
    };
    start();
    RawPeer first = connect();
    opened();
    RawPeer second = connect();
    opened(1);
    const StopReport report = stop();
    EXPECT_EQ(report.handler_exceptions, 1U);
    EXPECT_EQ(closed_by(report, CloseReason::handler_threw), 1U);
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 1U);
}

TEST_P(HardCase, WhoIsClosingAlreadyWhenTheStopBeginsIsLeftToFinish) {
    script.open = [](Connection& peer) { return write_much(peer), Action::close; };
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end().size(), kMuch);
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(closed_by(report, CloseReason::local_close), 1U);
}

TEST_P(HardCase, StopIsShortenedWhileItDrains) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    options.first_request_grace = seconds{3600};
    start();
    const RawPeer peer = connect();
    opened();
    engine().request_stop(within(seconds{3600}));
    ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    engine().request_stop(engine().now());
    EXPECT_LT(stop().duration, patience());
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::stop_forced});
}

TEST_P(HardCase, ForcedConnectionIsListedWithWhatItWasOwed) {
    script.open = write_much;
    start();
    const RawPeer peer = connect_slow();
    const ConnectionId id = opened();
    settle();  // its output is made, which may take longer than the stop
    const StopReport report = stop_within(milliseconds{100});
    ASSERT_EQ(report.forced.size(), 1U);
    const StopReport::Forced& forced = report.forced.front();
    EXPECT_EQ(forced.id, id);
    EXPECT_EQ(forced.peer.ip(), peer.address());
    EXPECT_EQ(forced.state, "open") << "its output was never flushed";
    EXPECT_EQ(forced.bytes_unsent, report.bytes.discarded);
    EXPECT_EQ(forced.bytes_unconfirmed, report.bytes.unconfirmed);
    EXPECT_GE(forced.age, milliseconds{90});
}

// ── With a transport ─────────────────────────────────────────────────────────────────────────

class HardTransport : public Transported {};

TEST_P(HardTransport, HandshakeThatIsUnfinishedWhenTheStopBeginsMayFinish) {
    options.first_request_grace = patience();
    script.traffic = echo;
    start();
    RawPeer peer = connect_silent();
    ASSERT_TRUE(eventually([&] { return engine().connection_count() == 1; }));
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::draining; }));
    greet(peer);
    peer.send(codec.seal("asked"));
    EXPECT_EQ(closed(), CloseReason::stop_graceful);
    EXPECT_EQ(script.count("on_traffic"), 1U);
}

TEST_P(HardTransport, HandshakeThatNeverEndsIsClosedAfterTheGrace) {
    options.first_request_grace = milliseconds{100};
    start();
    RawPeer peer = connect_silent();
    ASSERT_TRUE(eventually([&] { return engine().connection_count() == 1; }));
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    peer.read_to_end();
    EXPECT_NE(peer.ended(), Ended::not_yet);
    EXPECT_EQ(script.count("on_open"), 0U);
}

TEST_P(HardTransport, GoodbyeFollowsTheLastRecordAndTheFinFollowsTheGoodbye) {
    script.drain = [](Connection& peer, Deadline) { return peer.write("last"), Action::close; };
    start();
    RawPeer peer = connect_by_hand();
    opened();
    engine().request_stop();
    RecordCodec expected;
    EXPECT_EQ(peer.read_to_end(), expected.seal("last") + kGoodbye);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

BERTH_FOR_EACH_DRIVER(HardCase);
BERTH_FOR_EACH_TRANSPORT(HardTransport);

}  // namespace
}  // namespace berth::test
