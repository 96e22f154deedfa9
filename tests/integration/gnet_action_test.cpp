// SPDX-License-Identifier: MIT
//
// gnet's wake, close and shutdown scenarios. docs/internals/gnet-scenarios.md maps each test.

#include "integration/support_engine.hpp"

#include <atomic>
#include <thread>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class GnetWaking : public AnEngine {};
class GnetActions : public AnEngine {};

// TestWakeConn: the answer of the handler is no Action, and means none.
TEST_P(GnetWaking, TickWakesAConnectionThatHasSaidNothing) {
    options.loops = 4;
    options.balance = Balance::round_robin;
    script.tick = [](EventLoop& loop) -> Duration {
        loop.for_each([&](Connection& each) { loop.engine().wake(each.id()); });
        return milliseconds{1};
    };
    script.traffic = [](Connection& peer) {
        EXPECT_EQ(peer.unread(), 0U);
        if (peer.counters().bytes_written == 0) peer.write("Waking up.");
        return static_cast<Action>(0xff);
    };
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(10), "Waking up.");
    peer.close();
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::peer_end});
}

// TestClosedWakeUp: a wake and a close come while the callback still runs.
TEST_P(GnetWaking, WakeAndCloseMeetACallbackThatIsStillRunning) {
    Gate client_is_done;
    std::atomic<bool> was_asked = false;
    script.traffic = [&](Connection& peer) {
        peer.discard();
        if (was_asked.exchange(true)) return Action::none;
        const ConnectionId id = peer.id();
        {
            const std::jthread waker([&] { EXPECT_TRUE(engine().wake(id)); });
            const std::jthread closer([&] { EXPECT_TRUE(engine().close(id)); });
        }
        EXPECT_TRUE(client_is_done.pass());
        peer.write("late");
        return Action::none;
    };
    start();
    {
        RawPeer peer = connect();
        peer.send("first");
        ASSERT_TRUE(eventually([&] { return was_asked.load(); }));
        peer.send("second");
    }
    client_is_done.open();
    closed();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(script.count("on_close"), 1U);
}

// TestShutdown
TEST_P(GnetActions, StopFromATickClosesAHundredWhoWaited) {
    std::atomic<std::size_t> open = 0;
    script.open = [&](Connection&) {
        EXPECT_LE(++open, engine().connection_count());  // others may be on their way
        return Action::none;
    };
    script.close = [&](Connection&, CloseReason) { --open; };
    script.tick = [&](EventLoop& loop) -> Duration {
        if (open == 100) loop.engine().request_stop();
        return milliseconds{1};
    };
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 100; ++i) peers.push_back(connect());
    for (RawPeer& peer : peers) EXPECT_EQ(peer.read_to_end(), "");
    peers.clear();
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(open, 0U);
    EXPECT_EQ(script.count("on_close"), 100U);
}

// TestCloseActionError
TEST_P(GnetActions, CloseAfterAnEchoLetsTheEchoOut) {
    script.traffic = [](Connection& peer) {
        std::string text(peer.unread(), '\0');
        EXPECT_EQ(peer.read(std::as_writable_bytes(std::span(text))), text.size());
        peer.write(text);
        return Action::close;
    };
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    RawPeer peer = connect();
    peer.send("Hello World!");
    EXPECT_EQ(peer.read_to_end(), "Hello World!");
    peer.close();
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::local_close});
}

// TestShutdownActionError
TEST_P(GnetActions, ShutdownAfterAnEchoLetsTheEchoOut) {
    script.traffic = [](Connection& peer) {
        peer.write(peer.peek());
        peer.discard();
        return Action::shutdown;
    };
    start();
    RawPeer peer = connect();
    peer.send("Hello World!");
    EXPECT_EQ(peer.read_to_end(), "Hello World!");
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean);
    EXPECT_EQ(report->requested_by, "handler");
}

// TestCloseActionOnOpen
TEST_P(GnetActions, CloseInOnOpenIsFollowedByOnCloseWhichMayStopTheEngine) {
    script.open = [](Connection&) { return Action::close; };
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    EXPECT_EQ(connect().read_to_end(), "");
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean);
}

// TestShutdownActionOnOpen: afterwards nothing is left to be asked.
TEST_P(GnetActions, ShutdownInOnOpenEndsEverything) {
    script.open = [](Connection&) { return Action::shutdown; };
    start();
    EXPECT_EQ(connect().read_to_end(), "");
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.calls().back(), "on_shutdown");
    EXPECT_FALSE(engine().wake(opened()));
    EXPECT_EQ(engine().connection_count(), 0U);
}

// TestCloseConnection
TEST_P(GnetActions, CloseFromAnotherThreadIsToldOnceAndSeenByTheClient) {
    script.traffic = echo;
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    RawPeer peer = connect();
    peer.send("Hello World!");
    EXPECT_EQ(peer.read(12), "Hello World!");
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().close(opened(), CloseMode::after_flush, std::move(done));
              }),
              Delivery::ran);
    EXPECT_EQ(peer.read_to_end(), "");
    peer.close();
    ASSERT_TRUE(engine().wait());
}

// TestEngineStop, on a port each: two engines of one process share nothing that a stop could hit.
TEST_P(GnetActions, TwoEnginesServeAndStopEachForItself) {
    Script second_script;
    second_script.traffic = echo;
    script.traffic = echo;
    start();
    const auto second = make_engine(second_script);
    ASSERT_TRUE(second->start(address()));
    RawPeer first_peer = connect();
    RawPeer second_peer = connect_to(second->endpoints().at(0));
    for (RawPeer* peer : {&first_peer, &second_peer}) {
        peer->send("one");
        EXPECT_EQ(peer->read(3), "one");
    }
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(first_peer.read_to_end(), "");
    second_peer.send("two");
    EXPECT_EQ(second_peer.read(3), "two");
    ASSERT_TRUE(second->stop());
    EXPECT_EQ(script.opened().size(), 1U);
    EXPECT_EQ(second_script.opened().size(), 1U);
}

// TestDisconnectedAsyncWrite: written until it is gone, then stale, and never silent.
TEST_P(GnetActions, WritesToAClientThatLeftBecomeStale) {
    script.traffic = [](Connection& peer) { return peer.discard(), Action::none; };
    start();
    {
        RawPeer peer = connect();
        peer.send("hello");
    }
    const ConnectionId id = opened();
    EXPECT_TRUE(eventually([&] {
        const auto how =
            delivered([&](Completion done) { return engine().write(id, "x", std::move(done)); });
        EXPECT_TRUE(how == Delivery::written || how == Delivery::stale);
        return how == Delivery::stale;
    }));
    closed();
}

BERTH_FOR_EACH_DRIVER(GnetWaking);
BERTH_FOR_EACH_DRIVER(GnetActions);

}  // namespace
}  // namespace berth::test
