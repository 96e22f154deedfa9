// SPDX-License-Identifier: MIT
//
// Connection::relay_to: two connections joined. The fixture's engine is a proxy: whoever connects
// is joined with a connection to `backend`.

#include "integration/support_engine.hpp"
#include "integration/support_unanswered.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Relaying : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.open = [this](Connection& peer) {
            if (peer.listener_index() == Connection::kNoListener) return Action::none;
            return dial(peer);
        };
    }

    // A client, and its backend's end.
    std::pair<RawPeer, RawPeer> pair_up() {
        RawPeer client = connect();
        RawPeer server = accept(backend);
        EXPECT_TRUE(eventually([&] { return joined > 0; }));
        return {std::move(client), std::move(server)};
    }
    std::uint64_t queued() { return engine().snapshot().outbound_bytes; }
    // Both sides', in order of the enum.
    std::vector<CloseReason> both_reasons() {
        closed(1);
        auto reasons = script.reasons();
        std::ranges::sort(reasons);
        return reasons;
    }

    RawListener backend{loopback_endpoint()};
    std::atomic<int> joined = 0;
    std::atomic<ConnectionId> front{};
    std::atomic<ConnectionId> back{};

private:
    Action dial(Connection& peer) {
        peer.pause_read();
        auto join = [this, token = peer.begin()](EventLoop& loop, Result<ConnectionId> dialled) {
            Connection* const client = loop.find(token.id());
            Connection* const server = dialled ? loop.find(*dialled) : nullptr;
            if (client == nullptr || server == nullptr) return;
            front = client->id();
            back = server->id();
            if (client->relay_to(*server)) ++joined;
        };
        EXPECT_TRUE(peer.loop().connect(backend.endpoint(), {.done = std::move(join)}));
        return Action::none;
    }
};

class RelayingAnything : public Relaying {};

TEST_P(RelayingAnything, CarriesBytesBothWaysWithoutTheHandler) {
    start();
    auto [client, server] = pair_up();
    client.send("question");
    EXPECT_EQ(server.read(8), "question");
    server.send("answer");
    EXPECT_EQ(client.read(6), "answer");
    EXPECT_EQ(script.count("on_traffic") + script.count("on_end"), 0U);
}

TEST_P(RelayingAnything, WhatCameBeforeTheyWereJoinedIsCarriedFirst) {
    start();
    RawPeer client = connect();
    client.send("early ");
    client.send("bird");
    client.end();
    RawPeer server = accept(backend);
    EXPECT_EQ(server.read_to_end(), "early bird");
    EXPECT_EQ(server.ended(), Ended::by_fin);
    server.send("worm");
    server.close();
    EXPECT_EQ(client.read_to_end(), "worm");
    EXPECT_EQ(client.ended(), Ended::by_fin);
}

TEST_P(RelayingAnything, AnEndOfTheClientIsCarriedOnAndTheAnswerComesBack) {
    start();
    auto [client, server] = pair_up();
    client.send("question");
    client.end();
    EXPECT_EQ(server.read_to_end(), "question");
    EXPECT_EQ(server.ended(), Ended::by_fin);
    server.send("answer");
    server.close();
    EXPECT_EQ(client.read_to_end(), "answer");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    client.close();
    EXPECT_EQ(both_reasons(), std::vector(2, CloseReason::peer_end));
}

TEST_P(RelayingAnything, AnEndOfTheServerIsCarriedOnAndTheClientGoesOnSending) {
    start();
    auto [client, server] = pair_up();
    server.send("all I know");
    server.end();
    EXPECT_EQ(client.read_to_end(), "all I know");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    client.send("and yet");
    client.close();
    EXPECT_EQ(server.read_to_end(), "and yet");
    EXPECT_EQ(server.ended(), Ended::by_fin);
    server.close();
    EXPECT_EQ(both_reasons(), std::vector(2, CloseReason::peer_end));
}

TEST_P(RelayingAnything, MegabytesGoBothWaysAtOnceInOrder) {
    options.output_high = 64U << 10U;
    options.output_low = 16U << 10U;
    start();
    auto [client, server] = pair_up();
    const std::string up = pattern(3U << 20U);
    const std::string down(up.rbegin(), up.rend());
    std::thread uploader([&, &peer = client] { peer.send(up); });
    std::thread downloader([&, &peer = server] { peer.send(down); });
    std::string arrived;
    std::thread reader([&, &peer = server] { arrived = peer.read(up.size()); });
    EXPECT_TRUE(client.read(down.size()) == down);
    for (std::thread* const thread : {&uploader, &downloader, &reader}) thread->join();
    EXPECT_TRUE(arrived == up);
}

TEST_P(RelayingAnything, AResetOfOneSideResetsTheOther) {
    start();
    auto [client, server] = pair_up();
    server.reset();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.ended(), Ended::by_reset);
    EXPECT_EQ(both_reasons(), (std::vector{CloseReason::peer_reset, CloseReason::relay_closed}));
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
}

TEST_P(Relaying, AnAnswerThatIsCompleteSurvivesAResetThatFollowsIt) {
    start();
    auto [client, server] = pair_up();
    server.send("answer");
    server.end();
    EXPECT_EQ(client.read(6), "answer");
    EXPECT_EQ(client.read_to_end(), "");
    server.reset();
    EXPECT_EQ(client.ended(), Ended::by_fin);
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    client.close();
    EXPECT_EQ(both_reasons().back(), CloseReason::relay_closed);
}

TEST_P(Relaying, ASideThatIsClosedAfterItsOutputClosesTheOtherInOrder) {
    start();
    auto [client, server] = pair_up();
    server.send("last words");
    EXPECT_EQ(client.read(10), "last words");
    engine().close(back);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    EXPECT_EQ(server.read_to_end(), "");
    EXPECT_EQ(server.ended(), Ended::by_fin);
    client.close();
    server.close();
    EXPECT_EQ(both_reasons(), (std::vector{CloseReason::local_close, CloseReason::relay_closed}));
}

TEST_P(Relaying, ASideThatIsResetResetsTheOther) {
    start();
    auto [client, server] = pair_up();
    engine().close(front, CloseMode::reset);
    EXPECT_EQ(server.read_to_end(), "");
    EXPECT_EQ(server.ended(), Ended::by_reset);
    EXPECT_EQ(both_reasons(), (std::vector{CloseReason::local_close, CloseReason::relay_closed}));
}

TEST_P(Relaying, AFastSenderIsHeldBackByASlowReaderAndMemoryStaysFlat) {
    options.output_high = 128U << 10U;
    options.output_low = 32U << 10U;
    start();
    auto [client, server] = pair_up();
    // And one receive, with what was sent too soon.
    const std::uint64_t most = options.output_high + (128U << 10U);
    std::string sent;
    const std::string piece = pattern(64U << 10U);
    std::uint64_t peak = 0;
    // Until nobody takes anything any more: not the client's kernel, not ours.
    const auto sends_nothing_more = [&] {
        const std::size_t taken = client.send_now(piece);
        sent += piece.substr(0, taken);
        peak = std::max(peak, queued());
        return taken == 0 && queued() > options.output_high;
    };
    ASSERT_TRUE(eventually(sends_nothing_more));
    EXPECT_LE(peak, most);
    EXPECT_GT(sent.size(), most) << "the rest is in the kernel";
    if (!speaks_records()) {  // which read before they write
        server.send("the other way is free");
        EXPECT_EQ(client.read(21), "the other way is free");
    }
    std::string arrived;
    std::thread reader([&, &peer = server] { arrived = peer.read_to_end(); });
    client.end();
    reader.join();
    EXPECT_TRUE(arrived == sent);
    EXPECT_TRUE(eventually([&] { return queued() == 0; }));
}

TEST_P(Relaying, CountsWhatItCarries) {
    start();
    auto [client, server] = pair_up();
    client.send("12345");
    EXPECT_EQ(server.read(5), "12345");
    server.send("123");
    EXPECT_EQ(client.read(3), "123");
    ConnectionCounters of_front;
    ConnectionCounters of_back;
    on_loop([&](EventLoop& loop) { of_front = loop.find(front)->counters(); }, front.load().loop());
    on_loop([&](EventLoop& loop) { of_back = loop.find(back)->counters(); }, back.load().loop());
    EXPECT_EQ(of_front.bytes_received, 5U);
    EXPECT_EQ(of_front.bytes_written, 3U);
    EXPECT_EQ(of_front.bytes_sent, 3U);
    EXPECT_EQ(of_back.bytes_received, 3U);
    EXPECT_EQ(of_back.bytes_written, 5U);
}

TEST_P(Relaying, IsRefusedWhereItMakesNoSense) {
    start();
    auto [client, server] = pair_up();
    on_loop(
        [&](EventLoop& loop) {
            Connection& one = *loop.find(front);
            EXPECT_FALSE(one.relay_to(one));
            EXPECT_FALSE(one.relay_to(*loop.find(back))) << "they are joined";
        },
        front.load().loop());
    client.send("still joined");
    EXPECT_EQ(server.read(12), "still joined");
}

TEST_P(Relaying, SilenceEndsBothInOrder) {
    options.idle_timeout = milliseconds{50};
    start();
    auto [client, server] = pair_up();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    EXPECT_EQ(server.read_to_end(), "");
    EXPECT_EQ(server.ended(), Ended::by_fin);
    client.close();
    server.close();
    EXPECT_EQ(both_reasons().front(), CloseReason::idle_timeout);
}

// ── A stop ───────────────────────────────────────────────────────────────────────────────────

TEST_P(RelayingAnything, AStopLetsTheServerAnswerWhatWasAsked) {
    start();
    auto [client, server] = pair_up();
    client.send("question");
    EXPECT_EQ(server.read(8), "question");
    engine().request_stop();
    EXPECT_EQ(server.read_to_end(), "") << "an end is the goodbye";
    EXPECT_EQ(server.ended(), Ended::by_fin);
    server.send("answer");
    server.close();
    EXPECT_EQ(client.read_to_end(), "answer");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    client.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.connections.forced, 0U);
    expect_balanced(report.bytes);
}

TEST_P(Relaying, AStopCarriesOnWhatHadArrived) {
    start();
    auto [client, server] = pair_up();
    const std::string upload = pattern(200'000);
    client.send(upload);
    engine().request_stop();
    EXPECT_TRUE(server.read_to_end() == upload);
    server.close();
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Relaying, WhoDoesNotAnswerIsResetAtTheDeadlineAndNotEnded) {
    start();
    auto [client, server] = pair_up();
    client.send("question");
    EXPECT_EQ(server.read(8), "question");
    const StopReport report = stop_within(milliseconds{100});
    EXPECT_EQ(report.connections.forced, 1U) << "the server has its end: " << report.to_string();
    expect_balanced(report.bytes);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.ended(), Ended::by_reset);
}

TEST_P(Relaying, AStopWhileTheServerIsStillDialledEndsTheClientOnce) {
    const Unanswered silent;
    script.open = [&](Connection& peer) {
        peer.pause_read();
        auto done = [this, token = peer.begin()](EventLoop& loop, Result<ConnectionId> dialled) {
            ++joined;
            Connection* const client = loop.find(token.id());
            EXPECT_FALSE(dialled);
            if (client != nullptr) client->close();
        };
        EXPECT_TRUE(peer.loop().connect(silent.endpoint(), {.done = std::move(done)}));
        return Action::none;
    };
    start();
    const RawPeer client = connect();
    opened();
    stop();
    EXPECT_EQ(joined, 1);
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(script.count("on_close"), 1U);
}

BERTH_FOR_EACH_DRIVER(Relaying);
BERTH_FOR_EACH_DRIVER(RelayingAnything);

}  // namespace
}  // namespace berth::test
