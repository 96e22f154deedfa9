// SPDX-License-Identifier: MIT
//
// Input: looking at bytes, consuming them, leaving them, pausing.

#include "integration/support_engine.hpp"

#include <array>

namespace berth::test {
namespace {

class Input : public AnEngine {
protected:
    static std::string text(Bytes bytes) { return std::string(as_text(bytes)); }
    // What the handler wrote down for the peer to read.
    static Action say(Connection& peer, const std::string& what) {
        peer.write(what + ";");
        return Action::none;
    }
};

TEST_P(Input, PeekConsumesNothingAndSeesItAgainWithTheNextBytes) {
    script.traffic = [](Connection& peer) { return say(peer, text(peer.peek())); };
    start();
    RawPeer peer = connect();
    peer.send("ab");
    EXPECT_EQ(peer.read(3), "ab;");
    peer.send("c");
    EXPECT_EQ(peer.read(4), "abc;");
}

TEST_P(Input, NextConsumesAndViews) {
    script.traffic = [](Connection& peer) {
        const std::string first = text(peer.next(2));
        return say(peer, first + "|" + text(peer.peek()) + "|" + std::to_string(peer.unread()));
    };
    start();
    RawPeer peer = connect();
    peer.send("abcde");
    EXPECT_EQ(peer.read(9), "ab|cde|3;");
    peer.send("f");
    EXPECT_EQ(peer.read(8), "cd|ef|2;");
}

TEST_P(Input, EveryWayOfConsumingContinuesWhereTheLastOneEnded) {
    script.traffic = [](Connection& peer) {
        std::array<std::byte, 2> two{};
        if (peer.unread() < 9) return Action::none;
        const std::size_t dropped = peer.discard(1);
        const std::size_t count = peer.read(two);
        const Buffer taken = peer.take(3);
        const std::string viewed = text(peer.next(2));
        return say(peer, std::to_string(dropped) + text(Bytes(two).first(count)) + "," +
                             text(taken.bytes()) + "," + viewed + "," + text(peer.peek()));
    };
    start();
    RawPeer peer = connect();
    peer.send("abcd");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") > 0; }));
    peer.send("efghi");
    EXPECT_EQ(peer.read(13), "1bc,def,gh,i;");
}

TEST_P(Input, AsksForMoreThanThereIsAndGetsWhatThereIs) {
    script.traffic = [](Connection& peer) {
        std::array<std::byte, 8> room{};
        const std::size_t all = peer.next(100).size();
        return say(peer, std::to_string(all) + std::to_string(peer.next().size()) +
                             std::to_string(peer.read(room)) + std::to_string(peer.discard()) +
                             std::to_string(peer.take().size()) + std::to_string(peer.unread()));
    };
    start();
    RawPeer peer = connect();
    peer.send("abc");
    EXPECT_EQ(peer.read(7), "300000;");
}

TEST_P(Input, ViewsOutliveTheConsumptionOfTheirBytes) {
    script.traffic = [](Connection& peer) {
        if (peer.unread() < 4) return Action::none;  // so that they are kept bytes
        const Bytes first = peer.next(2);
        const Bytes second = peer.next();
        peer.write("some output between");
        return say(peer, text(first) + text(second));
    };
    start();
    RawPeer peer = connect();
    peer.send("ab");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") > 0; }));
    peer.send("cd");
    EXPECT_EQ(peer.read(24), "some output betweenabcd;");
}

TEST_P(Input, ViewsOutliveACloseInTheSameCallback) {
    std::string seen;
    script.traffic = [&](Connection& peer) {
        const Bytes view = peer.peek();
        peer.close(CloseMode::now);
        seen = text(view);
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("still here");
    closed();
    EXPECT_EQ(seen, "still here");
}

TEST_P(Input, KeepsManySmallLeftoversInOneView) {
    script.traffic = [](Connection& peer) {
        return peer.unread() < 200'000 ? Action::none : echo(peer);
    };
    start();
    RawPeer peer = connect();
    const std::string sent = pattern(200'000);
    for (std::size_t at = 0; at < sent.size(); at += 1'000) peer.send(sent.substr(at, 1'000));
    EXPECT_EQ(peer.read(sent.size()), sent);
}

TEST_P(Input, TakenBuffersOutliveTheConnection) {
    Buffer kept;
    script.traffic = [&](Connection& peer) { return kept = peer.take(), Action::close; };
    start();
    RawPeer peer = connect();
    peer.send("kept");
    closed();
    EXPECT_EQ(text(kept.bytes()), "kept");
}

TEST_P(Input, TaskReadsWhatAHandlerLeft) {
    script.traffic = [](Connection& peer) { return peer.write("."), Action::none; };
    start();
    RawPeer peer = connect();
    peer.send("left");
    peer.read(1);
    ASSERT_TRUE(engine().post(opened(), [](Connection& here) { here.write(here.next()); }));
    EXPECT_EQ(peer.read(4), "left");
    ASSERT_TRUE(engine().post(opened(),
                              [](Connection& here) { here.write(std::to_string(here.unread())); }));
    EXPECT_EQ(peer.read(1), "0");
}

// ── Pausing ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Input, PausedConnectionIsNotReadUntilItResumes) {
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    script.traffic = echo;
    start();
    RawPeer paused = connect();
    RawPeer other = connect();
    paused.send("waits");
    opened(1);
    engine().post(opened(1), [](Connection& here) { here.resume_read(); });
    other.send("passes");
    EXPECT_EQ(other.read(6), "passes");
    EXPECT_EQ(script.count("on_traffic"), 1U);
    engine().post(opened(0), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(paused.read(5), "waits");
}

TEST_P(Input, ResumingShowsWhatWasLeftBefore) {
    bool first = true;
    script.traffic = [&](Connection& peer) {
        if (!std::exchange(first, false)) return echo(peer);
        peer.pause_read();
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("left");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read(4), "left");
    settle();
}

TEST_P(Input, PeersFinWaitsBehindAPause) {
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("bytes");
    peer.end();
    opened();
    settle();
    EXPECT_EQ(script.count("on_end"), 0U);
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read_to_end(), "bytes");
}

// ── Bounds ───────────────────────────────────────────────────────────────────────────────────

TEST_P(Input, UnreadBytesAboveTheMaximumEndTheConnection) {
    options.input_max = 100'000;
    start();
    RawPeer peer = connect();
    std::size_t sent = 0;
    try {  // until the reset, which may come in the middle of a send
        while (script.closed().empty()) sent += peer.send_now(pattern(10'000));
    } catch (const std::system_error&) {
    }
    EXPECT_EQ(closed(), CloseReason::inbound_overflow);
    EXPECT_GT(sent, 100'000U);
}

TEST_P(Input, NothingIsUnreadInOnCloseAfterAnOverflow) {
    std::size_t unread = 0;
    options.input_max = 10;
    script.close = [&](Connection& peer, CloseReason) { unread = peer.unread(); };
    start();
    RawPeer peer = connect();
    peer.send(pattern(100));
    EXPECT_EQ(closed(), CloseReason::inbound_overflow);
    EXPECT_EQ(unread, 0U);
}

BERTH_FOR_EACH_DRIVER(Input);

}  // namespace
}  // namespace berth::test
