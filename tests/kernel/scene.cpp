// SPDX-License-Identifier: MIT
//
// Scene of the kernel facts: the namespace is made before the first test.

#include "kernel/scene.hpp"

#include "driver/kernel_system.hpp"
#include "support/eventually.hpp"

#include <gtest/gtest.h>

#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace berth::kernel {
namespace {

int errno_of(long result) { return result < 0 ? errno : 0; }

template <class Result>
Result checked(Result result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

bool is_own = false;

void bring_loopback_up() {
    const OwnedDescriptor socket = open_socket(AF_INET, SOCK_DGRAM);
    ifreq request{};
    std::string_view("lo").copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP;
    checked(::ioctl(socket.number(), SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
}

// Before the first thread.
class OwnNamespace : public testing::Environment {
public:
    void SetUp() override {
        is_own = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
        if (is_own) bring_loopback_up();
    }
};

[[maybe_unused]] const auto* const environment =
    testing::AddGlobalTestEnvironment(new OwnNamespace);

template <class Address>
int bind_address(const OwnedDescriptor& socket, const Address& address) {
    return errno_of(
        ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

int connect_to(const OwnedDescriptor& socket, std::uint16_t port) {
    const sockaddr_in address = v4(port);
    return errno_of(
        ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

}  // namespace

bool has_own_namespace() { return is_own; }

bool is_root() { return ::geteuid() == 0; }

bool set_sysctl(const std::string& name, const std::string& value) {
    if (!is_own) return false;
    std::ofstream file{"/proc/sys/net/ipv4/" + name};
    file << value << std::flush;
    return file.good();
}

OwnedDescriptor open_socket(int family, int type) {
    return OwnedDescriptor{checked(::socket(family, type | SOCK_CLOEXEC, 0), "socket")};
}

int set_option(const OwnedDescriptor& socket, int level, int name, int value) {
    return errno_of(::setsockopt(socket.number(), level, name, &value, sizeof value));
}

int option(const OwnedDescriptor& socket, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    checked(::getsockopt(socket.number(), level, name, &value, &size), "getsockopt");
    return value;
}

void reset_on_close(const OwnedDescriptor& socket) {
    const linger value{.l_onoff = 1, .l_linger = 0};
    checked(::setsockopt(socket.number(), SOL_SOCKET, SO_LINGER, &value, sizeof value), "linger");
}

sockaddr_in v4(std::uint16_t port, std::uint32_t host) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(host);
    return address;
}

sockaddr_in6 v6(std::uint16_t port, const in6_addr& host) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = host;
    return address;
}

int bind_to(const OwnedDescriptor& socket, const sockaddr_in& address) {
    return bind_address(socket, address);
}

int bind_to(const OwnedDescriptor& socket, const sockaddr_in6& address) {
    return bind_address(socket, address);
}

int listen_on(const OwnedDescriptor& socket, int backlog) {
    return errno_of(::listen(socket.number(), backlog));
}

std::uint16_t port_of(const OwnedDescriptor& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    checked(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size),
            "getsockname");
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);  // both families
}

OwnedDescriptor listener(int reuse_option, std::uint16_t port) {
    OwnedDescriptor socket = open_socket();
    if (reuse_option != 0) {
        checked(-set_option(socket, SOL_SOCKET, reuse_option, 1), "setsockopt");
    }
    checked(-bind_to(socket, v4(port)), "bind");
    checked(-listen_on(socket), "listen");
    return socket;
}

OwnedDescriptor client_of(std::uint16_t port) {
    OwnedDescriptor client = open_socket();
    errno = connect_to(client, port);
    checked(errno == 0 ? 0 : -1, "connect");
    return client;
}

OwnedDescriptor knock_at(std::uint16_t port) {
    OwnedDescriptor client = open_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    connect_to(client, port);
    return client;
}

bool is_connected(const OwnedDescriptor& client) {
    return info_of(client).tcpi_state == TCP_ESTABLISHED;
}

OwnedDescriptor accept_from(const OwnedDescriptor& listener) {
    EXPECT_TRUE(becomes_readable(listener)) << "nobody came";
    return OwnedDescriptor{
        checked(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")};
}

std::pair<OwnedDescriptor, int> accept_now(const OwnedDescriptor& listener) {
    pollfd watched{.fd = listener.number(), .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, 0) == 0) return {OwnedDescriptor{}, EAGAIN};
    const int accepted = ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC);
    return {OwnedDescriptor{accepted}, errno_of(accepted)};
}

Connected connection_to(const OwnedDescriptor& listener) {
    OwnedDescriptor client = client_of(port_of(listener));
    return {.server = accept_from(listener), .client = std::move(client)};
}

std::size_t send_text(const OwnedDescriptor& socket, std::string_view text) {
    const ssize_t sent =
        ::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

bool becomes_readable(const OwnedDescriptor& socket) {
    pollfd watched{.fd = socket.number(), .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(test::patience().count())) == 1;
}

Read read_to_end(const OwnedDescriptor& socket) {
    Read read;
    std::array<char, 65536> room;
    while (becomes_readable(socket)) {
        const ssize_t count = ::recv(socket.number(), room.data(), room.size(), MSG_DONTWAIT);
        if (count < 0 && errno == ECONNRESET) read.end = End::reset;
        if (count <= 0) return read;
        read.text.append(room.data(), static_cast<std::size_t>(count));
    }
    ADD_FAILURE() << "the stream does not end";
    return read;
}

tcp_info info_of(const OwnedDescriptor& socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    checked(::getsockopt(socket.number(), IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
    return info;
}

std::size_t unacknowledged(const OwnedDescriptor& socket) {
    int count = 0;
    checked(::ioctl(socket.number(), SIOCOUTQ, &count), "SIOCOUTQ");
    return static_cast<std::size_t>(count);
}

std::vector<SocketRow> rows(std::uint16_t port, SocketState state) {
    auto found =
        driver::kernel_system().sockets(Scheme::tcp, port, driver::SocketStates::of({state}));
    return found.value_or(std::vector<SocketRow>{});
}

bool has_rows(std::uint16_t port, SocketState state, std::size_t count) {
    return bool{test::eventually([&] { return rows(port, state).size() == count; })};
}

}  // namespace berth::kernel
