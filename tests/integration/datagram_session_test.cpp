// SPDX-License-Identifier: MIT
//
// Sessions: the peers of a udp:// listener as connections: begun, bounded, ended.

#include "integration/support_engine.hpp"
#include "support/raw_datagram.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using namespace std::chrono_literals;

class DatagramSessions : public AnEngine {
protected:
    void start_sessions(const std::string& address = "udp://127.0.0.1:0") {
        options.datagrams.sessions = true;
        AnEngine::start(address);
    }
    Endpoint to(std::size_t listener = 0) { return reachable(engine().endpoints().at(listener)); }
    RawDatagramSocket client(std::size_t listener = 0) { return RawDatagramSocket(to(listener)); }
    std::string echoed(RawDatagramSocket& peer, const std::string& bytes) {
        peer.send_to(to(), bytes);
        return peer.read().bytes;
    }
    EngineSnapshot::Datagrams counted() { return engine().snapshot().datagrams; }
    bool counts(std::uint64_t EngineSnapshot::Datagrams::* what, std::uint64_t wanted) {
        return eventually([&] { return counted().*what == wanted; });
    }
};

// ── Beginning ────────────────────────────────────────────────────────────────────────────────

TEST_P(DatagramSessions, BeginWithTheFirstDatagram) {
    script.traffic = echo;
    start_sessions();
    RawDatagramSocket one = client();
    RawDatagramSocket two = client();
    for (const char* text : {"first", "second"}) EXPECT_EQ(echoed(one, text), text);
    EXPECT_EQ(echoed(two, "another"), "another");
    settle();
    EXPECT_EQ(script.calls(),
              (std::vector<std::string>{"on_boot", "on_loop_start", "on_open", "on_traffic",
                                        "on_traffic", "on_open", "on_traffic"}));
    EXPECT_EQ(engine().connection_count(), 2U);
    EXPECT_EQ(engine().snapshot().listeners.at(0).connections, 2U);
    EXPECT_EQ(engine().snapshot().counters.accepted, 2U);
}

TEST_P(DatagramSessions, KnowBothAddressesAndTheirListener) {
    script.traffic = [](Connection& peer) {
        peer.write(peer.peer_endpoint().to_string() + ' ' + peer.local_endpoint().to_string() +
                   ' ' + std::to_string(peer.listener_index()));
        peer.discard();
        return Action::none;
    };
    options.datagrams.sessions = true;
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "udp4://127.0.0.1:0"});
    RawDatagramSocket peer = client(1);
    peer.send_to(to(1), "who?");
    const Endpoint asked{Scheme::udp4, peer.endpoint().ip()};
    EXPECT_EQ(peer.read().bytes,
              asked.to_string() + ' ' + engine().endpoints()[1].to_string() + " 1");
}

TEST_P(DatagramSessions, AnswerFromTheAddressThatTheirPeerWritesTo) {
    script.traffic = [](Connection& peer) {
        peer.write(peer.local_endpoint().to_string());
        peer.discard();
        return Action::none;
    };
    start_sessions("udp4://:0");
    RawDatagramSocket peer = client();
    IpEndpoint second = to().ip();
    second.address = {127, 0, 0, 2};
    for (const IpEndpoint& ours : {to().ip(), second, to().ip()}) {
        const Endpoint target{Scheme::udp4, ours};
        peer.send_to(target, "to which?");
        const Letter answer = peer.read();
        EXPECT_EQ(answer.bytes, target.to_string());
        EXPECT_EQ(answer.from, ours);
    }
    EXPECT_EQ(script.opened().size(), 2U);  // a session is a pair of addresses
}

TEST_P(DatagramSessions, SeeEachDatagramAlone) {
    script.traffic = [](Connection& peer) {
        peer.write(std::to_string(peer.unread()));
        peer.discard(3);  // the rest is not seen again
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "12345"), "5");
    EXPECT_EQ(echoed(peer, ""), "0");
    EXPECT_EQ(echoed(peer, pattern(9000)), "9000");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::unread, 2));
    EXPECT_EQ(script.opened().size(), 1U);
}

TEST_P(DatagramSessions, SendOneDatagramForEachWrite) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.write("welcome"), WriteStatus::queued);
        return Action::none;
    };
    script.traffic = [](Connection& peer) {
        EXPECT_EQ(peer.write("one"), WriteStatus::queued);
        EXPECT_EQ(peer.write(""), WriteStatus::queued);
        EXPECT_EQ(peer.write(Buffer::copy_of("three")), WriteStatus::queued);
        EXPECT_EQ(peer.write(std::string(65'508, 'x')), WriteStatus::refused);
        peer.discard();
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "hello"), "welcome");
    for (const char* text : {"one", "", "three"}) EXPECT_EQ(peer.read().bytes, text);
    settle();
    EXPECT_EQ(engine().connection_count(), 1U);
}

TEST_P(DatagramSessions, AreReachedByTheirIdAndByTimers) {
    script.open = [](Connection& peer) {
        peer.schedule_after(1ms, [](Connection& later) { later.write("a moment later"); });
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "hello"), "a moment later");
    const ConnectionId id = opened();
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().write(id, "from another thread", std::move(done));
              }),
              Delivery::written);
    EXPECT_EQ(peer.read().bytes, "from another thread");
    EXPECT_TRUE(engine().close(id));
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(DatagramSessions, HaveNoSocketOfTheirOwn) {
    script.traffic = [](Connection& peer) {
        const auto refused = peer.set_receive_buffer(100'000);
        peer.write(refused ? "set" : refused.error().to_string());
        EXPECT_FALSE(peer.duplicate());
        peer.discard();
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_NE(echoed(peer, "set it").find("share of its listener's"), std::string::npos);
}

// ── Bounds ───────────────────────────────────────────────────────────────────────────────────

TEST_P(DatagramSessions, EndWhenTheyAreIdleAndBeginAnew) {
    options.datagrams.session_idle = 30ms;
    script.traffic = echo;
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "hello"), "hello");
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
    EXPECT_EQ(echoed(peer, "again"), "again");
    EXPECT_NE(opened(0), opened(1));
}

TEST_P(DatagramSessions, MayHaveAnIdleTimeoutOfTheirOwn) {
    script.open = [](Connection& peer) {
        peer.set_idle_timeout(20ms);
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hello");
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
}

TEST_P(DatagramSessions, AreNoMoreThanTheirBound) {
    options.datagrams.sessions_max = 2;
    options.logger = &journal;
    script.traffic = [](Connection& peer) {
        const bool says_goodbye = as_text(peer.peek()) == "goodbye";
        echo(peer);
        return says_goodbye ? Action::close : Action::none;
    };
    start_sessions();
    RawDatagramSocket one = client();
    RawDatagramSocket two = client();
    RawDatagramSocket three = client();
    EXPECT_EQ(echoed(one, "one"), "one");
    EXPECT_EQ(echoed(two, "two"), "two");
    three.send_to(to(), "three");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::unadmitted, 1));
    EXPECT_EQ(echoed(one, "still here"), "still here");
    const auto limit = static_cast<std::size_t>(Refusal::listener_limit);
    EXPECT_EQ(engine().snapshot().counters.refused.at(limit), 1U);
    EXPECT_TRUE(journal.has(LogLevel::warning, "clients are refused"));
    EXPECT_EQ(echoed(two, "goodbye"), "goodbye");
    closed();
    EXPECT_EQ(echoed(three, "and now?"), "and now?");
}

TEST_P(DatagramSessions, TakeNothingFromStreams) {
    options.connections_max = 1;
    options.idle_timeout = 0ms;
    options.datagrams.session_idle = 20ms;
    options.datagrams.sessions = true;
    script.traffic = echo;
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"});
    std::vector<RawDatagramSocket> peers;
    for (int count = 0; count < 3; ++count) {
        peers.push_back(client(1));
        peers.back().send_to(to(1), "hello");
        EXPECT_EQ(peers.back().read().bytes, "hello");
    }
    RawPeer stream = connect();
    stream.send("bytes");
    EXPECT_EQ(stream.read(5), "bytes");
    for (std::size_t index = 0; index < 3; ++index) {
        EXPECT_EQ(closed(index), CloseReason::idle_timeout);
    }
    stream.send("still");
    EXPECT_EQ(stream.read(5), "still");
}

// ── Ending ───────────────────────────────────────────────────────────────────────────────────

TEST_P(DatagramSessions, EndByTheirHandlerAndBeginAnew) {
    script.traffic = [](Connection& peer) {
        echo(peer);
        return Action::close;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    for (std::size_t round = 0; round < 3; ++round) {
        EXPECT_EQ(echoed(peer, "hello"), "hello");
        EXPECT_EQ(closed(round), CloseReason::local_close);
    }
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
}

TEST_P(DatagramSessions, ThatAreTurnedAwayByTheirHandlerSeeNoDatagram) {
    script.open = [](Connection&) { return Action::close; };
    start_sessions();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hello");
    EXPECT_EQ(closed(), CloseReason::local_close);
    EXPECT_EQ(script.count("on_traffic"), 0U);
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::dropped, 1));
}

TEST_P(DatagramSessions, ThatArePausedLoseWhatComes) {
    script.traffic = [](Connection& peer) {
        echo(peer);
        peer.pause_read();
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "one"), "one");
    peer.send_to(to(), "two");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::dropped, 1));
    engine().post(opened(), [](Connection& paused) { paused.resume_read(); });
    settle();
    EXPECT_EQ(echoed(peer, "three"), "three");
}

// ── Stopping ─────────────────────────────────────────────────────────────────────────────────

TEST_P(DatagramSessions, EndInOrderWithAStop) {
    script.traffic = echo;
    script.drain = [](Connection& peer, Deadline) {
        peer.write("goodbye");
        return Action::close;
    };
    start_sessions();
    RawDatagramSocket one = client();
    RawDatagramSocket two = client();
    echoed(one, "one");
    echoed(two, "two");
    const StopReport report = stop();
    EXPECT_EQ(one.read().bytes, "goodbye");
    EXPECT_EQ(two.read().bytes, "goodbye");
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 2U);
    EXPECT_EQ(report.connections.forced, 0U);
    EXPECT_TRUE(report.listeners.at(0).released);
    expect_balanced(report.bytes);
}

TEST_P(DatagramSessions, AreServedOnWhileTheyDrainAndNobodyElse) {
    std::optional<InFlight> work;
    script.traffic = [&](Connection& peer) {
        if (as_text(peer.peek()) == "done") work.reset();
        return echo(peer);
    };
    script.drain = [](Connection&, Deadline) { return Action::close; };
    script.open = [&](Connection& peer) {
        work = peer.begin();
        return Action::none;
    };
    start_sessions();
    RawDatagramSocket peer = client();
    RawDatagramSocket stranger = client();
    echoed(peer, "hello");
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::draining; }));
    EXPECT_EQ(echoed(peer, "and one more"), "and one more");
    stranger.send_to(to(), "me too");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::unadmitted, 1));
    EXPECT_EQ(echoed(peer, "done"), "done");
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean);
    EXPECT_TRUE(report->listeners.at(0).released);
}

TEST_P(DatagramSessions, ThatStayAreCutOffAtTheDeadline) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start_sessions();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hello");
    opened();
    const StopReport report = stop_within(50ms);
    EXPECT_EQ(closed(), CloseReason::stop_forced);
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_TRUE(report.listeners.at(0).released);
}

TEST_P(DatagramSessions, EndWithTheirListener) {
    script.traffic = echo;
    script.drain = [](Connection& peer, Deadline) {
        peer.write("goodbye");
        return Action::close;
    };
    std::optional<ListenerReport> ended;
    script.listener_closed = [&](const ListenerReport& report) { ended = report; };
    start_sessions();
    RawDatagramSocket peer = client();
    echoed(peer, "hello");
    ASSERT_TRUE(engine().close_listener(0));
    EXPECT_EQ(peer.read().bytes, "goodbye");
    EXPECT_EQ(closed(), CloseReason::stop_graceful);
    EXPECT_TRUE(eventually([&] { return script.count("on_listener_closed") == 1; }));
    stop();
    ASSERT_TRUE(ended);
    EXPECT_TRUE(ended->released);
}

TEST_P(DatagramSessions, OfOneListenerLeaveOthersWithoutSessions) {
    script.traffic = echo;
    script.datagram = [](Datagram& datagram) { datagram.reply("a datagram"); };
    AnEngine::start("udp://127.0.0.1:0");
    const auto added = engine().add_listener("udp://127.0.0.1:0", {.sessions = true});
    ASSERT_TRUE(added) << added.error().to_string();
    RawDatagramSocket peer = client(1);
    peer.send_to(to(1), "a session");
    EXPECT_EQ(peer.read().bytes, "a session");
    EXPECT_EQ(echoed(peer, "hello"), "a datagram");
    EXPECT_FALSE(engine().add_listener("tcp://127.0.0.1:0", {.sessions = true}));
    EXPECT_FALSE(engine().add_listener("udp://127.0.0.1:0", {.sessions_max = 0}));
}

TEST_P(DatagramSessions, StayOnTheLoopOfTheirPeer) {
    options.loops = 4;
    script.traffic = [](Connection& peer) {
        peer.write(std::to_string(peer.loop().index()));
        peer.discard();
        return Action::none;
    };
    start_sessions();
    for (int round = 0; round < 20; ++round) {
        RawDatagramSocket peer = client();
        const std::string first = echoed(peer, "which?");
        EXPECT_EQ(echoed(peer, "and now?"), first);
    }
    EXPECT_EQ(script.opened().size(), 20U);
}

BERTH_FOR_EACH_DRIVER(DatagramSessions);

}  // namespace
}  // namespace berth::test
