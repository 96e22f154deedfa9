// SPDX-License-Identifier: MIT
//
// Datagrams across generations: the socket travels with what is in it.

#include "integration/support_generations.hpp"
#include "support/raw_datagram.hpp"

#include <berth/datagram.hpp>

#include <atomic>
#include <set>
#include <string>
#include <thread>

namespace berth::test {
namespace {

class HandoverOfDatagrams : public Generations {
protected:
    static void answer_as(Generation& generation, const std::string& name) {
        generation.script.datagram = [name](Datagram& datagram) {
            datagram.reply(name + std::string(datagram.text()));
        };
    }
    static std::string answer(RawDatagramSocket& peer, const Endpoint& to) {
        peer.send_to(to, "?");
        return peer.read().bytes;
    }
};

TEST_F(HandoverOfDatagrams, TheNextGenerationAnswersOnTheSameSocket) {
    Generation old(without_probation());
    Generation young(options());
    answer_as(old, "old");
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    RawDatagramSocket peer(old.endpoint());
    EXPECT_EQ(answer(peer, old.endpoint()), "old?");
    const auto started = young.start({old.address()});
    ASSERT_TRUE(started) << started.error().to_string();
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    EXPECT_EQ(young.address(), old.address());
    EXPECT_EQ(answer(peer, young.endpoint()), "young?");
    const auto report = old.engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over);
    EXPECT_EQ(report->listeners.at(0).quiesce, "handed_over");
}

// Who sends all the time is answered every time, by one or the other.
TEST_F(HandoverOfDatagrams, LosesNoDatagram) {
    Generation old(without_probation());
    Generation young(options());
    answer_as(old, "old");
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"udp://127.0.0.1:0"}));
    const Endpoint target = old.endpoint();
    std::atomic<bool> is_over = false;
    std::atomic<int> by_old = 0;
    std::atomic<int> by_young = 0;
    std::thread client([&] {
        RawDatagramSocket peer(target);
        for (int number = 0; !is_over; ++number) {
            peer.send_to(target, std::to_string(number));
            const std::string heard = peer.read().bytes;  // throws where it is lost
            ++(heard.starts_with("old") ? by_old : by_young);
        }
    });
    ASSERT_TRUE(eventually([&] { return by_old > 20; }));
    EXPECT_TRUE(young.start({target.to_string()}));
    EXPECT_TRUE(eventually([&] { return by_young > 20; }));
    is_over = true;
    client.join();
}

TEST_F(HandoverOfDatagrams, AStreamOfTheSamePortIsNotMistakenForIt) {
    Generation old(without_probation());
    Generation young(options());
    answer_as(young, "young");
    ASSERT_TRUE(old.start({"tcp://127.0.0.1:0", "udp://127.0.0.1:0"}));
    const std::string stream = old.address(0);
    const std::string datagrams = old.address(1);
    const auto started = young.start({datagrams, stream});  // in the other order
    ASSERT_TRUE(started) << started.error().to_string();
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    RawDatagramSocket peer(young.endpoint(0));
    EXPECT_EQ(answer(peer, young.endpoint(0)), "young?");
    RawPeer client = connect(young, 1);
    EXPECT_EQ(said_back(client), "hello");
}

}  // namespace
}  // namespace berth::test
