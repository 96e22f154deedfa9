// SPDX-License-Identifier: MIT
//
// SimPeer, SimListener: the calls of a simulated process.

#include "conformance/sim_peer.hpp"

#include "driver/sim/kernel.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace berth::conformance {

using driver::Descriptor;
using driver::Outcome;
using driver::SocketOption;
using driver::sim::Family;
using driver::sim::Kernel;
using driver::sim::Process;
using test::Ended;

namespace {

constexpr int kBacklog = 128;
constexpr std::size_t kReadBytes = 64U << 10U;

[[noreturn]] void refuse(int errno_value, const char* call) {
    throw std::system_error(errno_value, std::generic_category(), call);
}

template <class T>
void require(const Outcome<T>& done, const char* call) {
    if (!done) refuse(done.errno_value(), call);
}

Descriptor open_socket(Process& process, const Endpoint& endpoint) {
    const Family of_ip = endpoint.ip().family == 6 ? Family::v6 : Family::v4;
    const auto opened =
        process.socket(endpoint.is_unix() ? Family::local : of_ip,
                       endpoint.is_udp() ? driver::sim::Kind::datagram : driver::sim::Kind::stream);
    require(opened, "socket");
    return *opened;
}

void await_connected(const SimSocket& socket) {
    Process& process = socket.process();
    while (!process.readiness(socket.descriptor()).writable) {
        const Instant next = process.kernel().next_event();
        if (next.is_never()) refuse(ETIMEDOUT, "connect");
        process.kernel().advance(next);
    }
    const int errno_value = process.take_error(socket.descriptor());
    if (errno_value != 0) refuse(errno_value, "connect");
}

}  // namespace

// ── The socket ───────────────────────────────────────────────────────────────────────────────

SimSocket::SimSocket(Process& process, const Endpoint& family_of)
    : SimSocket(process, open_socket(process, family_of)) {}

void SimSocket::settle() const {
    Kernel& kernel = process_.kernel();
    kernel.advance(kernel.now() + kernel.weather().travel_max);
}

void SimSocket::close() {
    if (!is_open(descriptor_)) return;
    process_.close(std::exchange(descriptor_, Descriptor::none));
    settle();
}

// ── The peer ─────────────────────────────────────────────────────────────────────────────────

std::unique_ptr<SimPeer> SimPeer::connect(Process& process, const Endpoint& to, bool small_buffer) {
    SimSocket socket{process, to};
    if (small_buffer) {  // the kernel raises it to its minimum, socket(7)
        require(process.set(socket.descriptor(), SocketOption::receive_buffer, 1), "setsockopt");
    }
    const auto begun = process.connect(socket.descriptor(), to);
    if (begun.errno_value() != EINPROGRESS) require(begun, "connect");
    await_connected(socket);
    socket.settle();
    return std::make_unique<SimPeer>(std::move(socket));
}

std::size_t SimPeer::send_now(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && socket_.process().readiness(socket_.descriptor()).writable) {
        const Bytes rest = as_bytes(bytes.substr(taken));
        const auto sent = socket_.process().send(socket_.descriptor(), rest);
        if (sent.errno_value() != EAGAIN) require(sent, "send");
        taken += sent.value_or(0);
    }
    socket_.settle();
    return taken;
}

std::string SimPeer::read_now() {
    std::string bytes;
    std::array<std::byte, kReadBytes> piece;
    socket_.settle();
    while (ended_ == Ended::not_yet) {
        const auto count = socket_.process().receive(socket_.descriptor(), piece);
        if (count.errno_value() == EAGAIN) break;
        if (count.errno_value() == ECONNRESET) {
            ended_ = Ended::by_reset;
        } else {
            require(count, "recv");
            if (*count == 0) ended_ = Ended::by_fin;
            bytes += as_text(Bytes(piece).first(*count));
        }
    }
    return bytes;
}

IpEndpoint SimPeer::address() const {
    const auto local = socket_.process().local_endpoint(socket_.descriptor(), Scheme::tcp);
    require(local, "getsockname");
    return local->ip();
}

void SimPeer::end() {
    require(socket_.process().shutdown(socket_.descriptor(), driver::sim::Shut::sending),
            "shutdown");
    socket_.settle();
}

void SimPeer::reset() {
    require(socket_.process().set(socket_.descriptor(), SocketOption::linger_reset, 0),
            "setsockopt");
    socket_.close();
}

// ── The listener ─────────────────────────────────────────────────────────────────────────────

SimListener::SimListener(Process& process, const Endpoint& at)
    : socket_(process, at), endpoint_(at) {
    require(process.bind(socket_.descriptor(), at), "bind");
    require(process.listen(socket_.descriptor(), kBacklog), "listen");
    const auto local = process.local_endpoint(socket_.descriptor(), at.scheme());
    require(local, "getsockname");
    endpoint_ = *local;
}

std::unique_ptr<test::Peer> SimListener::accept_now() {
    socket_.settle();
    const auto accepted = socket_.process().accept(socket_.descriptor());
    if (accepted.errno_value() == EAGAIN) return nullptr;
    require(accepted, "accept");
    return std::make_unique<SimPeer>(SimSocket{socket_.process(), accepted->descriptor});
}

// ── Datagrams ────────────────────────────────────────────────────────────────────────────────

SimDatagramPeer::SimDatagramPeer(Process& process, const Endpoint& at) : socket_(process, at) {
    require(process.bind(socket_.descriptor(), at), "bind");
    const auto local = process.local_endpoint(socket_.descriptor(), at.scheme());
    require(local, "getsockname");
    endpoint_ = *local;
}

void SimDatagramPeer::send_to(const Endpoint& to, std::string_view bytes) {
    require(socket_.process().send_to(socket_.descriptor(), to, as_bytes(bytes)), "sendto");
}

std::optional<test::Letter> SimDatagramPeer::read_now() {
    std::vector<std::byte> room(kReadBytes);
    const auto received = socket_.process().receive_from(socket_.descriptor(), room);
    if (received.errno_value() == EAGAIN) return {};
    require(received, "recvfrom");
    return test::Letter{.bytes = std::string{as_text(Bytes{room}.first(received->size))},
                        .from = received->from.ip()};
}

}  // namespace berth::conformance
