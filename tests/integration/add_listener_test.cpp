// SPDX-License-Identifier: MIT
//
// Listeners that come while the engine runs, ports that are shared on purpose, and what a start
// makes of ports and paths.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class AddingListeners : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.traffic = echo;
        options.loops = 2;
    }

    std::size_t add(const std::string& at) {
        auto added = engine().add_listener(at);
        EXPECT_TRUE(added) << added.error().to_string();
        return added ? *added : 0;
    }

    void expect_served(std::size_t listener) const {
        RawPeer peer = connect(listener);
        peer.send("hello");
        EXPECT_EQ(peer.read(5), "hello");
    }
};

TEST_P(AddingListeners, ServesAtOnce) {
    start();
    EXPECT_EQ(add("tcp://127.0.0.1:0"), 1U);
    EXPECT_EQ(add(unix_address("added")), 2U);
    EXPECT_EQ(engine().endpoints().size(), 3U);
    EXPECT_NE(engine().endpoints()[1].port(), 0) << "resolved";
    for (std::size_t listener = 0; listener < 3; ++listener) expect_served(listener);
}

TEST_P(AddingListeners, WorksOnAnEngineThatHadNone) {
    start(std::vector<std::string>{});
    EXPECT_EQ(add("tcp://127.0.0.1:0"), 0U);
    expect_served(0);
    EXPECT_EQ(stop().listeners.size(), 1U);
}

TEST_P(AddingListeners, IsShardedLikeTheOthers) {
    start(std::vector<std::string>{});
    add("tcp://127.0.0.1:0");
    std::vector<RawPeer> peers;
    std::set<std::uint32_t> used;
    for (std::size_t i = 0; i < 200 && used.size() < 2; ++i) {
        peers.push_back(connect(0));
        used.insert(opened(i).loop());
    }
    EXPECT_EQ(used.size(), 2U);
}

TEST_P(AddingListeners, IsRefusedWithTheReasonOfAStart) {
    start();
    const auto taken = engine().add_listener(engine().endpoints()[0].to_string());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), ErrorCode::address_in_use);
    const auto nonsense = engine().add_listener("tcp://nonsense");
    ASSERT_FALSE(nonsense);
    EXPECT_EQ(nonsense.error().code(), ErrorCode::invalid_address);
    EXPECT_EQ(engine().endpoints().size(), 1U);
}

TEST_P(AddingListeners, FailureLeavesNothingOpen) {
    start();
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 10; ++i) {
        EXPECT_FALSE(engine().add_listener(engine().endpoints()[0].to_string()));
        EXPECT_FALSE(engine().add_listener("unix:/does/not/exist/s"));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_P(AddingListeners, IsQuiescedAndReportedByTheStop) {
    start();
    add("tcp://127.0.0.1:0");
    add(unix_address("added"));
    RawPeer peer = connect(1);
    peer.send("in time");
    opened(0);
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), "in time");
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    ASSERT_EQ(report.listeners.size(), 3U);
    for (const ListenerReport& listener : report.listeners) {
        EXPECT_TRUE(listener.released) << listener.cause;
        EXPECT_NE(listener.quiesce, "");
    }
}

TEST_P(AddingListeners, CanBeClosedAgain) {
    Gate closed_one;
    script.listener_closed = [&](const ListenerReport& report) {
        EXPECT_TRUE(report.released) << report.cause;
        closed_one.open();
    };
    start();
    for (std::size_t i = 1; i <= 3; ++i) {
        ASSERT_EQ(add("tcp://127.0.0.1:0"), i) << "an index is not used twice";
        expect_served(i);
        ASSERT_TRUE(engine().close_listener(i));
        ASSERT_TRUE(closed_one.pass());
    }
    expect_served(0);
    EXPECT_EQ(engine().snapshot().listeners.size(), 4U);
    stop();
}

TEST_P(AddingListeners, WaitsWhileSuspended) {
    start();
    engine().suspend();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::suspended; }));
    add("tcp://127.0.0.1:0");
    RawPeer peer = connect(1);
    peer.send("hello");
    settle();
    EXPECT_TRUE(script.opened().empty());
    engine().resume();
    EXPECT_EQ(peer.read(5), "hello");
}

TEST_P(AddingListeners, IsPossibleFromACallback) {
    std::atomic<bool> is_added{false};
    script.open = [&](Connection& peer) {
        if (peer.listener_index() == 0) {
            is_added = engine().add_listener("tcp://127.0.0.1:0").has_value();
        }
        return Action::none;
    };
    start();
    const RawPeer peer = connect(0);
    EXPECT_TRUE(eventually([&] { return is_added.load(); }));
    expect_served(1);
    stop();
}

TEST_P(AddingListeners, IsRefusedUnlessTheEngineRuns) {
    Script other;
    const auto idle = make_engine(other);
    const auto before = idle->add_listener("tcp://127.0.0.1:0");
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code(), ErrorCode::not_running);
    start();
    stop();
    const auto after = engine().add_listener("tcp://127.0.0.1:0");
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code(), ErrorCode::not_running);
}

TEST_P(AddingListeners, ByManyThreadsRacesWithNobodyAndTheStop) {
    constexpr std::size_t kThreads = 3;
    options.verify = false;  // of a hundred ports of the machine, others take one meanwhile
    for (int run = 0; run < 5; ++run) {
        start();
        const std::size_t before = engine().endpoints().size();
        std::atomic<std::size_t> added{0};
        std::atomic<bool> is_over{false};
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < kThreads; ++i) {
                threads.emplace_back([&] {
                    for (int n = 0; n < 40 && engine().add_listener(address()); ++n) ++added;
                });
            }
            threads.emplace_back([&] {
                while (!is_over) static_cast<void>(engine().snapshot().listeners.size());
            });
            EXPECT_TRUE(eventually([&] { return added > 20; }));
            engine().request_stop();
            is_over = true;
        }
        const StopReport report = stop();
        EXPECT_EQ(report.outcome, StopOutcome::clean);
        EXPECT_EQ(report.listeners.size(), before + added);
        EXPECT_LE(report.descriptors.after, report.descriptors.before);
    }
}

// ── Shared ports ─────────────────────────────────────────────────────────────────────────────

class SharingAPort : public AddingListeners {};

// gnet's TestEngineStop: two engines on one port; one stops, the other serves.
TEST_P(SharingAPort, OneEngineStopsAndTheOtherServesOn) {
    options.share_port = true;
    start();
    const Endpoint at = engine().endpoints()[0];
    Script other;
    other.traffic = echo;
    const auto second = make_engine(other);
    ASSERT_TRUE(second->start(at.to_string()));
    std::vector<RawPeer> peers;
    for (int i = 0; i < 200 && (script.opened().empty() || other.opened().empty()); ++i) {
        peers.push_back(connect_to(at));
        peers.back().send("x");
        ASSERT_EQ(peers.back().read(1), "x");
    }
    EXPECT_FALSE(script.opened().empty());
    EXPECT_FALSE(other.opened().empty());
    peers.clear();

    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_TRUE(report.listeners.at(0).released) << report.listeners.at(0).cause;
    for (int i = 0; i < 10; ++i) {
        RawPeer peer = connect_to(at);
        peer.send("still here");
        EXPECT_EQ(peer.read(10), "still here");
    }
    EXPECT_TRUE(second->stop());
}

TEST_P(SharingAPort, NeedsTheConsentOfBoth) {
    options.balance = Balance::round_robin;  // shards of its own would be an invitation
    start();
    options.share_port = true;
    Script other;
    const auto joins = make_engine(other)->start(engine().endpoints()[0].to_string());
    ASSERT_FALSE(joins);
    EXPECT_EQ(joins.error().code(), ErrorCode::address_in_use);
}

TEST_P(SharingAPort, LeavesTheExclusiveStartToOthers) {
    options.share_port = true;
    start();
    options.share_port = false;
    Script other;
    const auto exclusive = make_engine(other)->start(engine().endpoints()[0].to_string());
    ASSERT_FALSE(exclusive);
    EXPECT_EQ(exclusive.error().code(), ErrorCode::address_in_use);
}

// ── Ports and paths ──────────────────────────────────────────────────────────────────────────

// Where each loop had a port of its own, most clients would not find it.
TEST_P(AddingListeners, PortZeroIsOnePortForAllLoops) {
    options.loops = 4;
    start();
    std::vector<RawPeer> peers;
    std::set<std::uint32_t> used;
    for (std::size_t i = 0; i < 400 && used.size() < 4; ++i) {
        peers.push_back(connect(0));
        used.insert(opened(i).loop());
    }
    EXPECT_EQ(used.size(), 4U);
}

// Where only the first loop took tcp4 at its word, IPv6 would be open on the others.
TEST_P(AddingListeners, EveryShardKeepsToItsFamily) {
    options.loops = 4;
    start("tcp4://:0");
    const std::string port = std::to_string(engine().endpoints()[0].port());
    EXPECT_THROW(RawPeer::connect(*Endpoint::parse("tcp6://[::1]:" + port)), std::system_error);
    std::vector<RawPeer> peers;
    std::set<std::uint32_t> used;
    for (std::size_t i = 0; i < 400 && used.size() < 4; ++i) {
        peers.push_back(connect_to(*Endpoint::parse("tcp4://127.0.0.1:" + port)));
        used.insert(opened(i).loop());
    }
    EXPECT_EQ(used.size(), 4U);
}

TEST_P(AddingListeners, UnixPathsHaveTheModeThatIsAskedFor) {
    options.unix_mode = 0640;
    start(unix_address("first"));
    add(unix_address("second"));
    for (const char* name : {"first", "second"}) {
        struct stat facts{};
        ASSERT_EQ(::stat(dir().file(name).c_str(), &facts), 0);
        EXPECT_EQ(facts.st_mode & 07777U, 0640U) << name;
    }
}

BERTH_FOR_EACH_DRIVER(AddingListeners);
BERTH_FOR_EACH_DRIVER(SharingAPort);

}  // namespace
}  // namespace berth::test
