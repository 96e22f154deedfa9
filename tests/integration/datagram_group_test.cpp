// SPDX-License-Identifier: MIT
//
// Datagrams to many: groups that a listener joins and leaves, broadcast, interfaces. On loopback,
// which takes IPv4 multicast where it is named, and any interface that has IPv6 multicast.

#include "integration/support_engine.hpp"
#include "support/raw_datagram.hpp"

#include <berth/datagram.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

constexpr const char* kGroup = "239.77.0.1";
constexpr const char* kGroup6 = "ff01::7:1";  // of this node: it never gets on the wire

// To a group of IPv6, by an interface; 0: it went.
int send_to_v6_group(unsigned interface, std::uint16_t port) {
    const OwnedDescriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 group{};
    group.sin6_family = AF_INET6;
    group.sin6_port = htons(port);
    group.sin6_scope_id = interface;
    ::inet_pton(AF_INET6, kGroup6, &group.sin6_addr);
    const auto* const address = reinterpret_cast<const sockaddr*>(&group);
    return ::sendto(socket.number(), "all", 3, 0, address, sizeof group) == 3 ? 0 : errno;
}

// The first interface that has a way to such groups: loopback often has none.
std::string interface_of_v6_groups() {
    constexpr std::uint16_t kDiscard = 9;
    std::array<char, IF_NAMESIZE> name{};
    for (unsigned index = 1; index < 64; ++index) {
        if (::if_indextoname(index, name.data()) == nullptr) continue;
        if (send_to_v6_group(index, kDiscard) == 0) return name.data();
    }
    return {};
}
constexpr const char* kNoV6Groups = "no interface has a route for IPv6 multicast (ff00::/8)";

// What it sends to a group leaves by loopback.
void send_by_loopback(const RawDatagramSocket& peer) {
    ip_mreqn request{};
    request.imr_ifindex = static_cast<int>(::if_nametoindex("lo"));
    ASSERT_EQ(
        ::setsockopt(peer.descriptor(), IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request), 0);
}

class DatagramGroups : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        script.datagram = [this](Datagram& datagram) {
            ++heard_;
            datagram.reply(datagram.local_endpoint().ip().family == 0
                               ? "?"
                               : std::string(datagram.text()) + " heard");
        };
    }
    Endpoint at(const std::string& host, std::size_t listener = 0) {
        return *Endpoint::parse("udp://" + host + ':' +
                                std::to_string(engine().endpoints().at(listener).port()));
    }
    RawDatagramSocket client() {
        RawDatagramSocket peer(at("127.0.0.1"));
        send_by_loopback(peer);
        return peer;
    }
    // What the kernel said to a change of a group.
    std::optional<Result<void>> answer(const std::function<bool(Engine::GroupCompletion)>& change) {
        Gate gate;
        std::optional<Result<void>> said;
        const bool is_taken = change([&](Result<void> result) {
            said.emplace(std::move(result));
            gate.open();
        });
        if (is_taken) gate.pass();
        return said;
    }
    std::string refusal_of(const std::string& address) {
        Script other;
        const auto started = make_engine(other)->start(address);
        return started ? "started" : started.error().to_string();
    }

    std::atomic<int> heard_{0};
};

TEST_P(DatagramGroups, AreHeardByTheListenersThatJoin) {
    options.datagrams.groups = {{kGroup, "lo"}};
    start("udp4://:0");
    RawDatagramSocket peer = client();
    peer.send_to(at(kGroup), "all");
    EXPECT_EQ(peer.read().bytes, "all heard");
    peer.send_to(at("239.77.0.2"), "others");
    peer.send_to(at("127.0.0.1"), "one");
    EXPECT_EQ(peer.read().bytes, "one heard");
    EXPECT_EQ(heard_, 2);
}

TEST_P(DatagramGroups, AreHeardOnceByManyLoops) {
    options.loops = 3;
    options.datagrams.groups = {{kGroup, "lo"}};
    start("udp4://:0");
    RawDatagramSocket peer = client();
    for (int round = 0; round < 5; ++round) {
        peer.send_to(at(kGroup), "all");
        EXPECT_EQ(peer.read().bytes, "all heard");
    }
    EXPECT_TRUE(peer.hears_nothing());
    EXPECT_EQ(heard_, 5);
}

TEST_P(DatagramGroups, OfIpv6AreHeardByTheirInterface) {
    const std::string interface = interface_of_v6_groups();
    if (interface.empty()) GTEST_SKIP() << kNoV6Groups;
    options.datagrams.groups = {{kGroup6, interface}};
    start("udp6://:0");
    const unsigned index = ::if_nametoindex(interface.c_str());
    EXPECT_EQ(send_to_v6_group(index, engine().endpoints().at(0).port()), 0);
    EXPECT_TRUE(eventually([&] { return heard_ == 1; }));
}

TEST_P(DatagramGroups, OfBothFamiliesAreHeardByADualStack) {
    const std::string interface = interface_of_v6_groups();
    if (interface.empty()) GTEST_SKIP() << kNoV6Groups;
    const unsigned index = ::if_nametoindex(interface.c_str());
    options.datagrams.groups = {{kGroup, "lo"}, {kGroup6, std::to_string(index)}};
    start("udp://:0");
    RawDatagramSocket peer = client();
    peer.send_to(at(kGroup), "four");
    EXPECT_EQ(peer.read().bytes, "four heard");
    EXPECT_EQ(send_to_v6_group(index, engine().endpoints().at(0).port()), 0);
    EXPECT_TRUE(eventually([&] { return heard_ == 2; }));
}

TEST_P(DatagramGroups, AreJoinedByWhoListensOnThem) {
    options.datagrams.multicast_interface = "lo";
    start("udp4://239.77.0.3:0");
    RawDatagramSocket peer = client();
    peer.send_to(at("239.77.0.3"), "all");
    EXPECT_EQ(peer.read().bytes, "all heard");
    peer.send_to(at("127.0.0.1"), "one");
    EXPECT_TRUE(peer.hears_nothing());
}

TEST_P(DatagramGroups, AreJoinedAndLeftWhileServing) {
    start("udp4://:0");
    RawDatagramSocket peer = client();
    const MulticastGroup group{kGroup, "lo"};
    for (int round = 0; round < 2; ++round) {
        peer.send_to(at(kGroup), "before");
        EXPECT_TRUE(peer.hears_nothing());
        const auto joined =
            answer([&](auto done) { return engine().join_group(0, group, std::move(done)); });
        ASSERT_TRUE(joined && *joined) << joined->error().to_string();
        peer.send_to(at(kGroup), "between");
        EXPECT_EQ(peer.read().bytes, "between heard");
        const auto left =
            answer([&](auto done) { return engine().leave_group(0, group, std::move(done)); });
        ASSERT_TRUE(left && *left);
    }
    const auto twice =
        answer([&](auto done) { return engine().leave_group(0, group, std::move(done)); });
    ASSERT_TRUE(twice);
    ASSERT_FALSE(*twice);
    EXPECT_NE(twice->error().to_string().find("has not joined it"), std::string::npos);
    EXPECT_FALSE(engine().join_group(1, group));
}

TEST_P(DatagramGroups, HaveSessionsOfTheirOwn) {
    options.datagrams = {.sessions = true, .groups = {{kGroup, "lo"}}};
    script.traffic = echo;
    start("udp4://:0");
    RawDatagramSocket peer = client();
    peer.send_to(at(kGroup), "all");
    EXPECT_EQ(peer.read().bytes, "all");
    peer.send_to(at("127.0.0.1"), "one");
    EXPECT_EQ(peer.read().bytes, "one");
    EXPECT_EQ(script.opened().size(), 2U);
}

TEST_P(DatagramGroups, ThatCouldNotBeHeardAreRefused) {
    options.datagrams.groups = {{kGroup, "lo"}};
    EXPECT_NE(refusal_of("udp4://127.0.0.1:0").find("listen on every address"), std::string::npos);
    EXPECT_NE(refusal_of("udp6://:0").find("the listener speaks IPv6"), std::string::npos);
    options.datagrams.groups = {{"10.0.0.1", "lo"}};
    EXPECT_NE(refusal_of("udp4://:0").find("no multicast address"), std::string::npos);
    options.datagrams.groups = {{kGroup, "nowhere0"}};
    EXPECT_NE(refusal_of("udp4://:0").find("no such network interface"), std::string::npos);
    options.datagrams = {.multicast_hops = 256};
    EXPECT_NE(refusal_of("udp4://:0").find("multicast_hops"), std::string::npos);
}

// ── Sending to many ──────────────────────────────────────────────────────────────────────────

TEST_P(DatagramGroups, HearWhatAListenerSends) {
    options.datagrams = {.groups = {{kGroup, "lo"}}, .multicast_interface = "lo"};
    options.datagrams.multicast_hops = 3;
    start("udp4://:0");
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.send_to(0, at(kGroup), "to us")); });
    EXPECT_TRUE(eventually([&] { return heard_ > 0; }));  // also itself
}

TEST_P(DatagramGroups, HearNothingOfThisMachineWithoutLoop) {
    options.datagrams = {
        .groups = {{kGroup, "lo"}}, .multicast_interface = "lo", .multicast_loop = false};
    start("udp4://:0");
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.send_to(0, at(kGroup), "to others")); });
    RawDatagramSocket peer = client();
    peer.send_to(at("127.0.0.1"), "one");
    EXPECT_EQ(peer.read().bytes, "one heard");
}

TEST_P(DatagramGroups, BroadcastOnlyWithPermission) {
    const Endpoint all = *Endpoint::parse("udp://127.255.255.255:9");
    start("udp4://:0");
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.send_to(0, all, "to all")); });
    EXPECT_TRUE(eventually([&] { return engine().snapshot().datagrams.refused == 1; }));
    const auto added = engine().add_listener("udp4://:0", {.broadcast = true});
    ASSERT_TRUE(added) << added.error().to_string();
    EXPECT_TRUE(eventually([&] {  // its loop gets it a moment later
        engine().send_to(*added, all, Buffer::copy_of("to all"));
        return engine().snapshot().datagrams.sent > 0;
    }));
}

TEST_P(DatagramGroups, BroadcastsAreHeardOnceByManyLoops) {
    options.loops = 3;
    start("udp4://:0");
    RawDatagramSocket peer = client();
    const int on = 1;
    ASSERT_EQ(::setsockopt(peer.descriptor(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
    peer.send_to(at("127.255.255.255"), "all");
    EXPECT_EQ(peer.read().bytes, "all heard");
    EXPECT_TRUE(peer.hears_nothing());
    EXPECT_EQ(heard_, 1);
}

// ── One interface ────────────────────────────────────────────────────────────────────────────

TEST_P(DatagramGroups, AListenerOfOneInterfaceHearsByIt) {
    options.device = "lo";
    script.traffic = echo;
    start(std::vector<std::string>{"udp4://:0", "tcp4://:0", unix_address("beside")});
    RawDatagramSocket peer = client();
    peer.send_to(at("127.0.0.1"), "one");
    EXPECT_EQ(peer.read().bytes, "one heard");
    RawPeer stream = connect(1);
    stream.send("bytes");
    EXPECT_EQ(stream.read(5), "bytes");
}

TEST_P(DatagramGroups, AnInterfaceThatIsNotThereIsRefused) {
    options.device = "nowhere0";
    EXPECT_NE(refusal_of("udp4://:0").find("no network interface nowhere0"), std::string::npos);
    EXPECT_NE(refusal_of("tcp4://:0").find("no network interface nowhere0"), std::string::npos);
}

BERTH_FOR_EACH_DRIVER(DatagramGroups);

}  // namespace
}  // namespace berth::test
