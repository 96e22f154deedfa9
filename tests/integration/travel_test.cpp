// SPDX-License-Identifier: MIT
//
// Travelling: a connection leaves one engine and goes on in another; its peer notices nothing.

#include "engine/core.hpp"
#include "engine/worker.hpp"
#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Travelling : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.traffic = echo;
        script.travel_out = [](Connection&) { return Buffer::copy_of("luggage"); };
        next_script.traffic = echo;
        next_script.travel_in = [this](Connection&, Bytes state) {
            luggage = std::string(as_text(state));
            return Action::none;
        };
    }
    void TearDown() override {
        if (next) next->request_stop(next->now());
        next.reset();
        AnEngine::TearDown();
    }

    // Those who leave the engine under test.
    std::vector<net::Traveller> depart() {
        std::vector<net::Traveller> left;
        on_loop([&](EventLoop& loop) {
            UniqueFunction<void(net::Traveller&&)> sink = [&](net::Traveller&& traveller) {
                left.push_back(std::move(traveller));
            };
            engine::Worker::of(loop).table().export_idle(sink);
        });
        return left;
    }
    static void arrive(Engine& at, net::Traveller&& traveller) {
        Gate done;
        ASSERT_TRUE(at.loop(0).post([&](EventLoop& loop) {
            engine::Worker& worker = engine::Worker::of(loop);
            worker.core().limit().add();
            worker.table().expect();
            EXPECT_TRUE(worker.table().import(std::move(traveller), net::Seat::none));
            done.open();
        }));
        ASSERT_TRUE(done.pass());
    }
    void start_next() {
        next = make_engine(next_script);
        ASSERT_TRUE(next->start(is_unix() ? unix_address("next") : "tcp://127.0.0.1:0"));
    }

    Script next_script;
    std::unique_ptr<Engine> next;
    std::string luggage;
};

TEST_P(Travelling, IdleConnectionGoesOnElsewhere) {
    start();
    start_next();
    RawPeer peer = connect();
    peer.send("here");
    EXPECT_EQ(peer.read(4), "here");
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(closed(), CloseReason::handed_over);
    arrive(*next, std::move(left.front()));
    EXPECT_EQ(luggage, "luggage");
    peer.send("there");
    EXPECT_EQ(peer.read(5), "there");
    EXPECT_EQ(next_script.count("on_open"), 0U);
    peer.close();
    EXPECT_TRUE(eventually([&] { return next_script.count("on_close") == 1; }));
}

TEST_P(Travelling, UnreadInputTravelsToo) {
    script.traffic = [](Connection&) { return Action::none; };
    start();
    start_next();
    RawPeer peer = connect();
    peer.send("half a ");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(as_text(left.front().unread.bytes()), "half a ");
    peer.send("request");
    arrive(*next, std::move(left.front()));
    EXPECT_EQ(peer.read(14), "half a request");
}

TEST_P(Travelling, WhoComesBackIsServedAsBefore) {
    script.travel_in = [](Connection& peer, Bytes state) {
        return peer.write(state), Action::none;
    };
    start();
    RawPeer peer = connect();
    opened();
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    arrive(engine(), std::move(left.front()));
    EXPECT_EQ(peer.read(7), "luggage");
    EXPECT_NE(opened(1), opened(0));
    EXPECT_EQ(engine().connection_count(), 1U);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Travelling, WhoeverHasNothingToSayStays) {
    script.travel_out = [](Connection&) { return std::optional<Buffer>(); };
    start();
    RawPeer peer = connect();
    opened();
    EXPECT_TRUE(depart().empty());
    peer.send("here");
    EXPECT_EQ(peer.read(4), "here");
}

TEST_P(Travelling, BusyConnectionStays) {
    std::optional<InFlight> token;
    script.traffic = [&](Connection& peer) { return token = peer.begin(), Action::none; };
    start();
    RawPeer peer = connect();
    peer.send("?");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    EXPECT_TRUE(depart().empty());
    EXPECT_EQ(script.count("on_export"), 0U);
    on_loop([&](EventLoop&) { token.reset(); });
}

TEST_P(Travelling, ConnectionWithUnsentOutputStays) {
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(8U << 20U))), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    EXPECT_TRUE(depart().empty());
    EXPECT_EQ(peer.read(8U << 20U), pattern(8U << 20U));
}

TEST_P(Travelling, ConnectionWithTooMuchUnreadStays) {
    script.traffic = [](Connection&) { return Action::none; };
    start();
    RawPeer peer = connect();
    peer.send(pattern(net::Traveller::kUnreadMax + 1));
    const ConnectionId id = opened();
    ASSERT_TRUE(eventually([&] {
        std::size_t unread = 0;
        on_loop([&](EventLoop& loop) { unread = loop.find(id)->unread(); });
        return unread > net::Traveller::kUnreadMax;
    }));
    EXPECT_TRUE(depart().empty());
}

TEST_P(Travelling, HandlerThatThrowsLosesItsConnection) {
    script.travel_out = [](Connection&) -> std::optional<Buffer> {
        throw std::runtime_error("no luggage");
    };
    start();
    RawPeer peer = connect();
    opened();
    EXPECT_TRUE(depart().empty());
    EXPECT_EQ(closed(), CloseReason::handler_threw);
}

TEST_P(Travelling, IdleTimeGoesAlong) {
    options.idle_timeout = seconds{3600};
    start();
    const RawPeer peer = connect();
    opened();
    const Instant began = engine().now();
    ASSERT_TRUE(eventually([&] { return engine().now() - began > milliseconds{30}; }));
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    ASSERT_TRUE(left.front().idle_left);
    EXPECT_LT(*left.front().idle_left, seconds{3600} - milliseconds{20});
    left.front().idle_left = milliseconds{10};
    arrive(engine(), std::move(left.front()));
    EXPECT_EQ(closed(1), CloseReason::idle_timeout);
}

TEST_P(Travelling, WhoComesIntoAStopIsDrained) {
    start();
    RawPeer peer = connect();
    opened();
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    RawPeer other = connect();
    opened(1);
    script.drain = [](Connection&, Deadline) { return Action::none; };
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    script.mute();
    arrive(engine(), std::move(left.front()));
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    other.close();
}

TEST_P(Travelling, NothingIsLeftBehind) {
    start();
    start_next();
    RawPeer peer = connect();
    opened();
    const std::size_t before = open_descriptors();
    auto left = depart();
    ASSERT_EQ(left.size(), 1U);
    arrive(*next, std::move(left.front()));
    EXPECT_EQ(open_descriptors(), before);
}

// What a transport knows is not a descriptor.
class Transporting : public Travelling {};

TEST_P(Transporting, ConnectionStays) {
    start();
    const RawPeer peer = connect();
    opened();
    EXPECT_TRUE(depart().empty());
}

std::vector<Place> plain_streams() {
    std::vector<Place> places;
    for (const Place& place : every_family()) {
        if (place.speech == Speech::plain) places.push_back(place);
    }
    return places;
}

INSTANTIATE_TEST_SUITE_P(On, Travelling, testing::ValuesIn(plain_streams()), name_of_place);
BERTH_FOR_EACH_TRANSPORT(Transporting);

}  // namespace
}  // namespace berth::test
