// SPDX-License-Identifier: MIT
//
// EventLoop::connect: exactly one of on_open and on_connect_failed, whatever happens.

#include "integration/support_engine.hpp"
#include "integration/support_unanswered.hpp"
#include "support/descriptors.hpp"

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Connecting : public AnEngine {
protected:
    struct Failure {
        ConnectionId id;
        ErrorCode code{};
        std::string address;
        std::string text;
    };

    void SetUp() override {
        AnEngine::SetUp();
        script.connect_failed = [this](EventLoop&, ConnectionId id, const Error& error) {
            failure = {id, error.code(), std::string(error.address()), error.to_string()};
            failed.open();
        };
    }

    ConnectionId connect_to(const Endpoint& to, Deadline deadline = Deadline::never()) {
        ConnectionId id;
        on_loop([&](EventLoop& loop) {
            const auto started = loop.connect(to, deadline);
            ASSERT_TRUE(started) << started.error().to_string();
            id = *started;
            EXPECT_EQ(script.count("on_open") + script.count("on_connect_failed"), 0U);
        });
        return id;
    }

    // Of the family of this test; somebody may listen there.
    Endpoint elsewhere() const {
        if (GetParam().family == Family::dual_stack) return loopback_endpoint();
        return *Endpoint::parse(is_unix() ? address() + "2" : address());
    }
    // Nobody listens there any more.
    Endpoint nobody_there() const {
        const RawListener gone(elsewhere());
        return gone.endpoint();
    }

    Failure failure;
    Gate failed;
};

class ConnectingAnywhere : public Connecting {};

TEST_P(ConnectingAnywhere, OpensAndSpeaksBothWays) {
    script.open = [](Connection& peer) { return peer.write("hello"), Action::none; };
    script.traffic = echo;
    start();
    RawListener server(elsewhere());
    const ConnectionId id = connect_to(server.endpoint());
    RawPeer peer = accept(server);
    EXPECT_EQ(peer.read(5), "hello");
    peer.send("echo");
    EXPECT_EQ(peer.read(4), "echo");
    EXPECT_EQ(opened(), id);
    peer.close();
    closed();
    EXPECT_EQ(script.count("on_connect_failed"), 0U);
}

TEST_P(ConnectingAnywhere, RefusalIsToldOnceWithTheAddress) {
    start();
    const Endpoint nobody = nobody_there();
    const ConnectionId id = connect_to(nobody);
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure.id, id);
    EXPECT_EQ(failure.address, nobody.to_string());
    stop();
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(script.count("on_open") + script.count("on_close"), 0U);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(Connecting, HasNoListenerButBothAddresses) {
    start();
    RawListener server(loopback_endpoint());
    Endpoint peer_seen;
    std::size_t listener = 0;
    const ConnectionId id = connect_to(server.endpoint());
    RawPeer peer = accept(server);
    opened();
    on_loop([&](EventLoop& loop) {
        ASSERT_NE(loop.find(id), nullptr);
        peer_seen = loop.find(id)->peer_endpoint();
        listener = loop.find(id)->listener_index();
    });
    EXPECT_EQ(peer_seen, server.endpoint());
    EXPECT_EQ(listener, Connection::kNoListener);
}

TEST_P(Connecting, ToItselfIsAnOrdinaryConnection) {
    script.open = [](Connection& peer) {
        if (peer.listener_index() == Connection::kNoListener) peer.write("to myself");
        return Action::none;
    };
    std::string heard;
    Gate done;
    script.traffic = [&](Connection& peer) {
        heard = as_text(peer.next());
        done.open();
        return Action::close;
    };
    start();
    connect_to(target());
    ASSERT_TRUE(done.pass());
    EXPECT_EQ(heard, "to myself");
    closed(1);
    stop();
}

TEST_P(Connecting, DeadlineEndsTheAttempt) {
    start();
    const Unanswered silent;
    const ConnectionId id = connect_to(silent.endpoint(), within(milliseconds{30}));
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure.id, id);
    stop();
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
}

TEST_P(Connecting, GivenUpIsToldOnce) {
    start();
    const Unanswered silent;
    const ConnectionId id = connect_to(silent.endpoint());
    EXPECT_EQ(delivered([&](Completion done) {
                  return engine().close(id, CloseMode::after_flush, std::move(done));
              }),
              Delivery::ran);
    ASSERT_TRUE(failed.pass());
    EXPECT_EQ(failure.id, id);
    EXPECT_NE(failure.text, "");
    EXPECT_EQ(failure.text.find("errno 0"), std::string::npos) << failure.text;
    EXPECT_EQ(failure.text.find("uccess"), std::string::npos) << failure.text;
    stop();
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
}

TEST_P(Connecting, CallsByIdBeforeItIsOpenAreStale) {
    start();
    const Unanswered silent;
    const ConnectionId id = connect_to(silent.endpoint());
    EXPECT_EQ(delivered([&](Completion done) { return engine().write(id, "x", std::move(done)); }),
              Delivery::stale);
}

TEST_P(Connecting, StopEndsTheAttempt) {
    start();
    const Unanswered silent;
    connect_to(silent.endpoint());
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(script.count("on_close"), 0U);
}

TEST_P(Connecting, WhileStoppingItIsRefusedAtOnce) {
    ErrorCode code{};
    script.drain = [&](Connection& peer, Deadline) {
        const auto started = peer.loop().connect(peer.peer_endpoint());
        code = started ? ErrorCode::internal : started.error().code();
        return Action::close;
    };
    start();
    const RawPeer peer = connect();
    opened();
    stop();
    EXPECT_EQ(code, ErrorCode::not_running);
}

TEST_P(Connecting, WithoutDescriptorsItFailsAtOnce) {
    ErrorCode code{};
    start();
    RawListener server(loopback_endpoint());
    on_loop([&](EventLoop& loop) {
        const DescriptorFamine famine;
        const auto started = loop.connect(server.endpoint());
        code = started ? ErrorCode::internal : started.error().code();
    });
    EXPECT_EQ(code, ErrorCode::descriptor_limit);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(Connecting, ManyAttemptsEachHaveOneEnd) {
    start();
    RawListener server(loopback_endpoint());
    const Endpoint nobody = nobody_there();
    on_loop([&](EventLoop& loop) {
        for (int i = 0; i < 50; ++i) {
            ASSERT_TRUE(loop.connect(i % 2 == 0 ? server.endpoint() : nobody));
        }
    });
    std::vector<RawPeer> peers;
    for (int i = 0; i < 25; ++i) peers.push_back(accept(server));
    EXPECT_TRUE(eventually(
        [&] { return script.count("on_open") == 25 && script.count("on_connect_failed") == 25; }));
    EXPECT_EQ(engine().connection_count(), 25U);
}

BERTH_FOR_EACH_DRIVER(Connecting);
BERTH_FOR_EACH_FAMILY(ConnectingAnywhere);

}  // namespace
}  // namespace berth::test
