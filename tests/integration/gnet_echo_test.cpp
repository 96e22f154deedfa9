// SPDX-License-Identifier: MIT
//
// gnet's TestServer: ten clients per address, a banner, large echoes; the ways of answering, one
// loop and several. docs/internals/gnet-scenarios.md maps each test.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace berth::test {
namespace {

constexpr std::string_view kBanner = "andypan\r\n";
constexpr std::size_t kClients = 10;  // per address
constexpr std::size_t kRounds = 2;    // of each client
constexpr std::size_t kLarge = 1U << 20U;

class GnetServer : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.open = [](Connection& peer) { return peer.write(kBanner), Action::none; };
    }

    // next() and write(), twice, as gnet's Next(-1) and two halves.
    static Action answer_in_halves(Connection& peer) {
        const Bytes bytes = peer.next();
        peer.write(bytes.first(bytes.size() / 2));
        peer.write(bytes.subspan(bytes.size() / 2));
        return Action::none;
    }

    // Everything by id, from the thread of a pool, as gnet's AsyncWrite.
    Action answer_elsewhere(Connection& peer) {
        auto bytes = std::make_shared<Buffer>(peer.take());
        const ConnectionId id = peer.id();
        EXPECT_GT(bytes->size(), 0U);
        ++asked_;
        // Not the loop of the connection, where there is another.
        EventLoop& other = engine().loop((id.loop() + 1) % engine().loop_count());
        EXPECT_TRUE(other.post([this, id, bytes](EventLoop&) {
            engine().write(id, std::move(*bytes), [this](ConnectionId, Delivery how) {
                if (how == Delivery::written) ++completed_;
            });
        }));
        return Action::none;
    }

    // Ten clients for each listener, all at once: the banner, echoes, and the end.
    void serve_clients(std::size_t listeners = 1) {
        std::vector<std::jthread> clients;
        for (std::size_t i = 0; i < kClients * listeners; ++i) {
            clients.emplace_back([this, listener = i % listeners] { be_a_client(listener); });
        }
        clients.clear();
        const std::size_t all = kClients * listeners;
        EXPECT_TRUE(eventually([&] { return script.count("on_close") == all; }));
        EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
        EXPECT_EQ(script.opened().size(), all);
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }

    std::atomic<std::size_t> asked_ = 0;
    std::atomic<std::size_t> completed_ = 0;

private:
    void be_a_client(std::size_t listener) {
        RawPeer peer = connect(listener);
        EXPECT_EQ(peer.read(kBanner.size()), kBanner);
        const std::string sent = pattern(kLarge);
        for (std::size_t round = 0; round < kRounds; ++round) {
            std::jthread sender([&] { peer.send(sent); });
            EXPECT_TRUE(peer.read(sent.size()) == sent) << "round " << round;
        }
    }
};

class GnetServerAnywhere : public GnetServer {};

TEST_P(GnetServerAnywhere, EchoesToTenClientsOnOneLoop) {
    script.traffic = answer_in_halves;
    start();
    serve_clients();
}

TEST_P(GnetServerAnywhere, EchoesToTenClientsOnManyLoops) {
    options.loops = 3;
    options.balance = Balance::round_robin;
    script.traffic = answer_in_halves;
    start();
    serve_clients();
}

TEST_P(GnetServer, EchoesToTenClientsOnShardedLoops) {
    options.loops = 3;
    options.balance = Balance::sharded;
    script.traffic = answer_in_halves;
    start();
    serve_clients();
}

TEST_P(GnetServerAnywhere, EchoesFromAnotherLoopAndEachCompletionRunsOnce) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    script.traffic = [this](Connection& peer) { return answer_elsewhere(peer); };
    start();
    serve_clients();
    EXPECT_EQ(completed_, asked_);
}

TEST_P(GnetServer, EchoesOnTwoPortsAndTwoPathsAtOnce) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    script.traffic = answer_in_halves;
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0", unix_address("a"),
                                   unix_address("b")});
    serve_clients(4);
}

TEST_P(GnetServer, EchoesFromAnotherLoopOnTwoPortsAndTwoPathsAtOnce) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    script.traffic = [this](Connection& peer) { return answer_elsewhere(peer); };
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0", unix_address("a"),
                                   unix_address("b")});
    serve_clients(4);
    EXPECT_EQ(completed_, asked_);
}

// What gnet's server asks of its connection at each message.
TEST_P(GnetServerAnywhere, AnswersEveryQuestionAboutAConnection) {
    script.traffic = [](Connection& peer) {
        peer.write(peer.next());
        peer.flush();
        EXPECT_EQ(peer.unread(), 0U);
        EXPECT_EQ(peer.discard(1), 0U) << "of nothing";
        EXPECT_LE(peer.unsent(), peer.counters().bytes_written);
        EXPECT_FALSE(peer.local_endpoint().to_string().empty());
        EXPECT_FALSE(peer.peer_endpoint().to_string().empty());
        EXPECT_TRUE(peer.is_open());
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(kBanner.size()), kBanner);
    for (int i = 0; i < 20; ++i) {
        peer.send("message");
        EXPECT_EQ(peer.read(7), "message");
    }
}

// gnet puts the connection itself into its context.
TEST_P(GnetServer, ContextIsTheSameInOnOpenAndOnClose) {
    struct Own {
        ConnectionId id;
    };
    std::atomic<std::size_t> same = 0;
    script.open = [](Connection& peer) {
        return peer.emplace_context<Own>(Own{peer.id()}), Action::none;
    };
    script.close = [&](Connection& peer, CloseReason) {
        const Own* const own = peer.context<Own>();
        if (own != nullptr && own->id == peer.id()) ++same;
    };
    start();
    for (std::size_t i = 0; i < kClients; ++i) {
        connect().close();
        closed(i);
    }
    EXPECT_EQ(same, kClients);
}

BERTH_FOR_EACH_DRIVER(GnetServer);
BERTH_FOR_EACH_FAMILY(GnetServerAnywhere);

}  // namespace
}  // namespace berth::test
