// SPDX-License-Identifier: MIT
//
// Unix packets and datagrams across generations: the listeners travel, with what waits in them.

#include "integration/support_generations.hpp"
#include "support/raw_message.hpp"

#include <berth/datagram.hpp>

#include <string>

namespace berth::test {
namespace {

class HandoverOfUnixSockets : public Generations {
protected:
    std::string address(const std::string& scheme) const {
        return scheme + ":" + folder.file("socket");
    }
    static void answer_as(Generation& generation, const std::string& name) {
        generation.script.datagram = [name](Datagram& datagram) {
            datagram.reply(name + std::string(datagram.text()));
        };
        generation.script.traffic = [name](Connection& peer) {
            peer.write(name + std::string(as_text(peer.next())));
            return Action::none;
        };
    }
    static std::string answer(RawMessages& peer) {
        peer.send("?");
        return peer.read().bytes;
    }
    void take_over_at(const std::string& scheme) {
        Generation old(without_probation());
        Generation young(options());
        answer_as(old, "old");
        answer_as(young, "young");
        ASSERT_TRUE(old.start({address(scheme)}));
        RawMessages first = RawMessages::connect(old.endpoint());
        EXPECT_EQ(answer(first), "old?");
        const auto started = young.start({address(scheme)});
        ASSERT_TRUE(started) << started.error().to_string();
        ASSERT_TRUE(is_in(old, EngineState::stopped));
        RawMessages second = RawMessages::connect(young.endpoint());
        EXPECT_EQ(answer(second), "young?");
        const auto report = old.engine().wait();
        ASSERT_TRUE(report);
        EXPECT_EQ(report->outcome, StopOutcome::handed_over);
        EXPECT_EQ(report->listeners.at(0).quiesce, "handed_over");
    }
};

TEST_F(HandoverOfUnixSockets, OfPackets) { take_over_at("unixpacket"); }

TEST_F(HandoverOfUnixSockets, OfDatagrams) { take_over_at("unixgram"); }

}  // namespace
}  // namespace berth::test
