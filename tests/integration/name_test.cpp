// SPDX-License-Identifier: MIT
//
// Dialling a name: asked off the loop, one end, whatever comes first: an answer, the deadline, a
// close, a stop.

#include "integration/support_dials.hpp"
#include "support/descriptors.hpp"
#include "support/raw_datagram.hpp"

#include <atomic>
#include <memory>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DiallingNames : public Dials {};

TEST_P(DiallingNames, OpensAtTheAddressOfTheName) {
    script.traffic = echo;
    Endpoint peer_seen;
    script.open = [&](Connection& peer) {
        peer_seen = peer.peer_endpoint();
        EXPECT_NE(peer.context<int>(), nullptr);
        return Action::none;
    };
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", {"127.0.0.1"});
    dial(name("server.test", server.endpoint().port()), {.context = Context::make<int>(1)});
    RawPeer peer = accept(server);
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    EXPECT_EQ(ended().id, opened());
    EXPECT_EQ(names.query().host, "server.test");
    EXPECT_EQ(names.query().family, AddressFamily::any);
    expect_told(1, 0);
    EXPECT_EQ(peer_seen, server.endpoint());
    EXPECT_EQ(engine().connection_count(), 1U);
}

TEST_P(DiallingNames, OpensAtAnAddressThatIsKnownBeforeTheAnswer) {
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", {"[::1]", "127.0.0.1"});
    names.hold();
    dial(name("server.test", server.endpoint().port()));
    ASSERT_TRUE(names.was_asked());
    names.tell_early({"127.0.0.1"});
    const RawPeer peer = accept(server);
    EXPECT_EQ(ended().id, opened());
    EXPECT_TRUE(names.query().stop.stop_requested());
    names.release();  // its dial is over
    expect_told(1, 0);
}

TEST_P(DiallingNames, TheIdIsThatOfTheCallUntilItIsClosed) {
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", {"[::1]", "127.0.0.1"});
    ConnectionId begun;
    on_loop([&](EventLoop& loop) {
        const auto id = loop.connect(name("server.test", server.endpoint().port()));
        ASSERT_TRUE(id);
        begun = *id;
        EXPECT_EQ(script.count("on_open") + script.count("on_connect_failed"), 0U);
    });
    RawPeer peer = accept(server);
    EXPECT_EQ(opened(), begun);
    peer.close();
    closed();
    EXPECT_EQ(script.closed().at(0), begun);
}

TEST_P(DiallingNames, LocalhostIsThisMachineWithoutAsking) {
    start_client();
    RawListener server(loopback_endpoint());
    dial(name("localhost", server.endpoint().port()));
    const RawPeer peer = accept(server);
    EXPECT_EQ(ended().id, opened());
    EXPECT_EQ(names.asked(), 0U);
}

TEST_P(DiallingNames, TheEnginesOwnResolverAsksTheSystem) {
    options.resolver = nullptr;
    start_client();
    dial(name("nobody.invalid", 1));
    const ErrorCode code = ended().code();
    EXPECT_TRUE(code == ErrorCode::name_not_found || code == ErrorCode::name_unavailable)
        << ended().text();
    EXPECT_NE(ended().text().find("tcp://nobody.invalid:1"), std::string::npos) << ended().text();
    expect_told(0, 1);
}

TEST_P(DiallingNames, ThatDoNotExistSayTheirName) {
    start_client();
    dial(name("nobody.test", 80));
    EXPECT_EQ(ended().code(), ErrorCode::name_not_found);
    EXPECT_EQ(ended().error->address(), "tcp://nobody.test:80");
    expect_told(0, 1);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(DiallingNames, ASchemeAsksForItsFamily) {
    start_client();
    names.add("four.test", {"127.0.0.1"});
    dial(name("four.test", 1, "tcp6"));
    EXPECT_EQ(ended().code(), ErrorCode::name_not_found);
    EXPECT_EQ(names.query().family, AddressFamily::v6);
}

TEST_P(DiallingNames, ALocalAddressAsksForItsFamilyAndIsWhereItComesFrom) {
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", {"[::1]", "127.0.0.1"});
    dial(name("server.test", server.endpoint().port()),
         {.local = *Endpoint::parse("tcp://127.0.0.7:0")});
    const RawPeer peer = accept(server);
    EXPECT_EQ(names.query().family, AddressFamily::v4);
    const ConnectionId id = opened();
    Endpoint local;
    on_loop([&](EventLoop& loop) { local = loop.find(id)->local_endpoint(); });
    EXPECT_TRUE(local.to_string().starts_with("tcp://127.0.0.7:")) << local.to_string();
}

TEST_P(DiallingNames, OverUdpTakesTheFirstAddressThatHasAWay) {
    script.open = [](Connection& peer) { return peer.write("hello"), Action::none; };
    start_client();
    RawDatagramSocket far(*Endpoint::parse("udp://127.0.0.1:0"));
    names.add("server.test", {"127.0.0.1"});
    dial(name("server.test", far.endpoint().port(), "udp"));
    EXPECT_EQ(far.read().bytes, "hello");
    EXPECT_EQ(ended().id, opened());
    expect_told(1, 0);
}

// ── Ends before an answer ────────────────────────────────────────────────────────────────────

TEST_P(DiallingNames, TheDeadlineEndsALookup) {
    start_client();
    names.hold();
    names.add("slow.test", {"127.0.0.1"});
    dial(name("slow.test", 1), {.deadline = engine().now() + milliseconds{30}});
    EXPECT_EQ(ended().error->errno_value(), ETIMEDOUT);
    EXPECT_TRUE(names.query().stop.stop_requested());
    names.release();  // too late
    expect_told(0, 1);
}

TEST_P(DiallingNames, GivenUpDuringALookupIsToldOnce) {
    start_client();
    names.hold();
    ConnectionId id;
    on_loop([&](EventLoop& loop) { id = *loop.connect(name("slow.test", 1)); });
    ASSERT_TRUE(names.was_asked());
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().close(id, CloseMode::now, std::move(done));
              }),
              Delivery::ran);
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
    EXPECT_TRUE(names.query().stop.stop_requested());
    names.release();
    settle();
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(DiallingNames, AStopDoesNotWaitForALookup) {
    options.loops = 2;
    start_client();
    names.hold();
    const auto witness = std::make_shared<int>(0);
    for (int i = 0; i < 4; ++i) {
        dial(name("slow.test", 1), {.context = Context::make<std::shared_ptr<int>>(witness)});
    }
    ASSERT_TRUE(names.was_asked(4));
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(script.count("on_connect_failed"), 4U);
    EXPECT_EQ(ended_count(), 4U);
    EXPECT_EQ(witness.use_count(), 1);
    names.release();  // its engine has stopped
    EXPECT_EQ(ended_count(), 4U);
}

TEST_P(DiallingNames, AnAnswerMayComeWhenTheEngineIsGone) {
    names.hold();
    {
        const auto client = make_engine(script);
        ASSERT_TRUE(client->start());
        ASSERT_TRUE(client->connect(name("slow.test", 1)));
        ASSERT_TRUE(names.was_asked());
    }
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    names.tell_early({"127.0.0.1"});
    names.release();
}

TEST_P(DiallingNames, AnEngineThatRunsAgainHearsNothingOfTheLastRun) {
    names.hold();
    names.add("slow.test", {"127.0.0.1"});
    const auto client = make_engine(script);
    ASSERT_TRUE(client->start());
    ASSERT_TRUE(client->connect(name("slow.test", 1)));
    ASSERT_TRUE(names.was_asked());
    ASSERT_TRUE(client->stop());
    ASSERT_TRUE(client->start());
    names.release();
    ASSERT_TRUE(client->stop());
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(script.count("on_open"), 0U);
}

TEST_P(DiallingNames, EveryDialThatAStopMeetsEndsOnceAndLeavesNothing) {
    options.loops = 2;
    const RawListener server(loopback_endpoint());
    names.add("server.test", {"[::1]", "127.0.0.1"});
    names.add("nobody.test", ErrorCode::name_unavailable);
    const std::size_t before = open_descriptors();
    std::atomic<std::size_t> told = 0;
    {
        const auto client = make_engine(script);
        ASSERT_TRUE(client->start());
        for (int i = 0; i < 200; ++i) {
            const char* const host = i % 2 == 0 ? "server.test" : "nobody.test";
            ASSERT_TRUE(
                client->connect(name(host, server.endpoint().port()),
                                {.done = [&](EventLoop&, const Result<ConnectionId>&) { ++told; },
                                 .retry = {.attempts = 5, .first_delay = milliseconds{1}}}));
        }
        client->request_stop(client->now());
        ASSERT_TRUE(client->wait());
    }
    EXPECT_EQ(told, 200U);
    EXPECT_EQ(script.count("on_open"), script.count("on_close"));
    EXPECT_LE(script.count("on_open") + script.count("on_connect_failed"), 200U);
    EXPECT_EQ(open_descriptors(), before);
}

// ── What is refused at once ──────────────────────────────────────────────────────────────────

TEST_P(DiallingNames, OptionsOutOfRangeAreRefusedByName) {
    start_client();
    const auto refusal = [&](DialOptions how) {
        std::string text;
        on_loop([&](EventLoop& loop) {
            const auto begun = loop.connect(name("a.test", 1), std::move(how));
            ASSERT_FALSE(begun);
            EXPECT_EQ(begun.error().code(), ErrorCode::invalid_option);
            text = begun.error().to_string();
        });
        return text;
    };
    EXPECT_NE(refusal({.attempt_delay = milliseconds{1}}).find("attempt_delay"), std::string::npos);
    EXPECT_NE(refusal({.attempt_delay = seconds{11}}).find("attempt_delay"), std::string::npos);
    EXPECT_NE(refusal({.retry = {.attempts = 0}}).find("attempts"), std::string::npos);
    EXPECT_EQ(names.asked(), 0U);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(DiallingNames, WhileStoppingTheyAreRefusedAtOnce) {
    ErrorCode code{};
    script.drain = [&](Connection& peer, Deadline) {
        const auto started = peer.loop().connect(name("server.test", 1));
        code = started ? ErrorCode::internal : started.error().code();
        return Action::close;
    };
    start();
    const RawPeer peer = connect();
    opened();
    stop();
    EXPECT_EQ(code, ErrorCode::not_running);
}

BERTH_FOR_EACH_DRIVER(DiallingNames);

}  // namespace
}  // namespace berth::test
