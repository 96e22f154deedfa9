// SPDX-License-Identifier: MIT
//
// Writes posted from other threads: what a loop finds together leaves in one system call.
//
// Method: the loop is held in a task while the test's thread posts. The peer's kernel counts the
// segments that came, which is how many calls were made (support/segments.hpp).

#include "integration/support_messages.hpp"
#include "net/output_queue.hpp"
#include "support/segments.hpp"

#include <functional>
#include <string>

namespace berth::test {
namespace {

class PostedWrites : public AnEngine {
protected:
    // The loop finds at once whatever `post` posts.
    void as_one_burst(const std::function<void()>& post) {
        Gate is_held;
        Gate may_go_on;
        ASSERT_TRUE(engine().loop(0).post([&](EventLoop&) {
            is_held.open();
            EXPECT_TRUE(may_go_on.pass());
        }));
        ASSERT_TRUE(is_held.pass());
        post();
        may_go_on.open();
        settle();
    }

    void post_numbers(ConnectionId id, std::size_t count) {
        as_one_burst([&] {
            for (std::size_t number = 0; number < count; ++number) {
                EXPECT_TRUE(engine().write(id, line(number)));
            }
        });
    }

    // How many calls brought `peer` what `write` writes, which is `expected`.
    static std::uint32_t calls_for(RawPeer& peer, const std::string& expected,
                                   const std::function<void()>& write) {
        const std::uint32_t before = segments_received(peer.descriptor());
        write();
        EXPECT_EQ(peer.read(expected.size()), expected);
        return segments_received(peer.descriptor()) - before;
    }

    static std::string numbers(std::size_t count) {
        std::string text;
        for (std::size_t number = 0; number < count; ++number) text += line(number);
        return text;
    }
    static std::string line(std::size_t number) { return std::to_string(number) + "\n"; }
};

TEST_P(PostedWrites, OfOneBurstLeaveInOneCall) {
    constexpr std::size_t kWrites = 6;
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    EXPECT_EQ(calls_for(peer, numbers(kWrites), [&] { post_numbers(id, kWrites); }), 1U);
}

TEST_P(PostedWrites, OfTasksLeaveInOneCallWithTheOthers) {
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    const auto burst = [&] {
        EXPECT_TRUE(engine().post(id, [](Connection& to) { to.write(line(0)); }));
        EXPECT_TRUE(engine().write(id, line(1)));
        EXPECT_TRUE(engine().post(id, [](Connection& to) {
            to.write(line(2));
            to.write(Buffer::copy_of(line(3)));
        }));
        EXPECT_TRUE(engine().write(id, Buffer::copy_of(line(4))));
    };
    EXPECT_EQ(calls_for(peer, numbers(5), [&] { as_one_burst(burst); }), 1U);
}

// That the count above would notice. What is more than that probes for a lost tail, where several
// are on their way and the machine is slow to acknowledge (RFC 8985, 7).
TEST_P(PostedWrites, ThatTheLoopFindsOneByOneTakeACallEach) {
    constexpr std::size_t kWrites = 5;
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    const auto one_by_one = [&] {
        for (std::size_t number = 0; number < kWrites; ++number) {
            EXPECT_EQ(delivered([&](Completion done) {
                          return engine().write(id, line(number), std::move(done));
                      }),
                      Delivery::written);
        }
    };
    EXPECT_GE(calls_for(peer, numbers(kWrites), one_by_one), kWrites);
}

BERTH_FOR_EACH_DRIVER(PostedWrites);

// Without a transport, which would seal each, and no more ahead than it has bounds for.
class ManyPostedWrites : public PostedWrites {};

TEST_P(ManyPostedWrites, LeaveWithAsManyAsACallTakes) {
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    for (const std::uint32_t calls : {1U, 4U}) {
        const std::size_t writes = calls * net::kSlicesPerSend;
        EXPECT_LE(calls_for(peer, numbers(writes), [&] { post_numbers(id, writes); }), calls);
    }
}

BERTH_FOR_EACH_PLAIN_DRIVER(ManyPostedWrites);

}  // namespace
}  // namespace berth::test
