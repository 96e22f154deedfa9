// SPDX-License-Identifier: MIT
//
// AdminServer: it tells the truth about the engine beside it, also while that is busy or stops,
// and whoever talks to it badly hurts only himself.

#include <berth/admin.hpp>

#include "integration/support_engine.hpp"
#include "support/strict_exposition.hpp"

#include <gmock/gmock.h>

#include <charconv>
#include <random>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Page {
    int status = 0;
    std::string head;
    std::string body;
};

Page page_of(const std::string& wire) {
    const auto end = wire.find("\r\n\r\n");
    if (!wire.starts_with("HTTP/1.1 ") || end == std::string::npos) return {0, wire, {}};
    Page page{0, wire.substr(0, end), wire.substr(end + 4)};
    std::from_chars(wire.data() + 9, wire.data() + 12, page.status);
    return page;
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

class Administration : public AnEngine {
protected:
    ~Administration() override { leave.open(); }

    void start_with_admin(Duration busy_max = AdminServer::kBusyMax) {
        start();
        admin.emplace(engine(), options, busy_max);
        ASSERT_TRUE(admin->start("tcp://127.0.0.1:0"));
    }
    RawPeer visit() { return RawPeer::connect(admin->endpoints().at(0)); }
    // All that it says to one who sends `request` and waits for the end.
    std::string say(const std::string& request) {
        RawPeer peer = visit();
        peer.send(request);
        return peer.read_to_end();
    }
    Page get(const std::string& path) {
        return page_of(say("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }

    void TearDown() override {
        leave.open();
        admin.reset();
        AnEngine::TearDown();
    }

    Gate entered;
    Gate leave;
    std::optional<AdminServer> admin;
};

// ── What it says ─────────────────────────────────────────────────────────────────────────────

TEST_P(Administration, MetricsAreWellFormedAndMove) {
    start_with_admin();
    const RawPeer peer = connect();
    opened();
    const Page page = get("/metrics");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
    const StrictExposition metrics(page.body);
    EXPECT_THAT(metrics.complaints(), IsEmpty());
    EXPECT_EQ(metrics.value("berth_ready"), 1);
    EXPECT_EQ(metrics.value("berth_accepted_total"), 1);
    EXPECT_EQ(metrics.value("berth_connections{state=\"open\"}"), 1);
}

TEST_P(Administration, ReadyEndsBeforeAnythingCloses) {
    options.lame_duck = patience();
    script.traffic = echo;
    start_with_admin();
    EXPECT_EQ(get("/readyz").status, 200);
    RawPeer before = connect();
    opened();
    engine().request_stop(within(2 * patience()));
    const Page page = get("/readyz");
    EXPECT_EQ(page.status, 503) << "at once, not after the coordinator has looked";
    EXPECT_THAT(page.body, HasSubstr("asked by api"));
    RawPeer late = connect();
    for (RawPeer* peer : {&before, &late}) {
        peer->send("served");
        EXPECT_EQ(peer->read(6), "served");
    }
    EXPECT_TRUE(
        eventually([&] { return get("/readyz").body.starts_with("lame_duck: asked by api"); }));
    engine().request_stop(within(Duration::zero()));
}

TEST_P(Administration, StateOfAStopIsSeenWhileItRuns) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start_with_admin();
    RawPeer peer = connect();
    opened();
    engine().request_stop(within(patience()));
    EXPECT_TRUE(eventually([&] { return engine().state() == EngineState::draining; }));
    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_EQ(get("/livez").status, 200) << "it stops, and is well";
    const Page state = get("/state");
    EXPECT_THAT(state.head, HasSubstr("Content-Type: application/json"));
    EXPECT_THAT(state.body, HasSubstr(R"("state":"draining")"));
    EXPECT_THAT(state.body, HasSubstr(R"("is_requested":true,"requested_by":"api")"));
    peer.close();
}

TEST_P(Administration, AnswersAfterTheEngineHasStopped) {
    start_with_admin();
    stop();
    EXPECT_EQ(StrictExposition(get("/metrics").body).value("berth_stops_total{outcome=\"clean\"}"),
              1);
    EXPECT_EQ(get("/readyz").status, 503);
}

TEST_P(Administration, LoopThatIsBlockedIsNotLive) {
    script.traffic = [&](Connection& peer) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return echo(peer);
    };
    start_with_admin(milliseconds{100});
    EXPECT_EQ(get("/livez").status, 200);
    RawPeer peer = connect();
    peer.send("x");
    ASSERT_TRUE(entered.pass());
    EXPECT_TRUE(eventually([&] { return get("/livez").status == 503; }));
    EXPECT_THAT(get("/livez").body, StartsWith("loop 0 is in on_traffic for "));
    leave.open();
    EXPECT_TRUE(eventually([&] { return get("/livez").status == 200; }));
}

TEST_P(Administration, SuspendedEngineIsNotReady) {
    start_with_admin();
    engine().suspend();
    EXPECT_TRUE(eventually([&] { return get("/readyz").status == 503; }));
    EXPECT_EQ(get("/readyz").body, "suspended\n");
    engine().resume();
    EXPECT_TRUE(eventually([&] { return get("/readyz").status == 200; }));
}

// ── How it speaks ────────────────────────────────────────────────────────────────────────────

TEST_P(Administration, ConnectionIsKeptBetweenRequests) {
    start_with_admin();
    RawPeer peer = visit();
    const std::string head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 5\r\nCache-Control: no-store\r\n\r\n";
    for (int i = 0; i < 3; ++i) {
        peer.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(peer.read(head.size() + 5), head + "live\n");
    }
}

TEST_P(Administration, PipelinedRequestsAreAnsweredInTheirOrder) {
    start_with_admin();
    const std::string all =
        say("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
            "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto live = all.find("live\n");
    const auto nowhere = all.find("404 Not Found");
    const auto index = all.find("/metrics ");
    EXPECT_LT(live, nowhere);
    EXPECT_LT(nowhere, index);
    EXPECT_NE(index, all.npos);
    EXPECT_EQ(count(all, "HTTP/1.1 "), 3U) << "after close nothing is answered";
}

TEST_P(Administration, HeadHasTheLengthAndNoBody) {
    start_with_admin();
    const Page page = page_of(say("HEAD /livez HTTP/1.0\r\n\r\n"));
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.head, HasSubstr("Content-Length: 5"));
    EXPECT_EQ(page.body, "");
}

TEST_P(Administration, WhatItDoesNotDoIsSaidAndClosed) {
    start_with_admin();
    EXPECT_EQ(get("/nowhere").status, 404);
    const Page page = page_of(say("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_EQ(page.status, 405);
    EXPECT_THAT(page.head, HasSubstr("Allow: GET, HEAD"));
    EXPECT_EQ(page_of(say("GET / HTTP/1.1\r\n\r\n")).status, 400);
    EXPECT_EQ(page_of(say("\x16\x03\x01\r\n\r\n")).status, 400);
    EXPECT_EQ(page_of(say("GET / HTTP/1.1\r\nx: " + std::string(9'000, 'a'))).status, 431);
}

TEST_P(Administration, RequestMayComeByteByByteAndEndWithAFin) {
    start_with_admin();
    RawPeer peer = visit();
    for (const char one : std::string("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")) {
        peer.send(std::string(1, one));
    }
    peer.end();
    EXPECT_EQ(page_of(peer.read_to_end()).body, "live\n");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

// ── Bad company ──────────────────────────────────────────────────────────────────────────────

TEST_P(Administration, WhoReadsLateGetsEveryAnswer) {
    start_with_admin();
    RawPeer peer = RawPeer::connect_with_small_buffer(admin->endpoints().at(0));
    constexpr std::size_t kRequests = 300;
    std::string requests;
    for (std::size_t i = 0; i < kRequests; ++i) {
        requests += "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    peer.send(requests);
    peer.end();
    EXPECT_EQ(get("/livez").status, 200) << "others are answered meanwhile";
    const std::string all = peer.read_to_end();
    EXPECT_EQ(count(all, "HTTP/1.1 200 OK"), kRequests);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

TEST_P(Administration, NoiseIsRefusedAndForgotten) {
    start_with_admin();
    std::mt19937 random(1);
    std::uniform_int_distribution<int> byte(0, 255);
    for (int visit_number = 0; visit_number < 50; ++visit_number) {
        std::string noise(400, '\0');
        for (char& one : noise) one = static_cast<char>(byte(random));
        RawPeer peer = visit();
        peer.send(noise + "\r\n\r\n");
        peer.end();
        EXPECT_THAT(peer.read_to_end(), StartsWith("HTTP/1.1 400 ")) << visit_number;
    }
    EXPECT_EQ(get("/livez").status, 200);
}

TEST_P(Administration, ManyWhoSayNothingKeepNobodyElseOut) {
    start_with_admin();
    std::vector<RawPeer> silent;
    for (int i = 0; i < 100; ++i) silent.push_back(visit());
    EXPECT_EQ(get("/livez").status, 200);
}

TEST_P(Administration, StopsAtOnceThoughSomebodyWaits) {
    start_with_admin();
    RawPeer peer = visit();
    peer.send("GET / HT");
    const auto began = std::chrono::steady_clock::now();
    admin->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds{3});
    EXPECT_EQ(peer.read_to_end(), "");
}

BERTH_FOR_EACH_DRIVER(Administration);

}  // namespace
}  // namespace berth::test
