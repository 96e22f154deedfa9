// SPDX-License-Identifier: MIT
//
// Datagrams: what a udp:// listener receives, what it sends, how it ends.

#include <berth/datagram.hpp>

#include "integration/support_engine.hpp"
#include "support/allocations.hpp"
#include "support/raw_datagram.hpp"

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace berth::test {
namespace {

class Datagrams : public AnEngine {
protected:
    void start_udp(const std::string& address = "udp://127.0.0.1:0") { AnEngine::start(address); }
    void echo_datagrams() {
        script.datagram = [](Datagram& datagram) { datagram.reply(datagram.payload()); };
    }
    Endpoint to(std::size_t listener = 0) { return reachable(engine().endpoints().at(listener)); }
    RawDatagramSocket client(std::size_t listener = 0) { return RawDatagramSocket(to(listener)); }
    std::string echoed(RawDatagramSocket& peer, const std::string& bytes) {
        peer.send_to(to(), bytes);
        return peer.read().bytes;
    }
    // Once the counters of the engine say so.
    testing::AssertionResult counts(std::uint64_t EngineSnapshot::Datagrams::* what,
                                    std::uint64_t wanted) {
        const auto now = [&] { return engine().snapshot().datagrams.*what; };
        if (eventually([&] { return now() >= wanted; }) && now() == wanted) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << now() << ", not " << wanted;
    }
};

// ── Receiving and answering ──────────────────────────────────────────────────────────────────

TEST_P(Datagrams, ComeBackOfEverySize) {
    echo_datagrams();
    start_udp();
    RawDatagramSocket peer = client();
    for (const std::size_t size : {1UZ, 0UZ, 512UZ, 9000UZ, 65'507UZ}) {
        const std::string sent = pattern(size);
        ASSERT_EQ(echoed(peer, sent), sent) << size;
    }
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::received, 5));
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::sent, 5));
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::bytes_sent, 1 + 512 + 9000 + 65'507));
}

TEST_P(Datagrams, KeepTheirBoundsInABurst) {
    echo_datagrams();
    start_udp();
    RawDatagramSocket peer = client();
    std::multiset<std::string> sent;
    std::multiset<std::string> heard;
    for (int number = 0; number < 100; ++number) {
        sent.insert(std::string(1, 'a') + std::to_string(number));
        peer.send_to(to(), "a" + std::to_string(number));
    }
    while (heard.size() < sent.size()) heard.insert(peer.read().bytes);
    EXPECT_EQ(heard, sent);
}

TEST_P(Datagrams, KnowBothAddressesAndTheirListener) {
    script.datagram = [](Datagram& datagram) {
        datagram.reply(datagram.peer_endpoint().to_string() + ' ' +
                       datagram.local_endpoint().to_string() + ' ' +
                       std::to_string(datagram.listener_index()) + ' ' +
                       std::to_string(datagram.loop().index()));
    };
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "udp4://127.0.0.1:0"});
    RawDatagramSocket peer = client(1);
    peer.send_to(to(1), "who?");
    EXPECT_EQ(peer.read().bytes,
              peer.endpoint().to_string() + ' ' + engine().endpoints()[1].to_string() + " 1 0");
}

TEST_P(Datagrams, AreAnsweredFromTheAddressTheyWereSentTo) {
    script.datagram = [](Datagram& datagram) {
        datagram.reply(datagram.local_endpoint().to_string());
    };
    start_udp("udp4://:0");
    RawDatagramSocket peer = client();
    IpEndpoint second = to().ip();
    second.address = {127, 0, 0, 2};
    const Endpoint target{Scheme::udp4, second};
    peer.send_to(target, "to the second");
    const Letter answer = peer.read();
    EXPECT_EQ(answer.bytes, target.to_string());
    EXPECT_EQ(answer.from, second);
}

TEST_P(Datagrams, OfBothFamiliesReachADualStack) {
    script.datagram = [](Datagram& datagram) {
        datagram.reply(std::to_string(datagram.peer_endpoint().ip().family) + '/' +
                       std::to_string(datagram.local_endpoint().ip().family));
    };
    start_udp("udp://:0");
    const std::string port = std::to_string(engine().endpoints()[0].port());
    for (const char* host : {"127.0.0.1", "[::1]"}) {
        const Endpoint target = *Endpoint::parse(std::string("udp://") + host + ':' + port);
        RawDatagramSocket peer(target);
        peer.send_to(target, "which?");
        const Letter answer = peer.read();
        EXPECT_EQ(answer.bytes, target.ip().family == 4 ? "4/4" : "6/6");
        EXPECT_EQ(answer.from, target.ip());
    }
}

TEST_P(Datagrams, LongerThanTheBoundSayThatTheyAreCut) {
    options.datagram_max = 100;
    script.datagram = [](Datagram& datagram) {
        datagram.reply(std::to_string(datagram.payload().size()) +
                       (datagram.is_truncated() ? " cut" : " whole"));
    };
    start_udp();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, pattern(101)), "100 cut");
    EXPECT_EQ(echoed(peer, pattern(100)), "100 whole");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::truncated, 1));
}

TEST_P(Datagrams, GetAsManyRepliesAsTheirHandlerSends) {
    script.datagram = [](Datagram& datagram) {
        std::string word = "first";
        datagram.reply(word);
        word = "xxxxx";  // what was sent is copied
        datagram.reply("");
        for (int number = 0; number < 100; ++number) datagram.reply(std::to_string(number));
        EXPECT_FALSE(datagram.reply(std::string(65'508, 'x')));
    };
    start_udp();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "many, please"), "first");
    EXPECT_EQ(peer.read().bytes, "");
    for (int number = 0; number < 100; ++number)
        EXPECT_EQ(peer.read().bytes, std::to_string(number));
}

TEST_P(Datagrams, LongRepliesOfOneCallbackAllLeave) {
    script.datagram = [](Datagram& datagram) {
        for (char letter = 'a'; letter < 'e'; ++letter) datagram.reply(std::string(30'000, letter));
    };
    start_udp();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "long ones");
    for (char letter = 'a'; letter < 'e'; ++letter) {
        EXPECT_EQ(peer.read().bytes, std::string(30'000, letter));
    }
}

TEST_P(Datagrams, ThatAHandlerThrowsOnCostNothingElse) {
    options.logger = &journal;
    script.datagram = [](Datagram& datagram) {
        if (datagram.text() == "bad") throw std::runtime_error("a bad one");
        datagram.reply(datagram.payload());
    };
    start_udp();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "bad");
    EXPECT_EQ(echoed(peer, "good"), "good");
    EXPECT_TRUE(journal.has(LogLevel::error, "on_datagram threw"));
    EXPECT_EQ(engine().snapshot().counters.handler_exceptions, 1U);
}

TEST_P(Datagrams, AllocateNothing) {
    std::atomic<std::size_t> allocated{0};
    script.datagram = [&](Datagram& datagram) {
        static thread_local std::size_t before = 0;
        const std::size_t now = allocations_of_this_thread();
        if (datagram.text() == "end") allocated = now - before;
        datagram.reply(datagram.payload());
        if (datagram.text() == "begin") before = now;
    };
    start_udp();
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "warm"), "warm");
    EXPECT_EQ(echoed(peer, "begin"), "begin");
    for (int round = 0; round < 50; ++round) ASSERT_EQ(echoed(peer, "ping"), "ping");
    EXPECT_EQ(echoed(peer, "end"), "end");
    EXPECT_EQ(allocated, 0U);
}

TEST_P(Datagrams, TheKernelDroppedAreCounted) {
    Gate gate;
    script.datagram = [&](Datagram& datagram) {
        if (datagram.text() == "hold") gate.pass();
    };
    start_udp();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hold");
    ASSERT_TRUE(counts(&EngineSnapshot::Datagrams::received, 1));
    for (int number = 0; number < 2000; ++number) peer.send_to(to(), pattern(1000));
    gate.open();
    EXPECT_TRUE(eventually([&] {
        peer.send_to(to(), "and now?");
        return engine().snapshot().datagrams.dropped > 0;
    }));
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Datagrams, GoToAnyAddressFromALoop) {
    std::vector<Endpoint> known;
    script.datagram = [&](Datagram& datagram) {
        known.push_back(datagram.peer_endpoint());
        if (known.size() < 3) return;
        for (const Endpoint& each : known) datagram.loop().send_to(0, each, "all are here");
    };
    start_udp();
    RawDatagramSocket one = client();
    RawDatagramSocket two = client();
    RawDatagramSocket three = client();
    for (RawDatagramSocket* peer : {&one, &two, &three}) peer->send_to(to(), "here");
    for (RawDatagramSocket* peer : {&one, &two, &three}) {
        EXPECT_EQ(peer->read().bytes, "all are here");
    }
    settle();
}

TEST_P(Datagrams, GoToAnyAddressFromATask) {
    start_udp();
    RawDatagramSocket peer = client();
    on_loop([&](EventLoop& loop) {
        EXPECT_TRUE(loop.send_to(0, peer.endpoint(), "from a task"));
        EXPECT_FALSE(loop.send_to(1, peer.endpoint(), "no such listener"));
        EXPECT_FALSE(loop.send_to(0, *Endpoint::parse("unix:/nowhere"), "no address"));
    });
    EXPECT_EQ(peer.read().bytes, "from a task");
}

TEST_P(Datagrams, GoToAnyAddressFromAnyThread) {
    options.loops = 2;
    options.balance = Balance::round_robin;  // the socket is on one loop only
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"});
    RawDatagramSocket peer = client(1);
    for (const char* text : {"one", "two", "three"}) {
        EXPECT_TRUE(engine().send_to(1, peer.endpoint(), Buffer::copy_of(text)));
    }
    for (const char* text : {"one", "two", "three"}) EXPECT_EQ(peer.read().bytes, text);
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.send_to(1, peer.endpoint(), "four")); }, 0);
    EXPECT_EQ(peer.read().bytes, "four");
    EXPECT_FALSE(engine().send_to(0, peer.endpoint(), Buffer::copy_of("not a stream")));
    EXPECT_FALSE(engine().send_to(2, peer.endpoint(), Buffer::copy_of("nothing there")));
    const Endpoint before = peer.endpoint();
    stop();
    EXPECT_FALSE(engine().send_to(1, before, Buffer::copy_of("too late")));
}

TEST_P(Datagrams, ToNobodyEndNothing) {
    echo_datagrams();
    start_udp();
    RawDatagramSocket gone = client();
    const Endpoint nobody = gone.endpoint();
    gone.close();
    for (int round = 0; round < 3; ++round) {
        on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.send_to(0, nobody, "anybody?")); });
    }
    RawDatagramSocket peer = client();
    EXPECT_EQ(echoed(peer, "still here"), "still here");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::sent, 4));
}

TEST_P(Datagrams, ThatTheKernelRefusesAreCounted) {
    start_udp();
    RawDatagramSocket peer = client();
    on_loop([&](EventLoop& loop) {
        // A socket of 127.0.0.1 has no way to another machine.
        EXPECT_TRUE(loop.send_to(0, *Endpoint::parse("udp://255.255.255.255:9"), "to all"));
        EXPECT_TRUE(loop.send_to(0, peer.endpoint(), "to one"));
    });
    EXPECT_EQ(peer.read().bytes, "to one");
    EXPECT_TRUE(counts(&EngineSnapshot::Datagrams::refused, 1));
}

// ── Loops ────────────────────────────────────────────────────────────────────────────────────

TEST_P(Datagrams, AreSpreadOverTheLoopsByTheirSender) {
    options.loops = 4;
    script.datagram = [](Datagram& datagram) {
        datagram.reply(std::to_string(datagram.loop().index()));
    };
    start_udp();
    std::set<std::string> loops;
    for (int count = 0; count < 200 && loops.size() < 2; ++count) {
        RawDatagramSocket peer = client();
        const std::string first = echoed(peer, "which?");
        EXPECT_EQ(echoed(peer, "and now?"), first);  // one sender, one loop
        loops.insert(first);
    }
    EXPECT_GE(loops.size(), 2U);
}

TEST_P(Datagrams, OfATakenPortAreRefusedAtTheStart) {
    options.loops = 2;
    start_udp();
    Script other;
    const auto second = make_engine(other);
    const auto started = second->start(engine().endpoints()[0].to_string());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::address_in_use);
}

TEST_P(Datagrams, LeaveStreamsOfTheSameEngineAlone) {
    script.traffic = echo;
    echo_datagrams();
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"});
    RawPeer stream = connect();
    stream.send("bytes");
    EXPECT_EQ(stream.read(5), "bytes");
    RawDatagramSocket peer = client(1);
    peer.send_to(to(1), "datagram");
    EXPECT_EQ(peer.read().bytes, "datagram");
    stream.close();
    closed();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_TRUE(report.listeners.at(0).released);
    EXPECT_TRUE(report.listeners.at(1).released);
    EXPECT_EQ(report.listeners.at(1).quiesce, "emptied");
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Datagrams, ThatHadArrivedAreAnsweredByAStop) {
    Gate gate;
    script.datagram = [&](Datagram& datagram) {
        if (datagram.text() == "hold") gate.pass();
        datagram.reply(datagram.payload());
    };
    start_udp();
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hold");
    ASSERT_TRUE(counts(&EngineSnapshot::Datagrams::received, 1));
    for (int number = 0; number < 100; ++number) peer.send_to(to(), std::to_string(number));
    engine().request_stop();
    gate.open();
    const StopReport report = stop();
    EXPECT_EQ(peer.read().bytes, "hold");
    for (int number = 0; number < 100; ++number) {
        EXPECT_EQ(peer.read().bytes, std::to_string(number));
    }
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(report.listeners.at(0).datagrams_after_stop, 100U);
}

TEST_P(Datagrams, PortIsFreeAtOnceAfterAStop) {
    options.loops = 2;
    echo_datagrams();
    start_udp();
    const std::string address = engine().endpoints()[0].to_string();
    for (int round = 0; round < 5; ++round) {
        RawDatagramSocket peer = client();
        ASSERT_EQ(echoed(peer, "ping"), "ping");
        const StopReport report = stop();
        ASSERT_EQ(report.outcome, StopOutcome::clean);
        ASSERT_TRUE(report.listeners.at(0).released) << report.listeners.at(0).cause;
        start_udp(address);
    }
}

TEST_P(Datagrams, WaitWhileTheListenerIsSuspended) {
    echo_datagrams();
    start_udp();
    engine().suspend();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::suspended; }));
    RawDatagramSocket peer = client();
    peer.send_to(to(), "wait");
    EXPECT_TRUE(peer.hears_nothing());
    engine().resume();
    EXPECT_EQ(peer.read().bytes, "wait");
}

TEST_P(Datagrams, ThatWaitedAreAnsweredByAStopOfASuspendedEngine) {
    echo_datagrams();
    start_udp();
    engine().suspend();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::suspended; }));
    RawDatagramSocket peer = client();
    peer.send_to(to(), "waited");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(peer.read().bytes, "waited");
}

TEST_P(Datagrams, ListenerCanBeClosedAlone) {
    echo_datagrams();
    std::atomic<bool> released{false};
    script.listener_closed = [&](const ListenerReport& report) { released = report.released; };
    start(std::vector<std::string>{"udp://127.0.0.1:0", "udp://127.0.0.1:0"});
    const Endpoint first = to(0);
    EXPECT_TRUE(engine().close_listener(0));
    EXPECT_TRUE(eventually([&] { return released.load(); }));
    RawDatagramSocket peer = client(1);
    peer.send_to(to(1), "the other");
    EXPECT_EQ(peer.read().bytes, "the other");
    EXPECT_FALSE(engine().send_to(0, peer.endpoint(), Buffer::copy_of("closed")));
    const auto diagnosis = Engine::diagnose(first.to_string());
    ASSERT_TRUE(diagnosis);
    EXPECT_TRUE(diagnosis->is_free);
}

TEST_P(Datagrams, PortIsExplainedWhileItIsHeld) {
    start_udp();
    const auto diagnosis = Engine::diagnose(engine().endpoints()[0].to_string());
    ASSERT_TRUE(diagnosis);
    EXPECT_FALSE(diagnosis->is_free);
}

TEST_P(Datagrams, BoundIsChecked) {
    Script other;
    for (const std::size_t bad : {0UZ, (64UZ << 10U) + 1}) {
        options.datagram_max = bad;
        const auto started = make_engine(other)->start("udp://127.0.0.1:0");
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code(), ErrorCode::invalid_option);
    }
}

BERTH_FOR_EACH_DRIVER(Datagrams);

}  // namespace
}  // namespace berth::test
