// SPDX-License-Identifier: MIT
//
// Sockets of packets that were connected elsewhere: adopted, they are what a unixpacket: listener
// accepts.

#include "integration/support_messages.hpp"

#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

class AdoptedPackets : public SpeakingMessages {
protected:
    RawMessages adopted_peer() {
        auto [ours, peer] = RawMessages::pair(Scheme::unix_packet);
        adopt(std::move(ours));
        return std::move(peer);
    }
};

TEST_P(AdoptedPackets, KeepTheirBoundsBothWays) {
    script.traffic = [this](Connection& peer) {
        note(as_text(peer.peek()));
        peer.write("heard ");
        peer.write(peer.next());
        return Action::none;
    };
    start_without_listeners();
    auto [ours, peer] = RawMessages::pair(Scheme::unix_packet);
    const std::vector<std::string> sent{"early", "two", std::string(60'000, 'x')};
    peer.send(sent[0]);
    const ConnectionId id = adopt(std::move(ours));
    EXPECT_EQ(id, opened());
    peer.send(sent[1]);
    peer.send(sent[2]);
    for (const std::string& each : sent) {
        EXPECT_EQ(peer.read().bytes, "heard ");
        EXPECT_EQ(peer.read().bytes, each);
    }
    EXPECT_EQ(heard(), sent);
}

TEST_P(AdoptedPackets, DropTheRestOfOneAndRefuseWhatIsTooLong) {
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.write(pattern(16U << 20U)), WriteStatus::too_long);
        return Action::none;
    };
    options.output_max = 32U << 20U;
    listen_to(2);
    start_without_listeners();
    RawMessages peer = adopted_peer();
    peer.send("long");
    peer.send("er");
    ASSERT_TRUE(has_heard(2));
    EXPECT_EQ(heard(), (std::vector<std::string>{"long", "er"}));
    EXPECT_EQ(engine().snapshot().datagrams.unread, 1U);
}

TEST_P(AdoptedPackets, KnowTheirPeerByItsScheme) {
    script.open = [](Connection& peer) {
        peer.write(peer.peer_endpoint().to_string());
        return Action::none;
    };
    start_without_listeners();
    RawMessages peer = adopted_peer();
    EXPECT_EQ(peer.read().bytes, Endpoint(Scheme::unix_packet, std::string()).to_string());
    const RawListener listener(*Endpoint::parse(address_of("unixpacket")));
    RawMessages client = RawMessages::connect(listener.endpoint());
    adopt(OwnedDescriptor(::dup(client.descriptor())));
    EXPECT_TRUE(eventually([&] { return script.opened().size() == 2; }));
    engine().post(opened(1),
                  [&](Connection& of) { EXPECT_EQ(of.peer_endpoint(), listener.endpoint()); });
    settle();
}

TEST_P(AdoptedPackets, BringDescriptorsWhereTheOptionsLetThem) {
    script.traffic = [this](Connection& peer) {
        note(std::to_string(peer.take_descriptors().size()));
        peer.discard();
        return Action::none;
    };
    options.descriptors_max = 2;
    start_without_listeners();
    RawMessages peer = adopted_peer();
    const auto [reader, writer] = raw_pipe();
    peer.send("two", {reader.number(), writer.number()});
    peer.send("none");
    ASSERT_TRUE(has_heard(2));
    EXPECT_EQ(heard(), (std::vector<std::string>{"2", "0"}));
}

TEST_P(AdoptedPackets, LetNoDescriptorInUnlessAsked) {
    listen_to();
    start_without_listeners();
    RawMessages peer = adopted_peer();
    const auto [reader, writer] = raw_pipe();
    peer.send("one", {reader.number()});
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(engine().snapshot().descriptors.received, 0U);
}

TEST_P(AdoptedPackets, EndWithTheirPeerAndWithAStop) {
    script.drain = [](Connection& peer, Deadline) {
        peer.write("goodbye");
        return Action::close;
    };
    start_without_listeners();
    RawMessages first = adopted_peer();
    RawMessages second = adopted_peer();
    opened(1);
    first.close();
    EXPECT_EQ(closed(0), CloseReason::peer_end);
    const StopReport report = stop();
    EXPECT_EQ(second.read().bytes, "goodbye");
    EXPECT_EQ(second.read().bytes, "");
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 1U);
    expect_balanced(report.bytes);
}

BERTH_FOR_EACH_PLAIN_DRIVER(AdoptedPackets);

class TransportedAdoptedPackets : public AdoptedPackets {};

TEST_P(TransportedAdoptedPackets, AreToldOnceThatTheyCannotBe) {
    start_without_listeners();
    RawMessages peer = adopted_peer();
    EXPECT_EQ(peer.read().bytes, "");
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
    EXPECT_EQ(script.count("on_open"), 0U);
}

BERTH_FOR_EACH_TRANSPORT(TransportedAdoptedPackets);

}  // namespace
}  // namespace berth::test
