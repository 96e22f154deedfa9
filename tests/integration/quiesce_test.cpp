// SPDX-License-Identifier: MIT
//
// Quiescing: no client that has connected is reset because its listener went.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"
#include "support/privilege.hpp"

#include <atomic>
#include <cerrno>
#include <optional>
#include <system_error>
#include <thread>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Quiescing : public AnEngine {
protected:
    static std::string_view means_of(const StopReport& report) {
        return report.listeners.at(0).quiesce;
    }
    // Suspended, and its loops have come to rest: who connects now waits.
    void suspend() {
        engine().suspend();
        ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::suspended; }));
        ASSERT_TRUE(eventually([&] {
            const std::size_t before = script.opened().size();
            probes.push_back(connect());
            settle();
            settle();
            return script.opened().size() == before;
        }));
    }

    std::vector<RawPeer> probes;
};

class QuiescingAny : public Quiescing {};

TEST_P(QuiescingAny, ReportNamesTheMeans) {
    start();
    const bool filters = may_filter_tcp();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    switch (GetParam().family) {
        case Family::unix_path: EXPECT_EQ(means_of(report), "unlinked"); break;
        case Family::unix_abstract: EXPECT_EQ(means_of(report), "best_effort"); break;
        default: EXPECT_EQ(means_of(report), filters ? "syn_filter" : "ttl");
    }
    EXPECT_EQ(report.listeners.at(0).handshakes_abandoned, 0U);
}

TEST_P(Quiescing, NextRunReportsItsOwnMeans) {
    start();
    EXPECT_NE(means_of(stop()), "best_effort");
    start();
    EXPECT_EQ(means_of(stop_within(Duration{0})), "best_effort");
}

TEST_P(QuiescingAny, WhoWaitedInTheQueueIsServed) {
    script.traffic = echo;
    start();
    suspend();
    std::vector<RawPeer> waiting;
    for (int i = 0; i < 8; ++i) {
        waiting.push_back(connect());
        waiting.back().send("here");
    }
    engine().request_stop();
    for (RawPeer& peer : waiting) {
        EXPECT_EQ(peer.read_to_end(), "here");
        EXPECT_EQ(peer.ended(), Ended::by_fin);
        peer.close();
    }
    probes.clear();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Quiescing, WithoutPrivilegeNobodyIsLostEither) {
    const NoNetworkAdministrator unprivileged;
    if (may_filter_tcp()) GTEST_SKIP() << "everybody may filter TCP sockets here";
    options.loops = 2;
    script.traffic = echo;
    start();
    suspend();
    RawPeer waiting = connect();
    waiting.send("here");
    engine().request_stop();
    EXPECT_EQ(waiting.read_to_end(), "here");
    waiting.close();
    probes.clear();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(means_of(report), "ttl");
}

// ── Late clients ─────────────────────────────────────────────────────────────────────────────

TEST_P(Quiescing, LateClientIsRefusedInOrder) {
    if (speaks_records()) GTEST_SKIP() << "who is refused is not shaken hands with";
    options.late_accept = LateAccept::refuse;
    script.traffic = echo;
    start();
    suspend();
    RawPeer late = connect();
    late.send("too late");
    const std::size_t opened_before = script.opened().size();
    engine().request_stop();
    EXPECT_EQ(late.read_to_end(), "");
    EXPECT_EQ(late.ended(), Ended::by_fin);
    late.close();
    probes.clear();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(script.opened().size(), opened_before);
    EXPECT_GE(report.listeners.at(0).refused, 1U);
    EXPECT_EQ(report.listeners.at(0).accepted_after_stop, report.listeners.at(0).refused);
}

// What became of somebody who connects again and again, until the address is closed.
struct Fate {
    std::atomic<unsigned> served = 0;
    std::atomic<unsigned> ended = 0;
    std::atomic<unsigned> reset = 0;
};

void knock(const Endpoint& at, Fate& fate) {
    try {
        for (;;) {
            RawPeer client = RawPeer::connect(at);
            client.send("knock");
            const bool served = client.read(5) == "knock";
            ++(served ? fate.served : client.ended() == Ended::by_fin ? fate.ended : fate.reset);
        }
    } catch (const std::system_error& error) {
        if (error.code().value() != ECONNREFUSED) ++fate.reset;
    }
}

TEST_P(Quiescing, NobodyIsResetWhileClientsKeepComing) {
    if (speaks_records()) GTEST_SKIP() << "a refusal during the handshake of records is another's";
    options.loops = 2;
    script.traffic = echo;
    start();
    Fate fate;
    {
        const Endpoint at = target();
        std::jthread first([&] { knock(at, fate); });
        std::jthread second([&] { knock(at, fate); });
        ASSERT_TRUE(eventually([&] { return fate.served > 100; }));
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
    EXPECT_EQ(fate.reset, 0U);
    EXPECT_EQ(fate.ended, 0U) << "who has connected is served";
}

// ── Suspending and resuming ──────────────────────────────────────────────────────────────────

TEST_P(QuiescingAny, SuspendedEngineKeepsItsConnections) {
    script.traffic = echo;
    start();
    RawPeer before = connect();
    opened();
    suspend();
    EXPECT_FALSE(engine().is_ready());
    before.send("still here");
    EXPECT_EQ(before.read(10), "still here");
    RawPeer waiting = connect();
    waiting.send("later");
    engine().resume();
    EXPECT_EQ(waiting.read(5), "later");
    EXPECT_TRUE(eventually([&] { return engine().is_ready(); }));
}

TEST_P(Quiescing, SuspendAndResumeInQuickSuccessionEndAsTheLastOneSays) {
    script.traffic = echo;
    start();
    for (int i = 0; i < 50; ++i) {
        engine().suspend();
        engine().resume();
    }
    RawPeer peer = connect();
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
}

// ── Without descriptors ──────────────────────────────────────────────────────────────────────

TEST_P(Quiescing, ClientThatCannotBeAcceptedYetIsNotReset) {
    script.traffic = echo;
    start();
    suspend();
    RawPeer waiting = connect();
    waiting.send("patience");
    {
        const DescriptorFamine famine;
        engine().request_stop();
        EXPECT_TRUE(eventually([&] { return engine().state() >= EngineState::draining; }));
    }
    EXPECT_EQ(waiting.read_to_end(), "patience");
    EXPECT_EQ(waiting.ended(), Ended::by_fin);
    waiting.close();
    probes.clear();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

BERTH_FOR_EACH_DRIVER(Quiescing);
BERTH_FOR_EACH_FAMILY(QuiescingAny);

}  // namespace
}  // namespace berth::test
