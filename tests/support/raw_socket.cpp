// SPDX-License-Identifier: MIT
//
// RawPeer, RawListener: the system calls.

#include "support/raw_socket.hpp"

#include "support/eventually.hpp"
#include "support/refused_call.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace berth::test {
namespace {

constexpr std::size_t kReadBytes = 64U << 10U;
// Small, but not the least: through that one's window a MiB takes 1,800 round trips between two
// threads, and 12 MiB take 9 s on a busy machine, whoever sends them.
constexpr int kSmallBuffer = 16 << 10;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// A socket address of any family, as the kernel wants it.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    template <class Form>
    void set(const Form& form, std::size_t bytes) {
        std::memcpy(&storage, &form, sizeof form);
        length = static_cast<socklen_t>(bytes);
    }
};

Address unix_address(const Endpoint& endpoint) {
    sockaddr_un form{};
    form.sun_family = AF_UNIX;
    endpoint.name().copy(form.sun_path, sizeof form.sun_path - 1);
    if (endpoint.is_abstract()) form.sun_path[0] = '\0';
    Address address;
    address.set(form, offsetof(sockaddr_un, sun_path) + endpoint.name().size() +
                          (endpoint.is_abstract() ? 0 : 1));
    return address;
}

Address ip_address(const IpEndpoint& ip) {
    Address address;
    if (ip.family == 6) {
        sockaddr_in6 form{};
        form.sin6_family = AF_INET6;
        form.sin6_port = htons(ip.port);
        form.sin6_scope_id = ip.zone;
        std::memcpy(&form.sin6_addr, ip.address.data(), sizeof form.sin6_addr);
        address.set(form, sizeof form);
    } else {
        sockaddr_in form{};
        form.sin_family = AF_INET;
        form.sin_port = htons(ip.port);
        std::memcpy(&form.sin_addr, ip.address.data(), sizeof form.sin_addr);
        address.set(form, sizeof form);
    }
    return address;
}

Address address_of(const Endpoint& endpoint) {
    return endpoint.is_unix() ? unix_address(endpoint) : ip_address(endpoint.ip());
}

// Of an IP socket; family 0 for any other.
IpEndpoint local_address(int socket) {
    Address address;
    address.length = sizeof address.storage;
    if (::getsockname(socket, address.get(), &address.length) != 0) refuse(errno, "getsockname");
    IpEndpoint ip;
    if (address.storage.ss_family == AF_INET) {
        sockaddr_in form{};
        std::memcpy(&form, &address.storage, sizeof form);
        std::memcpy(ip.address.data(), &form.sin_addr, sizeof form.sin_addr);
        ip.port = ntohs(form.sin_port);
        ip.family = 4;
    } else if (address.storage.ss_family == AF_INET6) {
        sockaddr_in6 form{};
        std::memcpy(&form, &address.storage, sizeof form);
        std::memcpy(ip.address.data(), &form.sin6_addr, sizeof form.sin6_addr);
        ip.port = ntohs(form.sin6_port);
        ip.zone = form.sin6_scope_id;
        ip.family = 6;
    }
    return ip;
}

void set_option(int socket, int option, const void* value, std::size_t bytes) {
    const auto length = static_cast<socklen_t>(bytes);
    if (::setsockopt(socket, SOL_SOCKET, option, value, length) != 0) refuse(errno, "setsockopt");
}

OwnedDescriptor open_socket(const Address& address, int type = SOCK_STREAM) {
    const int family = address.storage.ss_family;
    OwnedDescriptor opened{::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (opened.number() < 0) refuse(errno, "socket");
    return opened;
}

void wait_until(int socket, short events, const char* call) {
    pollfd waiting{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience().count()));
    if (ready == 0) refuse(ETIMEDOUT, call);
    if (ready < 0 && errno != EINTR) refuse(errno, call);
}

void connect_socket(int socket, Address to) {
    if (::connect(socket, to.get(), to.length) == 0) return;
    if (errno != EINPROGRESS) refuse(errno, "connect");
    wait_until(socket, POLLOUT, "connect");
    int outcome = 0;
    socklen_t length = sizeof outcome;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &outcome, &length);
    if (outcome != 0) refuse(outcome, "connect");
}

}  // namespace

void OwnedDescriptor::close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

// ── The peer ─────────────────────────────────────────────────────────────────────────────────

RawPeer RawPeer::connect(const Endpoint& to) {
    const Address address = address_of(to);
    OwnedDescriptor socket = open_socket(address);
    connect_socket(socket.number(), address);
    return RawPeer{std::move(socket)};
}

RawPeer RawPeer::connect_from(const Endpoint& from, const Endpoint& to) {
    Address ours = address_of(from);
    const Address address = address_of(to);
    OwnedDescriptor socket = open_socket(address);
    if (::bind(socket.number(), ours.get(), ours.length) != 0) refuse(errno, "bind");
    connect_socket(socket.number(), address);
    return RawPeer{std::move(socket)};
}

RawPeer RawPeer::connect_with_small_buffer(const Endpoint& to) {
    const Address address = address_of(to);
    OwnedDescriptor socket = open_socket(address);
    set_option(socket.number(), SO_RCVBUF, &kSmallBuffer, sizeof kSmallBuffer);
    connect_socket(socket.number(), address);
    return RawPeer{std::move(socket)};
}

// An acknowledgement must not wait for another (Nagle); a Unix socket has no such option.
void RawPeer::speak_records() {
    const int at_once = 1;
    ::setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    records_ = std::make_unique<Records>();
    send_rest_if_wanted(RecordCodec::handshake());
}

std::size_t RawPeer::send_now(std::string_view bytes) {
    return records_ ? send_sealed(bytes) : try_send(bytes);
}

std::size_t RawPeer::try_send(std::string_view bytes) {
    const ssize_t sent =
        ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (!would_block()) refuse(errno, "send");
    return 0;
}

void RawPeer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t sent = send_now(bytes);
        bytes.remove_prefix(sent);
        if (sent == 0) wait_until(socket_.number(), POLLOUT, "send");
    }
    while (!send_rest()) wait_until(socket_.number(), POLLOUT, "send");
}

std::string RawPeer::read_some(std::size_t max) {
    return records_ ? read_opened(max) : try_read(max);
}

std::string RawPeer::try_read(std::size_t max) {
    std::string bytes(max, '\0');
    const ssize_t count = ::recv(socket_.number(), bytes.data(), max, MSG_DONTWAIT);
    if (count < 0 && !would_block() && errno != ECONNRESET) refuse(errno, "recv");
    if (count < 0 && errno == ECONNRESET) ended_ = Ended::by_reset;
    if (count == 0) ended_ = Ended::by_fin;
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
}

std::string RawPeer::read(std::size_t count) {
    std::string bytes;
    while (bytes.size() < count && ended_ == Ended::not_yet) {
        const std::string more = read_some(std::min(count - bytes.size(), kReadBytes));
        bytes += more;
        if (more.empty() && ended_ == Ended::not_yet) {
            const bool all_sent = send_rest_if_wanted();
            wait_until(socket_.number(), all_sent ? POLLIN : POLLIN | POLLOUT, "recv");
        }
    }
    return bytes;
}

std::string RawPeer::read_to_end() { return read(std::string::npos); }

std::string RawPeer::read_now() {
    std::string bytes;
    while (ended_ == Ended::not_yet) {
        const std::string more = read_some(kReadBytes);
        if (more.empty()) break;
        bytes += more;
    }
    return bytes;
}

IpEndpoint RawPeer::address() const { return local_address(socket_.number()); }

void RawPeer::end() {
    if (records_) {
        const bool all_sent = send_rest(records_->codec.goodbye());
        while (!all_sent && !send_rest()) wait_until(socket_.number(), POLLOUT, "send");
    }
    if (::shutdown(socket_.number(), SHUT_WR) != 0) refuse(errno, "shutdown");
}

void RawPeer::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    set_option(socket_.number(), SO_LINGER, &at_once, sizeof at_once);
    socket_.close();
}

void RawPeer::close() {
    if (records_ && socket_.number() >= 0) send_rest_if_wanted(records_->codec.goodbye());
    socket_.close();
}

// ── In records ───────────────────────────────────────────────────────────────────────────────

std::size_t RawPeer::send_sealed(std::string_view plain) {
    constexpr std::size_t kPiece = 16'384;
    std::size_t taken = 0;
    for (bool all_sent = send_rest(); all_sent && taken < plain.size();) {
        const std::string_view piece = plain.substr(taken, kPiece);
        all_sent = send_rest(records_->codec.seal(piece));
        taken += piece.size();
    }
    return taken;
}

bool RawPeer::send_rest(std::string_view more) {
    if (!records_) return true;
    const std::lock_guard lock(records_->sending);
    std::string& unsent = records_->unsent;
    unsent += more;
    if (!unsent.empty()) unsent.erase(0, try_send(unsent));
    return unsent.empty();
}

bool RawPeer::send_rest_if_wanted(std::string_view more) {
    try {
        return send_rest(more);
    } catch (const std::system_error&) {  // whoever reads will see the end
        return true;
    }
}

std::string RawPeer::read_opened(std::size_t max) {
    RecordCodec& codec = records_->codec;
    std::string plain = codec.take_plain(max);
    while (plain.empty()) {
        const std::string wire = try_read(kReadBytes);
        if (ended_ == Ended::by_fin && !codec.has_ended()) ended_ = Ended::by_reset;
        if (wire.empty()) break;
        codec.receive(wire);
        send_rest_if_wanted(codec.take_answers());
        plain = codec.take_plain(max);
    }
    return plain;
}

// ── The listener ─────────────────────────────────────────────────────────────────────────────

RawListener::RawListener(const Endpoint& at) : endpoint_(at) {
    Address address = address_of(at);
    socket_ =
        open_socket(address, at.scheme() == Scheme::unix_packet ? SOCK_SEQPACKET : SOCK_STREAM);
    if (::bind(socket_.number(), address.get(), address.length) != 0) refuse(errno, "bind");
    if (::listen(socket_.number(), SOMAXCONN) != 0) refuse(errno, "listen");
    if (!at.is_unix()) endpoint_ = Endpoint{at.scheme(), local_address(socket_.number())};
}

// None: nobody waits to be accepted.
OwnedDescriptor RawListener::try_accept() {
    OwnedDescriptor accepted{
        ::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (accepted.number() < 0 && !would_block()) refuse(errno, "accept");
    return accepted;
}

std::unique_ptr<Peer> RawListener::accept_now() {
    OwnedDescriptor accepted = try_accept();
    if (accepted.number() < 0) return nullptr;
    return std::make_unique<RawPeer>(std::move(accepted));
}

RawPeer RawListener::accept() {
    while (true) {
        OwnedDescriptor accepted = try_accept();
        if (accepted.number() >= 0) return RawPeer{std::move(accepted)};
        wait_until(socket_.number(), POLLIN, "accept");
    }
}

Endpoint loopback_endpoint() {
    return Endpoint{Scheme::tcp, IpEndpoint{.address = {127, 0, 0, 1}, .family = 4}};
}

}  // namespace berth::test
