// SPDX-License-Identifier: MIT
//
// SocketAddress: an Endpoint survives the way to the kernel's form and back.

#include "os/socket_address.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace berth::os {
namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

Endpoint parsed(const std::string& text) { return *Endpoint::parse(text); }

// As if the kernel had written the first `length` bytes.
template <class Address>
SocketAddress written(const Address& address, std::size_t length) {
    SocketAddress made;
    std::memcpy(made.room(), &address, sizeof address);
    *made.room_length() = static_cast<socklen_t>(length);
    return made;
}

TEST(SocketAddress, GivesBackWhatItWasMadeFrom) {
    for (const char* text : {"tcp://127.0.0.1:9000", "tcp6://[::1]:9000", "tcp://[::]:0",
                             "tcp6://[fe80::1%lo]:9", "unix:/run/app.sock", "unix:@abstract"}) {
        const auto address = SocketAddress::of(parsed(text));
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->endpoint(parsed(text).scheme()), parsed(text));
    }
}

TEST(SocketAddress, ShowsAnIpv4MappedAddressAsIpv4) {
    auto ip = parsed("tcp://127.0.0.1:9000").ip();
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6;
    mapped.sin6_port = htons(9000);
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(&mapped.sin6_addr.s6_addr[12], ip.address.data(), 4);
    EXPECT_EQ(written(mapped, sizeof mapped).ip(), ip);
}

TEST(SocketAddress, OfAnAbstractNameStartsWithNulAndIsAsLongAsTheName) {
    const auto address = SocketAddress::of(parsed("unix:@name"));
    ASSERT_TRUE(address);
    EXPECT_EQ(address->length(), kPathOffset + 5);
    EXPECT_EQ(reinterpret_cast<const sockaddr_un*>(address->data())->sun_path[0], '\0');
}

TEST(SocketAddress, KeepsNulInsideAnAbstractName) {
    const Endpoint endpoint{Scheme::unix_stream, std::string{"@a\0b", 4}};
    EXPECT_EQ(SocketAddress::of(endpoint)->endpoint(Scheme::unix_stream), endpoint);
}

TEST(SocketAddress, OfAnUnnamedPeerHasAnEmptyName) {
    const sockaddr_un unnamed{.sun_family = AF_UNIX, .sun_path = {}};
    const auto endpoint = written(unnamed, sizeof(sa_family_t)).endpoint(Scheme::unix_stream);
    EXPECT_EQ(endpoint.name(), "");
    EXPECT_EQ(endpoint.ip().family, 0);
}

TEST(SocketAddress, ReadsAPathThatFillsSunPathWithoutATerminator) {
    sockaddr_un full{.sun_family = AF_UNIX, .sun_path = {}};
    std::memset(full.sun_path, 'x', sizeof full.sun_path);
    EXPECT_EQ(written(full, sizeof full).endpoint(Scheme::unix_stream).name(),
              std::string(sizeof full.sun_path, 'x'));
}

TEST(SocketAddress, TellsAFileThatBeginsWithAtFromAnAbstractName) {
    const sockaddr_un file{.sun_family = AF_UNIX, .sun_path = "@file"};
    EXPECT_EQ(written(file, sizeof file).endpoint(Scheme::unix_stream).name(), "./@file");
}

TEST(SocketAddress, RefusesNamesThatNoSocketCanHave) {
    const auto refusal = [](const std::string& name) {
        return SocketAddress::of(Endpoint{Scheme::unix_stream, name}).errno_value();
    };
    EXPECT_EQ(refusal(std::string(108, 'x')), ENAMETOOLONG);
    EXPECT_EQ(refusal('@' + std::string(108, 'x')), ENAMETOOLONG);
    EXPECT_EQ(refusal(""), EINVAL);
    EXPECT_EQ(refusal(std::string{"/a\0b", 4}), EINVAL);
    EXPECT_EQ(SocketAddress::of(Endpoint{}).errno_value(), EAFNOSUPPORT);
}

TEST(SocketAddress, TakesTheLongestNames) {
    EXPECT_TRUE(SocketAddress::of(Endpoint{Scheme::unix_stream, std::string(107, 'x')}));
    EXPECT_TRUE(SocketAddress::of(Endpoint{Scheme::unix_stream, '@' + std::string(106, 'x')}));
}

TEST(SocketAddress, FamilyAndTypeFollowTheEndpoint) {
    EXPECT_EQ(socket_family(parsed("tcp://127.0.0.1:1")), AF_INET);
    EXPECT_EQ(socket_family(parsed("tcp://:1")), AF_INET6);
    EXPECT_EQ(socket_family(parsed("unix:@name")), AF_UNIX);
    EXPECT_EQ(socket_type(Scheme::tcp6), SOCK_STREAM);
    EXPECT_EQ(socket_type(Scheme::udp), SOCK_DGRAM);
    EXPECT_EQ(socket_type(Scheme::unix_packet), SOCK_SEQPACKET);
}

}  // namespace
}  // namespace berth::os
