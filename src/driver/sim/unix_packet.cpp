// SPDX-License-Identifier: MIT
//
// UnixPacket: after unix_seqpacket_sendmsg and unix_seqpacket_recvmsg.

#include "driver/sim/unix_packet.hpp"

#include "base/outcome.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/socket.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace berth::driver::sim {

namespace {

constexpr std::size_t kLetterCost = 768;  // of an empty one in a send buffer
constexpr std::size_t kOverhead = 32;     // of a send buffer, that no message may use

std::size_t cost_of(const Letter& letter) { return kLetterCost + letter.bytes.size(); }

}  // namespace

Outcome<void> UnixPacket::send_letter(Letter&& letter) {
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (state() != State::established) return base::failed(ENOTCONN);
    if (letter.bytes.size() + kOverhead > send_buffer_) return base::failed(EMSGSIZE);
    if (no_more_sent_ || !may_peer_receive()) return base::failed(EPIPE);
    if (peer()->cost_ >= send_buffer_ || kernel().happens(kernel().weather().refused_send)) {
        return base::failed(EAGAIN);
    }
    peer()->cost_ += cost_of(letter);
    peer()->received_.push_back(std::move(letter));
    return {};
}

// The error comes first, unlike a stream's. At the end a message of no bytes.
Outcome<Letter> UnixPacket::receive_letter() {
    if (state() != State::established) return base::failed(ENOTCONN);
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (received_.empty()) {
        if (no_more_received_) return Letter{};
        return base::failed(EAGAIN);
    }
    Letter letter = std::move(received_.front());
    received_.pop_front();
    cost_ -= cost_of(letter);
    return letter;
}

Outcome<std::size_t> UnixPacket::send(Bytes bytes) {
    const auto sent = send_letter({.bytes = {bytes.begin(), bytes.end()}, .attached = {}});
    if (!sent) return base::failed(sent.errno_value());
    return bytes.size();
}

// What does not fit is lost.
Outcome<std::size_t> UnixPacket::receive(MutableBytes into) {
    const auto letter = receive_letter();
    if (!letter) return base::failed(letter.errno_value());
    const std::size_t count = std::min(into.size(), letter->bytes.size());
    std::copy_n(letter->bytes.begin(), count, into.begin());
    return count;
}

}  // namespace berth::driver::sim
