// SPDX-License-Identifier: MIT
//
// Sessions of datagrams and a handover: the socket is the next generation's, the sessions stay
// where they began, and only send.

#include "integration/support_engine.hpp"
#include "integration/support_generations.hpp"
#include "support/raw_datagram.hpp"

#include <chrono>
#include <string>

namespace berth::test {
namespace {

class HandoverOfSessions : public Generations, public testing::WithParamInterface<DriverKind> {
protected:
    void SetUp() override {
        EventHandler nothing;
        const auto started = Engine(nothing, {.loops = 1, .driver = GetParam()}).start();
        if (!started) GTEST_SKIP() << started.error().to_string();
    }

    Options with_sessions(Options options) const {
        options.driver = GetParam();
        options.datagrams.sessions = true;
        options.datagrams.session_idle = patience() * 2;
        return options;
    }
    // Answers as `name`, and stays when it is asked to end.
    static void answer_as(Generation& generation, const std::string& name) {
        generation.script.traffic = [name](Connection& peer) {
            peer.write(name + ": " + std::string(as_text(peer.peek())));
            peer.discard();
            return Action::none;
        };
        generation.script.drain = [](Connection&, Deadline) { return Action::none; };
    }
    static std::string answer(RawDatagramSocket& peer, const Endpoint& to,
                              const std::string& bytes) {
        peer.send_to(to, bytes);
        return peer.read().bytes;
    }
    static ConnectionId only_session(const Generation& generation) {
        EXPECT_EQ(generation.script.opened().size(), 1U);
        return generation.script.opened().at(0);
    }
};

TEST_P(HandoverOfSessions, StayWithTheOldGenerationAndOnlySend) {
    Generation old(with_sessions(without_probation()));
    Generation young(with_sessions(options()));
    answer_as(old, "old");
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    const Endpoint target = old.endpoint();
    RawDatagramSocket peer(target);
    EXPECT_EQ(answer(peer, target, "one"), "old: one");
    ASSERT_TRUE(young.start({old.address()}));
    ASSERT_TRUE(is_in(old, EngineState::draining));

    EXPECT_EQ(answer(peer, target, "two"), "young: two");  // a known peer begins anew
    EXPECT_EQ(answer(peer, target, "three"), "young: three");
    EXPECT_EQ(young.script.opened().size(), 1U);
    EXPECT_EQ(old.script.count("on_traffic"), 1U);

    ASSERT_TRUE(old.engine().write(only_session(old), "a last word"));
    const Letter last = peer.read();
    EXPECT_EQ(last.bytes, "a last word");
    EXPECT_EQ(last.from, target.ip());

    ASSERT_TRUE(old.engine().close(only_session(old)));
    const auto report = old.engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
    EXPECT_EQ(report->listeners.at(0).quiesce, "handed_over");
    EXPECT_EQ(answer(peer, target, "four"), "young: four");
    EXPECT_EQ(young.script.opened().size(), 1U);
}

// Also where the handler lets its connections travel.
TEST_P(HandoverOfSessions, AreAskedToEndAndDoNotTravel) {
    Generation old(with_sessions(without_probation()));
    Generation young(with_sessions(options()));
    answer_as(old, "old");
    answer_as(young, "young");
    old.script.travel_out = [](Connection&) { return Buffer::copy_of("state"); };
    young.script.travel_in = [](Connection&, Bytes) { return Action::none; };
    old.script.drain = [](Connection& peer, Deadline) {
        peer.write("goodbye");
        return Action::close;
    };
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    const Endpoint target = old.endpoint();
    RawDatagramSocket peer(target);
    EXPECT_EQ(answer(peer, target, "one"), "old: one");
    ASSERT_TRUE(young.start({old.address()}));
    EXPECT_EQ(peer.read().bytes, "goodbye");
    const auto report = old.engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
    EXPECT_EQ(old.script.reasons(), std::vector{CloseReason::stop_graceful});
    EXPECT_EQ(young.script.count("on_import"), 0U);
    EXPECT_EQ(answer(peer, target, "two"), "young: two");
}

TEST_P(HandoverOfSessions, ThatStayAreCutOffAtTheDeadlineAndTheNewOnesAreNot) {
    Options hurried = with_sessions(without_probation());
    hurried.drain = std::chrono::milliseconds{50};
    Generation old(hurried);
    Generation young(with_sessions(options()));
    answer_as(old, "old");
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    const Endpoint target = old.endpoint();
    RawDatagramSocket peer(target);
    EXPECT_EQ(answer(peer, target, "one"), "old: one");
    ASSERT_TRUE(young.start({old.address()}));
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    EXPECT_EQ(old.script.reasons(), std::vector{CloseReason::stop_forced});
    EXPECT_EQ(answer(peer, target, "two"), "young: two");
}

// In probation the old generation asks nobody to end; if it resumes, its sessions hear again.
TEST_P(HandoverOfSessions, GoOnWhereTheyWereAfterARollback) {
    Generation old(with_sessions(options()));
    Generation young(with_sessions(options()));
    answer_as(old, "old");
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    const Endpoint target = old.endpoint();
    RawDatagramSocket peer(target);
    EXPECT_EQ(answer(peer, target, "one"), "old: one");
    ASSERT_TRUE(young.start({old.address()}));
    ASSERT_TRUE(is_in(old, EngineState::handing_over));
    EXPECT_EQ(answer(peer, target, "two"), "young: two");
    ASSERT_TRUE(old.engine().write(only_session(old), "still here"));
    EXPECT_EQ(peer.read().bytes, "still here");
    EXPECT_EQ(old.script.count("on_drain"), 0U);

    young.engine().request_stop(young.engine().now());  // its own session stays otherwise
    ASSERT_TRUE(young.engine().wait());
    ASSERT_TRUE(is_in(old, EngineState::ready));
    EXPECT_EQ(answer(peer, target, "three"), "old: three");
    only_session(old);
}

std::string name_of_driver(const testing::TestParamInfo<DriverKind>& info) {
    return info.param == DriverKind::uring ? "uring" : "epoll";
}
INSTANTIATE_TEST_SUITE_P(On, HandoverOfSessions,
                         testing::Values(DriverKind::epoll, DriverKind::uring), name_of_driver);

}  // namespace
}  // namespace berth::test
