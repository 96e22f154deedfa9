// SPDX-License-Identifier: MIT
//
// Suspending and resuming, the lame duck, and listeners that end alone.

#include "integration/support_engine.hpp"

#include <mutex>
#include <optional>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Suspending : public AnEngine {
protected:
    bool becomes(EngineState state) {
        return eventually([&] { return engine().state() == state; });
    }
    static bool ends_in_order(RawPeer& peer) {
        return peer.read_to_end().empty() && peer.ended() == Ended::by_fin;
    }
};

TEST_P(Suspending, WhoConnectsWaitsAndIsServedAfterwards) {
    script.traffic = echo;
    start();
    engine().suspend();
    ASSERT_TRUE(becomes(EngineState::suspended));
    RawPeer peer = connect();
    settle();
    EXPECT_EQ(script.count("on_open"), 0U);
    engine().resume();
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    EXPECT_EQ(engine().state(), EngineState::ready);
}

TEST_P(Suspending, ConnectionsLiveOn) {
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    opened();
    engine().suspend();
    ASSERT_TRUE(becomes(EngineState::suspended));
    peer.send("still there?");
    EXPECT_EQ(peer.read(12), "still there?");
}

TEST_P(Suspending, TwiceIsOnce) {
    start();
    engine().suspend();
    engine().suspend();
    ASSERT_TRUE(becomes(EngineState::suspended));
    engine().resume();
    ASSERT_TRUE(becomes(EngineState::ready));
    engine().resume();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Suspending, StopServesWhoWaits) {
    options.first_request_grace = patience();
    options.drain = 2 * patience();
    script.traffic = echo;
    start();
    engine().suspend();
    ASSERT_TRUE(becomes(EngineState::suspended));
    RawPeer peer = connect();
    engine().request_stop();
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    EXPECT_TRUE(ends_in_order(peer));
    peer.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

BERTH_FOR_EACH_DRIVER(Suspending);

using LameDuck = Suspending;

TEST_P(LameDuck, GoesOnAcceptingWhileItIsNotReady) {
    options.lame_duck = patience();
    options.drain = 4 * patience();
    script.traffic = echo;
    start();
    engine().request_stop();
    ASSERT_TRUE(becomes(EngineState::lame_duck));
    EXPECT_FALSE(engine().is_ready());
    RawPeer peer = connect();
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    engine().request_stop(within(milliseconds{10}));
    EXPECT_EQ(stop().phases.front().name, "lame_duck");
}

TEST_P(LameDuck, EndsEarlyWhenTheDeadlineIsCut) {
    options.lame_duck = 2 * patience();
    options.drain = 8 * patience();
    start();
    engine().request_stop();
    ASSERT_TRUE(becomes(EngineState::lame_duck));
    engine().request_stop(within(seconds{0}));
    EXPECT_LT(stop().duration, patience());
}

BERTH_FOR_EACH_DRIVER(LameDuck);

class ClosingAListener : public Suspending {
protected:
    ClosingAListener() { script.traffic = echo; }

    void SetUp() override {
        AnEngine::SetUp();
        script.listener_closed = [this](const ListenerReport& report) {
            const std::lock_guard lock(mutex_);
            report_ = report;
        };
    }
    ListenerReport closed_listener() {
        EXPECT_TRUE(eventually([this] {
            const std::lock_guard lock(mutex_);
            return report_.has_value();
        }));
        const std::lock_guard lock(mutex_);
        return report_.value_or(ListenerReport{});
    }

private:
    std::mutex mutex_;
    std::optional<ListenerReport> report_;
};

TEST_P(ClosingAListener, FreesItsAddressAndLeavesTheOthers) {
    start({address(), address()});
    ASSERT_TRUE(engine().close_listener(0));
    const ListenerReport report = closed_listener();
    EXPECT_TRUE(report.released) << report.cause;
    EXPECT_EQ(report.endpoint, engine().endpoints()[0]);
    RawPeer peer = connect(1);
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    EXPECT_EQ(engine().state(), EngineState::ready);
}

TEST_P(ClosingAListener, DrainsItsConnectionsOnly) {
    start({address(), address()});
    RawPeer there = connect(0);
    opened(0);
    RawPeer elsewhere = connect(1);
    opened(1);
    ASSERT_TRUE(engine().close_listener(0));
    EXPECT_TRUE(ends_in_order(there));
    there.close();
    closed_listener();
    elsewhere.send("ping");
    EXPECT_EQ(elsewhere.read(4), "ping");
}

TEST_P(ClosingAListener, CutsOffWhoIsLeftAtItsDeadline) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start({address(), address()});
    RawPeer peer = connect(0);
    opened(0);
    ASSERT_TRUE(engine().close_listener(0, within(milliseconds{20})));
    EXPECT_TRUE(closed_listener().released);
    EXPECT_EQ(closed(0), CloseReason::stop_forced);
}

TEST_P(ClosingAListener, IsRefusedTwiceAndForWhatIsNotThere) {
    start({address(), address()});
    EXPECT_FALSE(engine().close_listener(2));
    EXPECT_TRUE(engine().close_listener(0));
    EXPECT_FALSE(engine().close_listener(0));
    closed_listener();
    EXPECT_FALSE(engine().close_listener(0));
}

TEST_P(ClosingAListener, IsInTheReportOfTheStop) {
    start({address(), address()});
    ASSERT_TRUE(engine().close_listener(0));
    closed_listener();
    const StopReport report = stop();
    ASSERT_EQ(report.listeners.size(), 2U);
    EXPECT_TRUE(report.listeners[0].released);
    EXPECT_TRUE(report.listeners[1].released);
    EXPECT_EQ(report.outcome, StopOutcome::clean);
}

BERTH_FOR_EACH_DRIVER(ClosingAListener);

}  // namespace
}  // namespace berth::test
