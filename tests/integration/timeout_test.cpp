// SPDX-License-Identifier: MIT
//
// Limits in time of a connection, beside the idle timeout: reading, stalled output, its age.

#include "integration/support_engine.hpp"

#include <atomic>
#include <string>

namespace berth::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class Timeouts : public AnEngine {
protected:
    // Until its output has been waiting for a while: the peer reads nothing.
    void fill(Connection& peer) {
        while (peer.write(pattern(64U << 10U)) == WriteStatus::queued) {
        }
    }
    // Keeps the loop writing one byte every few milliseconds.
    void keep_writing() {
        script.tick = [this](EventLoop& loop) {
            if (is_quiet_) return kNever;
            loop.for_each([](Connection& each) { each.write("."); });
            return Duration(milliseconds{5});
        };
    }
    void be_quiet() { is_quiet_ = true; }

private:
    std::atomic<bool> is_quiet_ = false;
};

TEST_P(Timeouts, WhoSendsNothingIsClosedThoughItIsSentTo) {
    options.read_timeout = milliseconds{60};
    keep_writing();
    start();
    RawPeer peer = connect();
    opened();
    EXPECT_FALSE(peer.read_to_end().empty());
    // A transport may wait for its peer's answer just then: output that is stuck is cut off.
    EXPECT_TRUE(speaks_records() || peer.ended() == Ended::by_fin);
    peer.close();
    EXPECT_EQ(closed(), CloseReason::read_timeout);
    be_quiet();
}

TEST_P(Timeouts, WhoSendsNowAndThenIsKept) {
    options.read_timeout = milliseconds{300};
    std::atomic<std::size_t> received = 0;
    script.traffic = [&](Connection& peer) { return received += peer.discard(), Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    const Instant until = within(milliseconds{900});
    while (engine().now() < until) {
        peer.send(".");
        let_others_run();
    }
    EXPECT_EQ(script.count("on_close"), 0U);
    EXPECT_GT(received, 0U);
}

TEST_P(Timeouts, WhoIsNotReadIsNotExpectedToSend) {
    options.read_timeout = milliseconds{50};
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    const Instant until = within(milliseconds{200});
    EXPECT_TRUE(eventually([&] { return engine().now() >= until; }));
    settle();
    EXPECT_EQ(script.count("on_close"), 0U);
    on_loop([&](EventLoop& loop) { loop.find(id)->resume_read(); });
    EXPECT_EQ(peer.read_to_end(), "");
    peer.close();
    EXPECT_EQ(closed(), CloseReason::read_timeout);
}

TEST_P(Timeouts, WhoDoesNotReadIsResetWhenItsOutputStalls) {
    options.write_stall_timeout = milliseconds{80};
    script.open = [this](Connection& peer) { return fill(peer), Action::none; };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(closed(), CloseReason::write_stall_timeout);
    peer.read_to_end();
    if (!is_unix()) {
        EXPECT_EQ(peer.ended(), Ended::by_reset);
    }
}

// However often the handler writes: that is not progress.
TEST_P(Timeouts, WritingMoreDoesNotHideAStall) {
    options.write_stall_timeout = milliseconds{100};
    script.open = [this](Connection& peer) {
        fill(peer);
        peer.schedule_every(milliseconds{5}, [](Connection& each) { each.write("more"); });
        return Action::none;
    };
    start();
    const RawPeer peer = connect_slow();
    EXPECT_EQ(closed(), CloseReason::write_stall_timeout);
}

TEST_P(Timeouts, WhoReadsSlowlyIsNotStalled) {
    options.write_stall_timeout = milliseconds{400};
    constexpr std::size_t kBytes = 3U << 20U;
    script.open = [](Connection& peer) {
        peer.write(pattern(kBytes));
        peer.close();
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    std::size_t received = 0;
    while (received < kBytes) {
        const std::string some = peer.read(std::min<std::size_t>(16U << 10U, kBytes - received));
        if (some.empty()) break;
        received += some.size();
        let_others_run();
    }
    EXPECT_EQ(received, kBytes);
    peer.close();
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Timeouts, StallEndsACloseThatWouldWaitForEver) {
    options.write_stall_timeout = milliseconds{80};
    script.open = [this](Connection& peer) {
        fill(peer);
        peer.close();
        return Action::none;
    };
    start();
    const RawPeer peer = connect_slow();
    EXPECT_EQ(closed(), CloseReason::write_stall_timeout);
}

TEST_P(Timeouts, OldConnectionEndsInOrder) {
    options.lifetime_max = milliseconds{80};
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    const Instant accepted = engine().now();
    peer.send("young");
    EXPECT_EQ(peer.read_to_end(), "young");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_GE(engine().now() - accepted, milliseconds{50});
    peer.close();
    EXPECT_EQ(closed(), CloseReason::lifetime_max);
}

TEST_P(Timeouts, OldConnectionFinishesItsRequestFirst) {
    options.lifetime_max = milliseconds{40};
    InFlight work;
    script.traffic = [&](Connection& peer) {
        peer.discard();
        work = peer.begin();
        peer.schedule_after(milliseconds{150}, [&](Connection& again) {
            again.write("answer");
            work.release();
        });
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("question");
    EXPECT_EQ(peer.read_to_end(), "answer");
    peer.close();
    EXPECT_EQ(closed(), CloseReason::lifetime_max);
}

TEST_P(Timeouts, AreSetForOneConnectionAlone) {
    options.idle_timeout = hours{1};
    script.traffic = [](Connection& peer) {
        const char what = static_cast<char>(peer.peek()[0]);
        peer.discard();
        if (what == 'i') peer.set_idle_timeout(milliseconds{20});
        if (what == 'r') peer.set_read_timeout(milliseconds{20});
        if (what == 'l') peer.set_lifetime_max(milliseconds{20});
        return Action::none;
    };
    start();
    RawPeer other = connect();
    opened();
    std::size_t closes = 0;
    for (const auto& [what, reason] : {std::pair{"i", CloseReason::idle_timeout},
                                       {"r", CloseReason::read_timeout},
                                       {"l", CloseReason::lifetime_max}}) {
        RawPeer peer = connect();
        peer.send(what);
        EXPECT_EQ(peer.read_to_end(), "");
        peer.close();
        EXPECT_EQ(closed(closes++), reason);
    }
    EXPECT_EQ(script.count("on_close"), 3U);
}

TEST_P(Timeouts, AreLiftedForOneConnectionAlone) {
    options.idle_timeout = milliseconds{30};
    options.read_timeout = milliseconds{30};
    options.lifetime_max = milliseconds{30};
    script.open = [](Connection& peer) {
        if (peer.id().slot() > 0) return Action::none;
        peer.set_idle_timeout(Duration::zero());
        peer.set_read_timeout(Duration::zero());
        peer.set_lifetime_max(Duration::zero());
        return Action::none;
    };
    start();
    const RawPeer kept = connect();
    opened();
    RawPeer peer = connect();
    peer.read_to_end();
    peer.close();
    closed();
    const Instant until = within(milliseconds{100});
    EXPECT_TRUE(eventually([&] { return engine().now() >= until; }));
    settle();
    EXPECT_EQ(script.count("on_close"), 1U);
}

TEST_P(Timeouts, NegativeOnesAreRefused) {
    for (auto Options::* field :
         {&Options::read_timeout, &Options::write_stall_timeout, &Options::lifetime_max}) {
        Options wrong;
        wrong.*field = milliseconds{-1};
        Engine other(script, wrong);
        const auto started = other.start(address());
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code(), ErrorCode::invalid_option);
    }
}

BERTH_FOR_EACH_TRANSPORT(Timeouts);

}  // namespace
}  // namespace berth::test
