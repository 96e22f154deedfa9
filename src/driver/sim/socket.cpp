// SPDX-License-Identifier: MIT
//
// Socket: what all kinds have in common: options, and the errors of calls they do not know.

#include "driver/sim/socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

namespace berth::driver::sim {

namespace {

constexpr std::size_t kBufferDefault = 212992;  // net.core.rmem_default and wmem_default
constexpr std::size_t kBufferMax = 4U << 20U;   // net.core.rmem_max and wmem_max
constexpr std::size_t kReceiveBufferMin = 2304;
constexpr std::size_t kSendBufferMin = 4608;

// Twice what was asked for, socket(7). A negative number is a large one.
std::size_t buffer_of(int value, std::size_t min) {
    const auto wanted = std::min<std::size_t>(static_cast<unsigned>(value), kBufferMax);
    return std::max(2 * wanted, min);
}

}  // namespace

Socket::Socket(Network& network, Family family)
    : receive_buffer_(kBufferDefault),
      send_buffer_(kBufferDefault),
      network_(network),
      family_(family),
      inode_(network.enter(*this)) {}

Socket::~Socket() { network_.leave(*this); }

void Socket::become_held() { ++network_.census().owned; }

void Socket::let_go() {
    --network_.census().owned;
    close();
}

Outcome<void> Socket::listen(int) { return base::failed(EOPNOTSUPP); }

Outcome<void> Socket::disconnect() { return base::failed(EOPNOTSUPP); }

Outcome<std::shared_ptr<Socket>> Socket::accept() { return base::failed(EOPNOTSUPP); }

Outcome<Datagram> Socket::receive_from(MutableBytes into) {
    const auto received = receive(into);
    if (!received) return base::failed(received.errno_value());
    return Datagram{.size = *received, .truncated = false, .from = {}, .to = {}, .dropped = 0};
}

Outcome<void> Socket::send_letter(Letter&&) { return base::failed(EOPNOTSUPP); }

Outcome<Letter> Socket::receive_letter() { return base::failed(EOPNOTSUPP); }

// SO_DETACH_FILTER of a socket without one: ENOENT.
Outcome<void> Socket::attach(Filter filter) {
    if (filter == Filter::none && filter_ == Filter::none) return base::failed(ENOENT);
    filter_ = filter;
    return {};
}

Outcome<void> Socket::require_ttl(int) { return base::failed(EOPNOTSUPP); }

Outcome<void> Socket::set(SocketOption option, int value) {
    switch (option) {
        case SocketOption::reuse_address: return {};
        case SocketOption::linger_reset: resets_ = value == 0; return {};
        case SocketOption::receive_buffer:
            receive_buffer_ = buffer_of(value, kReceiveBufferMin);
            return {};
        case SocketOption::send_buffer: send_buffer_ = buffer_of(value, kSendBufferMin); return {};
        default: return base::failed(ENOPROTOOPT);
    }
}

int Socket::take_error() { return std::exchange(error_, 0); }

Outcome<std::size_t> Socket::never_sent() const { return base::failed(ENOTTY); }

std::size_t Socket::by_chance(unsigned one_in, std::size_t wanted) const {
    if (wanted < 2 || !kernel().happens(one_in)) return wanted;
    return 1 + kernel().below(wanted - 1);
}

}  // namespace berth::driver::sim
