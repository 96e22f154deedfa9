// SPDX-License-Identifier: MIT
//
// Connections over UDP: a datagram is a message, a write is a datagram, nobody says goodbye.

#include "integration/support_engine.hpp"
#include "support/raw_datagram.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace berth::test {
namespace {

class ConnectingDatagrams : public AnEngine {
protected:
    // Writes down what on_traffic saw, and reads as much as the test says.
    void listen_to(std::size_t reads = Connection::kAll) {
        script.traffic = [this, reads](Connection& peer) {
            const std::lock_guard lock(mutex_);
            heard_.emplace_back(as_text(peer.peek()));
            peer.discard(reads);
            return Action::none;
        };
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    void connect_to_far() {
        on_loop([&](EventLoop& loop) {
            const auto started = loop.connect(far_.endpoint());
            ASSERT_TRUE(started) << started.error().to_string();
        });
        opened();
    }
    // Says hello, so that the far side knows where to answer.
    Endpoint address_of_ours() {
        EXPECT_TRUE(engine().write(opened(), "hello"));
        const Letter letter = far_.read();
        EXPECT_EQ(letter.bytes, "hello");
        return {Scheme::udp, letter.from};
    }
    bool has_heard(std::size_t count) {
        return eventually([&] { return heard().size() >= count; });
    }

    RawDatagramSocket far_{*Endpoint::parse("udp://127.0.0.1:0")};

private:
    std::mutex mutex_;
    std::vector<std::string> heard_;
};

TEST_P(ConnectingDatagrams, EachIsOneCallback) {
    listen_to();
    start();
    connect_to_far();
    const Endpoint ours = address_of_ours();
    const std::vector<std::string> sent{"one", "", std::string(9000, 'x'), "four"};
    for (const std::string& each : sent) far_.send_to(ours, each);
    ASSERT_TRUE(has_heard(4));
    EXPECT_EQ(heard(), sent);
}

TEST_P(ConnectingDatagrams, EachWriteIsOne) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.write("one"), WriteStatus::queued);
        EXPECT_EQ(peer.write(""), WriteStatus::queued);
        EXPECT_EQ(peer.write(Buffer::copy_of("three")), WriteStatus::queued);
        EXPECT_EQ(peer.write(std::string(65'508, 'x')), WriteStatus::refused);
        EXPECT_TRUE(peer.is_open());
        EXPECT_EQ(peer.counters().bytes_written, 8U);
        return Action::none;
    };
    start();
    connect_to_far();
    for (const char* text : {"one", "", "three"}) EXPECT_EQ(far_.read().bytes, text);
}

TEST_P(ConnectingDatagrams, TheRestOfOneIsDroppedAndCounted) {
    listen_to(2);
    start();
    connect_to_far();
    const Endpoint ours = address_of_ours();
    far_.send_to(ours, "long");
    far_.send_to(ours, "er");
    ASSERT_TRUE(has_heard(2));
    EXPECT_EQ(heard(), (std::vector<std::string>{"long", "er"}));
    EXPECT_EQ(engine().snapshot().datagrams.unread, 1U);
}

TEST_P(ConnectingDatagrams, KnowTheirAddresses) {
    Endpoint peer_seen;
    Endpoint local_seen;
    script.open = [&](Connection& peer) {
        peer_seen = peer.peer_endpoint();
        local_seen = peer.local_endpoint();
        return Action::none;
    };
    start();
    connect_to_far();
    const Endpoint ours = address_of_ours();
    settle();
    EXPECT_EQ(peer_seen, far_.endpoint());
    EXPECT_EQ(local_seen, ours);
}

TEST_P(ConnectingDatagrams, StrangersAreNotHeard) {
    listen_to();
    start();
    connect_to_far();
    const Endpoint ours = address_of_ours();
    RawDatagramSocket stranger(far_.endpoint());
    stranger.send_to(ours, "psst");
    far_.send_to(ours, "it is me");
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard(), std::vector<std::string>{"it is me"});
}

TEST_P(ConnectingDatagrams, ToNobodyEndWithAReason) {
    start();
    far_.close();
    connect_to_far();
    const ConnectionId id = opened();
    EXPECT_TRUE(eventually([&] {
        engine().write(id, "anybody?");
        return script.count("on_close") == 1;
    }));
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(ConnectingDatagrams, CloseAtOnceWithoutAGoodbye) {
    script.traffic = [](Connection& peer) {
        peer.write("bye");
        return Action::close;
    };
    start();
    connect_to_far();
    far_.send_to(address_of_ours(), "go");
    EXPECT_EQ(closed(), CloseReason::local_close);
    EXPECT_EQ(far_.read().bytes, "bye");
}

TEST_P(ConnectingDatagrams, EndIsAClose) {
    script.open = [](Connection& peer) { return peer.end(), Action::none; };
    start();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(far_.endpoint())); });
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(ConnectingDatagrams, ClosedBeforeTheyOpenHaveNoCallbackButFailure) {
    start();
    on_loop([&](EventLoop& loop) {
        const auto started = loop.connect(far_.endpoint());
        ASSERT_TRUE(started);
        engine().close(*started);
    });
    EXPECT_TRUE(eventually(
        [&] { return script.count("on_connect_failed") + script.count("on_close") == 1; }));
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
}

TEST_P(ConnectingDatagrams, AreDrainedByAStop) {
    start();
    connect_to_far();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(closed(), CloseReason::stop_graceful);
    EXPECT_EQ(report.bytes.unconfirmed, 0U);
}

TEST_P(ConnectingDatagrams, WaitWhileReadingIsPaused) {
    listen_to();
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    start();
    connect_to_far();
    const Endpoint ours = address_of_ours();
    settle();
    far_.send_to(ours, "later");
    settle();
    EXPECT_TRUE(heard().empty());
    engine().post(opened(), [](Connection& peer) { peer.resume_read(); });
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "later");
}

TEST_P(ConnectingDatagrams, IdleOnesAreClosed) {
    options.idle_timeout = std::chrono::milliseconds{20};
    start();
    connect_to_far();
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
}

TEST_P(ConnectingDatagrams, ReachAServerOfTheSameEngine) {
    listen_to();
    script.datagram = [](Datagram& datagram) { datagram.reply(datagram.payload()); };
    script.open = [](Connection& peer) {
        if (peer.listener_index() == Connection::kNoListener) peer.write("round trip");
        return Action::none;
    };
    start(std::vector<std::string>{"udp://127.0.0.1:0"});
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(engine().endpoints()[0])); });
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "round trip");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

BERTH_FOR_EACH_DRIVER(ConnectingDatagrams);

}  // namespace
}  // namespace berth::test
