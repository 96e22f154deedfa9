// SPDX-License-Identifier: MIT
//
// gnet's scenarios of reading: with nothing there, at the end of a stream, and contexts that
// others look at meanwhile. docs/internals/gnet-scenarios.md maps each test.

#include "integration/support_engine.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <thread>

namespace berth::test {
namespace {

class GnetReading : public AnEngine {
protected:
    // A connection of the engine's own to `server`.
    void dial(const RawListener& server) {
        on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.connect(server.endpoint())); });
    }
};

// TestWakeConnImmediately
TEST_P(GnetReading, WithNothingThereEveryCallSaysSo) {
    Gate close_has_returned;
    std::atomic<int> woken = 0;
    script.traffic = [&](Connection& peer) {
        std::array<std::byte, 10> into{};
        EXPECT_EQ(peer.read(MutableBytes()), 0U);
        EXPECT_EQ(peer.read(into), 0U);
        EXPECT_TRUE(peer.next(10).empty());
        EXPECT_TRUE(peer.next().empty());
        EXPECT_TRUE(peer.peek().empty());
        EXPECT_EQ(peer.discard(10), 0U);
        EXPECT_EQ(peer.discard(), 0U);
        EXPECT_TRUE(peer.take().empty());
        EXPECT_EQ(peer.unread(), 0U);
        EXPECT_TRUE(close_has_returned.pass()) << "a close must not wait for the loop";
        ++woken;
        return Action::none;
    };
    start();
    RawListener server(loopback_endpoint());
    dial(server);
    RawPeer peer = accept(server);
    const ConnectionId id = opened();
    EXPECT_TRUE(engine().wake(id));
    EXPECT_TRUE(engine().close(id));
    close_has_returned.open();
    EXPECT_EQ(peer.read_to_end(), "");
    peer.close();
    EXPECT_EQ(closed(), CloseReason::local_close);
    EXPECT_EQ(woken, 1);
}

// TestClientReadOnEOF: the bytes and the FIN come together.
TEST_P(GnetReading, LastBytesAreDeliveredBeforeTheEnd) {
    std::string read;
    script.open = [](Connection& peer) { return peer.write("test"), Action::none; };
    script.traffic = [&](Connection& peer) { return read += as_text(peer.next()), Action::none; };
    start();
    RawListener server(loopback_endpoint());
    dial(server);
    {
        RawPeer peer = accept(server);
        peer.send(peer.read(4));
        peer.end();
        peer.read_to_end();
    }
    EXPECT_EQ(closed(), CloseReason::peer_end);
    stop();
    EXPECT_EQ(read, "test");
}

// ── Contexts: TestSafeContext, TestClientSafeContext ─────────────────────────────────────────

struct Tracked {
    explicit Tracked(std::atomic<int>& count) : alive(count) { ++alive; }
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;
    ~Tracked() { --alive; }
    std::atomic<int>& alive;
};
struct Apple : Tracked {
    using Tracked::Tracked;
};
struct Pear : Tracked {
    using Tracked::Tracked;
};

class GnetContexts : public GnetReading {
protected:
    // Each message replaces the context by one of another type.
    void SetUp() override {
        GnetReading::SetUp();
        script.traffic = [this](Connection& peer) {
            rotate(peer);
            peer.write(peer.next());
            return Action::none;
        };
        script.close = [this](Connection& peer, CloseReason) {
            in_on_close = peer.context<Apple>() != nullptr || peer.context<Pear>() != nullptr;
        };
    }

    void rotate(Connection& peer) {
        if (peer.context<Apple>() == nullptr) {
            const Apple& apple = peer.emplace_context<Apple>(apples);
            EXPECT_EQ(peer.context<Apple>(), &apple);
            EXPECT_EQ(peer.context<Pear>(), nullptr);
        } else {
            const Pear& pear = peer.emplace_context<Pear>(pears);
            EXPECT_EQ(peer.context<Pear>(), &pear);
            EXPECT_EQ(peer.context<Apple>(), nullptr);
        }
        EXPECT_EQ(apples + pears, 1) << "the one before is gone";
    }

    // Five messages, while another thread looks at the context all the time.
    void talk(RawPeer& peer, ConnectionId id) {
        std::atomic<int> looks = 0;
        std::jthread looker([&](const std::stop_token& stopped) {
            while (!stopped.stop_requested()) {
                const auto how = delivered([&](Completion done) {
                    return engine().post(
                        id,
                        [&](Connection& seen) {
                            if (seen.context<Apple>() != nullptr) {
                                EXPECT_EQ(seen.context<Pear>(), nullptr);
                            }
                            ++looks;
                        },
                        std::move(done));
                });
                if (how != Delivery::ran) return;
            }
        });
        for (int i = 0; i < 5; ++i) {
            peer.send("message");
            EXPECT_EQ(peer.read(7), "message");
        }
        EXPECT_TRUE(eventually([&] { return looks > 0; }));
    }

    std::atomic<int> apples = 0;
    std::atomic<int> pears = 0;
    std::atomic<bool> in_on_close = false;
};

TEST_P(GnetContexts, RotateWhileAnotherThreadLooks) {
    start();
    {
        RawPeer peer = connect();
        talk(peer, opened());
    }
    closed();
    EXPECT_TRUE(in_on_close);
    EXPECT_TRUE(eventually([&] { return apples + pears == 0; })) << "gone after on_close";
}

TEST_P(GnetContexts, OfAConnectionThatWasDialledRotateToo) {
    start();
    RawListener server(loopback_endpoint());
    dial(server);
    {
        RawPeer peer = accept(server);
        talk(peer, opened());
    }
    closed();
    EXPECT_TRUE(in_on_close);
    EXPECT_TRUE(eventually([&] { return apples + pears == 0; })) << "gone after on_close";
}

BERTH_FOR_EACH_DRIVER(GnetReading);
BERTH_FOR_EACH_DRIVER(GnetContexts);

}  // namespace
}  // namespace berth::test
