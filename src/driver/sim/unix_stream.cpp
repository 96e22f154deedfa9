// SPDX-License-Identifier: MIT
//
// UnixStream: after unix_stream_sendmsg and unix_stream_recvmsg.

#include "driver/sim/unix_stream.hpp"

#include "base/outcome.hpp"
#include "driver/sim/kernel.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace berth::driver::sim {

Outcome<std::size_t> UnixStream::send(Bytes bytes) {
    if (state() != State::established) return base::failed(ENOTCONN);
    if (no_more_sent_ || !may_peer_receive()) return base::failed(EPIPE);
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (bytes.empty()) return 0U;

    const std::size_t room = send_buffer_ - std::min(send_buffer_, peer()->received_.size());
    if (room == 0 || kernel().happens(kernel().weather().refused_send)) {
        return base::failed(EAGAIN);
    }
    const std::size_t fits = std::min(bytes.size(), room);
    const std::size_t count = by_chance(kernel().weather().partial_send, fits);
    peer()->received_.append(bytes.first(count));
    return count;
}

Outcome<std::size_t> UnixStream::send_to(const Endpoint&, Bytes) {
    return base::failed(state() == State::established ? EISCONN : EOPNOTSUPP);
}

Outcome<std::size_t> UnixStream::receive(MutableBytes into) {
    if (state() != State::established) return base::failed(EINVAL);
    if (!received_.empty()) {
        const auto wanted = std::min(into.size(), received_.size());
        const auto count = by_chance(kernel().weather().partial_receive, wanted);
        if (count > 0) std::memcpy(into.data(), received_.view().data(), count);
        received_.consume(count);
        return count;
    }
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (no_more_received_) return 0U;
    return base::failed(EAGAIN);
}

bool UnixStream::has_room() const {
    const std::size_t queued = peer() == nullptr ? 0 : peer()->received_.size();
    return 4 * queued <= send_buffer_;
}

}  // namespace berth::driver::sim
