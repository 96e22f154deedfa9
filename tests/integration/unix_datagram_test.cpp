// SPDX-License-Identifier: MIT
//
// unixgram: datagrams between Unix names: answered where the sender has one, dialled with a name of
// its own, and paths that are given back.

#include "integration/support_messages.hpp"

#include <berth/datagram.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

namespace berth::test {
namespace {

class UnixDatagrams : public SpeakingMessages {
protected:
    void serve() { start(address_of("unixgram")); }
    void serve_echo() {
        script.datagram = [this](Datagram& datagram) {
            note(datagram.text());
            is_answered_ = datagram.reply(datagram.payload());
        };
        serve();
    }
    Endpoint server() { return engine().endpoints()[0]; }
    RawMessages bound(const std::string& file) {
        return RawMessages::bound(*Endpoint::parse(address_of("unixgram", file)));
    }

    std::atomic<bool> is_answered_ = false;
};

TEST_P(UnixDatagrams, AreAnsweredByPath) {
    serve_echo();
    RawMessages peer = bound("peer");
    for (const char* text : {"one", "", "three"}) {
        peer.send_to(server(), text);
        const RawMessage answer = peer.read();
        EXPECT_EQ(answer.bytes, text);
        EXPECT_EQ(answer.from, server().name());
    }
}

TEST_P(UnixDatagrams, AreAnsweredByAbstractName) {
    serve_echo();
    RawMessages peer = RawMessages::connect(server());
    peer.send("hello");
    EXPECT_EQ(peer.read().bytes, "hello");
}

TEST_P(UnixDatagrams, AreServedAtAnAbstractName) {
    script.datagram = [](Datagram& datagram) { datagram.reply(datagram.payload()); };
    start("unixgram:@" + dir().path().filename().string());
    RawMessages peer = RawMessages::connect(server());
    peer.send("hello");
    EXPECT_EQ(peer.read().bytes, "hello");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(UnixDatagrams, WhoHasNoNameIsHeardAndCannotBeAnswered) {
    std::atomic<bool> had_name = true;
    script.datagram = [&](Datagram& datagram) {
        had_name = !datagram.peer_endpoint().name().empty();
        EXPECT_EQ(datagram.peer_endpoint().scheme(), Scheme::unix_datagram);
        EXPECT_FALSE(datagram.reply("to whom?"));
        note(datagram.text());
    };
    serve();
    RawMessages::unnamed(Scheme::unix_datagram).send_to(server(), "psst");
    ASSERT_TRUE(has_heard(1));
    settle();
    EXPECT_FALSE(had_name);
    EXPECT_EQ(engine().snapshot().datagrams.refused, 1U);
}

TEST_P(UnixDatagrams, TellWhomTheyAreFromAndTo) {
    Endpoint from;
    Endpoint to;
    script.datagram = [&](Datagram& datagram) {
        from = datagram.peer_endpoint();
        to = datagram.local_endpoint();
        note(datagram.text());
    };
    serve();
    RawMessages peer = bound("peer");
    peer.send_to(server(), "hello");
    ASSERT_TRUE(has_heard(1));
    settle();
    EXPECT_EQ(from, *Endpoint::parse(address_of("unixgram", "peer")));
    EXPECT_EQ(to, server());
}

TEST_P(UnixDatagrams, ManyComeInOrder) {
    constexpr int kCount = 200;
    script.datagram = [this](Datagram& datagram) { note(datagram.text()); };
    serve();
    RawMessages peer = RawMessages::connect(server());
    std::vector<std::string> sent;
    for (int number = 0; number < kCount; ++number) {
        sent.push_back(std::to_string(number));
        peer.send(sent.back());
    }
    ASSERT_TRUE(has_heard(kCount));
    EXPECT_EQ(heard(), sent);
}

TEST_P(UnixDatagrams, AreSentToWhomeverOneKnows) {
    serve();
    RawMessages peer = bound("peer");
    const Endpoint to = *Endpoint::parse(address_of("unixgram", "peer"));
    on_loop([&](EventLoop& loop) {
        EXPECT_TRUE(loop.send_to(0, to, "from the loop"));
        EXPECT_FALSE(loop.send_to(0, loopback_endpoint(), "of another kind"));
        EXPECT_FALSE(loop.send_to(0, {Scheme::unix_datagram, std::string()}, "to nobody"));
    });
    EXPECT_EQ(peer.read().bytes, "from the loop");
    EXPECT_TRUE(engine().send_to(0, to, Buffer::copy_of("from outside")));
    EXPECT_EQ(peer.read().bytes, "from outside");
    EXPECT_FALSE(engine().send_to(0, loopback_endpoint(), Buffer()));
}

// One receiver that does not read costs those to others nothing.
TEST_P(UnixDatagrams, AFullReceiverLosesItsOwnOnly) {
    serve();
    RawMessages slow = bound("slow");
    RawMessages quick = bound("quick");
    const Endpoint to_slow = *Endpoint::parse(address_of("unixgram", "slow"));
    const Endpoint to_quick = *Endpoint::parse(address_of("unixgram", "quick"));
    on_loop([&](EventLoop& loop) {
        for (int count = 0; count < 1000; ++count) loop.send_to(0, to_slow, pattern(5000));
        loop.send_to(0, to_quick, "still");
    });
    EXPECT_EQ(quick.read().bytes, "still");
    EXPECT_GT(engine().snapshot().datagrams.refused, 0U);
}

TEST_P(UnixDatagrams, AStalePathIsReplacedAndALiveOneLeftAlone) {
    {
        const RawMessages dead = bound("socket");
    }
    serve_echo();
    EventHandler nothing;
    const auto second = make_engine(nothing)->start(address_of("unixgram"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::address_in_use);
    RawMessages peer = RawMessages::connect(server());
    peer.send("alive");
    EXPECT_EQ(peer.read().bytes, "alive");
}

TEST_P(UnixDatagrams, AStopReadsWhatIsThereAndRemovesThePath) {
    Gate busy;
    script.datagram = [&](Datagram& datagram) {
        if (datagram.text() == "first") {
            EXPECT_TRUE(busy.pass());
        }
        note(datagram.text());
    };
    serve();
    RawMessages peer = RawMessages::connect(server());
    peer.send("first");
    for (int count = 0; count < 5; ++count) peer.send("behind it");
    engine().request_stop();
    busy.open();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(heard().size(), 6U);
    EXPECT_EQ(report.listeners.at(0).quiesce, "emptied");
    EXPECT_FALSE(std::filesystem::exists(dir().file("socket")));
}

TEST_P(UnixDatagrams, ThePathHasItsMode) {
    options.unix_mode = 0600;
    serve();
    const auto permissions = std::filesystem::status(dir().file("socket")).permissions();
    EXPECT_EQ(static_cast<unsigned>(permissions) & 0777U, 0600U);
}

TEST_P(UnixDatagrams, AListenerIsSuspendedAndResumed) {
    serve_echo();
    engine().suspend();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::suspended; }));
    RawMessages peer = RawMessages::connect(server());
    peer.send("later");
    settle();
    EXPECT_TRUE(heard().empty());
    engine().resume();
    EXPECT_EQ(peer.read().bytes, "later");
}

TEST_P(UnixDatagrams, AreDialledUnderANameOfTheirOwn) {
    listen_to();
    std::atomic<bool> is_named = false;
    script.open = [&](Connection& peer) {
        is_named = peer.local_endpoint().is_abstract();
        EXPECT_EQ(peer.peer_endpoint().scheme(), Scheme::unix_datagram);
        peer.write("round trip");
        return Action::none;
    };
    script.datagram = [](Datagram& datagram) { datagram.reply(datagram.payload()); };
    serve();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(server())); });
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "round trip");
    EXPECT_TRUE(is_named);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(UnixDatagrams, DialledOnesEndWhenTheServerIsGone) {
    serve();
    RawMessages far = bound("far");
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.connect(*Endpoint::parse(address_of("unixgram", "far"))));
    });
    const ConnectionId id = opened();
    far.close();
    EXPECT_TRUE(eventually([&] {
        engine().write(id, "anybody?");
        return script.count("on_close") == 1;
    }));
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

TEST_P(UnixDatagrams, DiallingNobodyFailsOnce) {
    serve();
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.connect(*Endpoint::parse(address_of("unixgram", "nobody"))));
    });
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
}

BERTH_FOR_EACH_PLAIN_DRIVER(UnixDatagrams);

}  // namespace
}  // namespace berth::test
