// SPDX-License-Identifier: MIT
//
// gnet's TestStreamProxyServer: each client gets a connection to a server behind, on the loop of
// its own. docs/internals/gnet-scenarios.md

#include "integration/support_engine.hpp"

#include <thread>

namespace berth::test {
namespace {

constexpr std::size_t kProxyClients = 10;
constexpr std::size_t kProxyLoad = 1U << 20U;

// The other side of a pair, by id.
struct Link {
    ConnectionId other;
};

class GnetProxy : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.open = [this](Connection& peer) { return opened_one(peer); };
        script.traffic = [](Connection& peer) { return pass_on(peer); };
        script.close = [](Connection& peer, CloseReason) {
            if (Connection* const other = other_side(peer)) other->close();
        };
        script.connect_failed = [](EventLoop&, ConnectionId, const Error& error) {
            ADD_FAILURE() << error.to_string();
        };
    }

    // In front: dial, and do not read before there is whom to tell.
    Action opened_one(Connection& peer) {
        if (peer.listener_index() != Connection::kNoListener) {
            peer.pause_read();
            const auto behind = peer.loop().connect(behind_);
            EXPECT_TRUE(behind);
            if (behind) peer.emplace_context<Link>(*behind);
            return Action::none;
        }
        peer.loop().for_each([&](Connection& front) {
            Link* const link = front.context<Link>();
            if (link == nullptr || link->other != peer.id()) return;
            peer.emplace_context<Link>(front.id());
            front.resume_read();
        });
        EXPECT_NE(other_side(peer), nullptr) << "both are on one loop";
        return Action::none;
    }

    static Connection* other_side(Connection& peer) {
        Link* const link = peer.context<Link>();
        return link == nullptr ? nullptr : peer.loop().find(link->other);
    }

    static Action pass_on(Connection& peer) {
        Connection* const other = other_side(peer);
        if (other == nullptr) return Action::close;
        other->write(peer.take());
        return Action::none;
    }

    void relay_to(const std::string& behind) {
        Script server_script;
        server_script.traffic = echo;
        const auto server = make_engine(server_script);
        ASSERT_TRUE(server->start(behind));
        behind_ = server->endpoints().at(0);
        start();
        std::vector<std::jthread> clients;
        for (std::size_t i = 0; i < kProxyClients; ++i) {
            clients.emplace_back([this] {
                RawPeer peer = connect();
                const std::string sent = pattern(kProxyLoad);
                std::jthread sender([&] { peer.send(sent); });
                EXPECT_TRUE(peer.read(sent.size()) == sent);
            });
        }
        clients.clear();
        EXPECT_TRUE(eventually([&] { return script.count("on_close") == 2 * kProxyClients; }));
        EXPECT_TRUE(eventually([&] { return server->connection_count() == 0; }));
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
        ASSERT_TRUE(server->stop());
    }

private:
    Endpoint behind_;
};

TEST_P(GnetProxy, RelaysToTcpOnOneLoop) { relay_to("tcp://127.0.0.1:0"); }

TEST_P(GnetProxy, RelaysToTcpOnManyLoops) {
    options.loops = 3;
    options.balance = Balance::round_robin;
    relay_to("tcp://127.0.0.1:0");
}

TEST_P(GnetProxy, RelaysToAUnixPath) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    relay_to(unix_address("behind"));
}

BERTH_FOR_EACH_FAMILY(GnetProxy);

}  // namespace
}  // namespace berth::test
