// SPDX-License-Identifier: MIT
//
// Sockets of datagrams that were connected elsewhere: adopted, they are what a dial to udp:// or
// unixgram: gives.

#include "driver/kernel_system.hpp"
#include "integration/support_messages.hpp"
#include "support/raw_datagram.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

class AdoptedDatagrams : public SpeakingMessages {
protected:
    // Connected to `far`, by somebody else.
    static OwnedDescriptor connected_to(const RawDatagramSocket& far) {
        driver::System& system = driver::kernel_system();
        const auto socket = system.open_socket(far.endpoint());
        EXPECT_TRUE(socket && system.connect(*socket, far.endpoint()));
        return OwnedDescriptor(driver::number(*socket));
    }
    void echo() {
        script.traffic = [this](Connection& peer) {
            note(as_text(peer.peek()));
            peer.write(peer.next());
            return Action::none;
        };
    }
    void speak_with(const char* beside) {
        RawDatagramSocket far(*Endpoint::parse(beside));
        script.open = [](Connection& peer) {
            EXPECT_EQ(peer.write("hello"), WriteStatus::queued);
            return Action::none;
        };
        echo();
        start_without_listeners();
        const ConnectionId id = adopt(connected_to(far));
        EXPECT_EQ(id, opened());
        const Letter hello = far.read();
        EXPECT_EQ(hello.bytes, "hello");
        const Endpoint ours(Scheme::udp, hello.from);
        engine().post(id, [&](Connection& peer) {
            EXPECT_EQ(peer.peer_endpoint(), far.endpoint());
            EXPECT_EQ(peer.local_endpoint(), ours);
        });
        for (const std::string& each :
             {std::string("one"), std::string(), std::string(9000, 'x')}) {
            far.send_to(ours, each);
            EXPECT_EQ(far.read().bytes, each);
        }
        stop();
    }
};

TEST_P(AdoptedDatagrams, OfUdpKeepTheirBoundsBothWays) { speak_with("udp://127.0.0.1:0"); }

TEST_P(AdoptedDatagrams, OfUdpOverIpv6KeepThemToo) { speak_with("udp://[::1]:0"); }

TEST_P(AdoptedDatagrams, HearWhatCameBefore) {
    RawDatagramSocket far(*Endpoint::parse("udp://127.0.0.1:0"));
    OwnedDescriptor ours = connected_to(far);
    ASSERT_EQ(::send(ours.number(), "hello", 5, 0), 5);
    far.send_to({Scheme::udp, far.read().from}, "early");
    listen_to();
    start_without_listeners();
    adopt(std::move(ours));
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "early");
}

TEST_P(AdoptedDatagrams, OfUnixNeedNoName) {
    echo();
    start_without_listeners();
    auto [ours, peer] = RawMessages::pair(Scheme::unix_datagram);
    const ConnectionId id = adopt(std::move(ours));
    const std::vector<std::string> sent{"one", "", std::string(60'000, 'x')};
    for (const std::string& each : sent) {
        peer.send(each);
        EXPECT_EQ(peer.read().bytes, each);
    }
    EXPECT_EQ(heard(), sent);
    engine().post(id,
                  [](Connection& of) { EXPECT_EQ(of.peer_endpoint().to_string(), "unixgram:"); });
    settle();
}

TEST_P(AdoptedDatagrams, WhosePeerHasGoneEndWithTheNextWrite) {
    start_without_listeners();
    auto [ours, peer] = RawMessages::pair(Scheme::unix_datagram);
    const ConnectionId id = adopt(std::move(ours));
    opened();
    peer.close();
    EXPECT_TRUE(engine().write(id, "anybody?"));
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

TEST_P(AdoptedDatagrams, EndWithAStop) {
    script.drain = [](Connection& peer, Deadline) {
        peer.write("goodbye");
        return Action::close;
    };
    start_without_listeners();
    RawDatagramSocket far(*Endpoint::parse("udp://127.0.0.1:0"));
    adopt(connected_to(far));
    opened();
    const StopReport report = stop();
    EXPECT_EQ(far.read().bytes, "goodbye");
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 1U);
    expect_balanced(report.bytes);
}

TEST_P(AdoptedDatagrams, ThatAreClosedBeforeTheyOpenedAreToldOnce) {
    start_without_listeners();
    const RawDatagramSocket far(*Endpoint::parse("udp://127.0.0.1:0"));
    const int ours = ::dup(connected_to(far).number());
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.adopt(ours));
        engine().request_stop(engine().now());
    });
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.count("on_open"), script.count("on_close"));
    EXPECT_EQ(script.count("on_open") + script.count("on_connect_failed"), 1U);
    EXPECT_LT(::fcntl(ours, F_GETFD), 0) << "it was the loop's";
}

// udplite(7) has datagrams, too.
TEST_P(AdoptedDatagrams, OfOtherProtocolsAreRefused) {
    const OwnedDescriptor lite(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE));
    if (lite.number() < 0) GTEST_SKIP() << "this kernel has no UDP-Lite";
    start_without_listeners();
    on_loop([&](EventLoop& loop) {
        const auto adopted = loop.adopt(lite.number());
        ASSERT_FALSE(adopted);
        EXPECT_NE(adopted.error().to_string().find("of a kind that no connection has"),
                  std::string::npos);
    });
}

BERTH_FOR_EACH_PLAIN_DRIVER(AdoptedDatagrams);

}  // namespace
}  // namespace berth::test
