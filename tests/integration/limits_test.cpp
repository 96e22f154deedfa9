// SPDX-License-Identifier: MIT
//
// Limits: what happens when descriptors or connections run out, and when they are back.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <berth/session.hpp>

#include <pthread.h>

#include <ctime>
#include <optional>
#include <stdexcept>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Limits : public AnEngine {
protected:
    // Connected, whether or not accepted: the kernel does that.
    std::vector<RawPeer> connect_many(std::size_t count) {
        std::vector<RawPeer> peers;
        for (std::size_t i = 0; i < count; ++i) peers.push_back(connect());
        return peers;
    }
    static void expect_served(RawPeer& peer) {
        peer.send("served");
        EXPECT_EQ(peer.read(6), "served");
    }
};

TEST_P(Limits, PastTheMaximumClientsWaitAndAreServedLater) {
    options.connections_max = 3;
    script.traffic = echo;
    start();
    std::vector<RawPeer> peers = connect_many(5);
    ASSERT_TRUE(eventually([&] { return script.opened().size() == 3; }));
    for (std::size_t i = 0; i < 3; ++i) expect_served(peers[i]);
    EXPECT_EQ(script.opened().size(), 3U);
    peers[0].close();
    expect_served(peers[3]);
    EXPECT_EQ(engine().connection_count(), 3U);
    peers[1].close();
    expect_served(peers[4]);
}

TEST_P(Limits, MaximumHoldsForAllLoopsTogether) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    options.connections_max = 3;
    start();
    std::vector<RawPeer> peers = connect_many(6);
    ASSERT_TRUE(eventually([&] { return script.opened().size() == 3; }));
    settle();
    EXPECT_EQ(script.opened().size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) peers[i].close();
    EXPECT_TRUE(eventually([&] { return script.opened().size() == 6; }));
}

TEST_P(Limits, WaitingClientsAreDrainedByAStop) {
    options.connections_max = 1;
    script.traffic = echo;
    start();
    std::vector<RawPeer> peers = connect_many(3);
    opened();
    for (RawPeer& peer : peers) peer.send("in time");
    engine().request_stop();
    for (RawPeer& peer : peers) EXPECT_EQ(peer.read_to_end(), "in time");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

// Its clients wait in the accept queue, and no descriptor is left to accept them with.
class OutOfDescriptors : public Limits {
protected:
    void SetUp() override {
        Limits::SetUp();
        if (IsSkipped()) return;
        script.traffic = echo;
        start();
        served.emplace(connect());
        expect_served(*served);
        engine().loop(0).post([this](EventLoop&) {
            EXPECT_EQ(::pthread_getcpuclockid(::pthread_self(), &loop_clock), 0);
            reached.open();
            EXPECT_TRUE(gate.pass());
        });
        ASSERT_TRUE(reached.pass());
        waiting.emplace(connect());
        glut.emplace();
        gate.open();
    }

    // The loop's alone: a sanitizer has threads of its own, and the test's waits too.
    Duration processor_time() const {
        timespec used{};
        EXPECT_EQ(::clock_gettime(loop_clock, &used), 0);
        return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    }

    Gate reached;
    Gate gate;
    clockid_t loop_clock{};
    std::optional<RawPeer> served;
    std::optional<RawPeer> waiting;
    FewDescriptors few{256};
    std::optional<DescriptorGlut> glut;
};

TEST_P(OutOfDescriptors, TheConnectedAreServedAndTheProcessorIsNotBusy) {
    const Instant end = within(milliseconds{100});
    const Duration before = processor_time();
    ASSERT_TRUE(eventually([&] { return engine().now() >= end; }));
    EXPECT_LT(processor_time() - before, milliseconds{50});
    expect_served(*served);
    EXPECT_EQ(script.opened().size(), 1U);
}

TEST_P(OutOfDescriptors, TheWaitingAreServedSoonAfterThereAreSome) {
    expect_served(*served);
    glut.reset();
    const Instant freed = engine().now();
    expect_served(*waiting);
    EXPECT_LT(engine().now() - freed, milliseconds{500});  // the pause is at most a tenth
}

TEST_P(OutOfDescriptors, ClosingOneMakesRoomForOne) {
    served->send("x");
    ASSERT_EQ(served->read(1), "x");
    ASSERT_TRUE(engine().close(opened(0), CloseMode::now));
    expect_served(*waiting);
}

TEST_P(OutOfDescriptors, StopIsStillCleanForTheConnected) {
    engine().request_stop();
    EXPECT_EQ(served->read_to_end(), "");
    EXPECT_EQ(served->ended(), Ended::by_fin);
    const StopReport report = stop();
    EXPECT_EQ(report.connections.forced, 0U);
    EXPECT_TRUE(report.listeners[0].released) << report.to_string();
}

// ── Sessions ─────────────────────────────────────────────────────────────────────────────────

struct Counting {
    static inline std::atomic<int> alive = 0;
    Counting() { ++alive; }
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;
    ~Counting() { --alive; }

    Action on_traffic(Connection& peer) {
        peer.discard();
        peer.write(std::to_string(++messages));
        return Action::none;
    }
    int messages = 0;
};

class Sessions : public Limits {};

TEST_P(Sessions, EveryConnectionHasItsOwn) {
    SessionHandler<Counting> sessions;
    const auto serving = make_engine(sessions);
    ASSERT_TRUE(serving->start(address()));
    RawPeer first = connect_to(serving->endpoints()[0]);
    RawPeer second = connect_to(serving->endpoints()[0]);
    for (const char* answer : {"1", "2", "3"}) {
        first.send("x");
        EXPECT_EQ(first.read(1), answer);
    }
    second.send("x");
    EXPECT_EQ(second.read(1), "1");
    EXPECT_EQ(Counting::alive, 2);
    first.close();
    EXPECT_TRUE(eventually([] { return Counting::alive == 1; }));
    ASSERT_TRUE(serving->stop());
    EXPECT_EQ(Counting::alive, 0);
}

struct Unwilling {
    Unwilling() { throw std::runtime_error("no session"); }
    void on_close(Connection&, CloseReason) { ADD_FAILURE() << "there is none"; }
};

TEST_P(Sessions, ConstructorThatThrowsLosesItsConnection) {
    SessionHandler<Unwilling> sessions;
    const auto serving = make_engine(sessions);
    ASSERT_TRUE(serving->start(address()));
    RawPeer peer = connect_to(serving->endpoints()[0]);
    peer.read_to_end();
    EXPECT_NE(peer.ended(), Ended::not_yet);
    EXPECT_EQ(serving->stop()->handler_exceptions, 1U);
}

TEST_P(Sessions, ContextOfAnotherTypeIsNone) {
    std::string seen;
    script.open = [](Connection& peer) { return peer.emplace_context<int>(7), Action::none; };
    script.close = [&](Connection& peer, CloseReason) {
        seen = peer.context<long>() == nullptr ? std::to_string(*peer.context<int>()) : "long";
    };
    start();
    connect().close();
    closed();
    EXPECT_EQ(seen, "7");
}

BERTH_FOR_EACH_DRIVER(Limits);
BERTH_FOR_EACH_DRIVER(OutOfDescriptors);
BERTH_FOR_EACH_DRIVER(Sessions);

}  // namespace
}  // namespace berth::test
