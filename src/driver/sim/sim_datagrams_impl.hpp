// SPDX-License-Identifier: MIT
//
// SimDriver, the bodies: datagrams.

#pragma once

#include "driver/sim/sim_driver.hpp"

namespace berth::driver::sim {

template <class Sink>
void SimDriver<Sink>::stop_receive_datagrams(DatagramSocket& socket) {
    clear(socket, kFinishing);
    set(socket, kEnding);
}

template <class Sink>
void SimDriver<Sink>::finish_receive_datagrams(DatagramSocket& socket) {
    if (!has(socket, kEnding)) set(socket, kFinishing);
}

// Of any size up to the bound, because a batch may end before the queue does. Why it ended, or 0.
template <class Sink>
int SimDriver<Sink>::take_batch(DatagramSocket& socket) {
    datagrams_.clear();
    datagram_bytes_.resize(bounds_.datagram_batch * bounds_.datagram_bytes);
    const std::size_t most =
        kernel_.happens(kernel_.weather().cut_short_poll) ? 1 : bounds_.datagram_batch;
    while (datagrams_.size() < most) {
        const auto room = std::span(datagram_bytes_)
                              .subspan(datagrams_.size() * bounds_.datagram_bytes)
                              .first(bounds_.datagram_bytes);
        const auto received = process_.receive_from(socket.descriptor, room);
        if (!received) return received.errno_value();
        socket.counts.dropped = received->dropped;
        datagrams_.push_back({.bytes = room.first(received->size),
                              .peer = received->from.ip(),
                              .local = received->to,
                              .is_truncated = received->truncated});
    }
    return 0;
}

template <class Sink>
void SimDriver<Sink>::deliver_datagrams(DatagramSocket& socket) {
    if (has(socket, kEnding)) return;
    const int errno_value = take_batch(socket);
    if (!datagrams_.empty()) sink_.on_datagrams(socket, datagrams_);
    if (errno_value != 0 && errno_value != EAGAIN) sink_.on_datagram_error(socket, errno_value);
    if (errno_value == EAGAIN && has(socket, kFinishing)) stop_receive_datagrams(socket);
}

// Perhaps not all of them, although there is room.
template <class Sink>
Sent SimDriver<Sink>::send_datagrams(DatagramSocket& socket, OutgoingDatagrams datagrams) {
    std::size_t sent = 0;
    for (const OutgoingDatagram& each : datagrams) {
        if (sent > 0 && kernel_.happens(kernel_.weather().partial_send)) break;
        const auto done =
            each.to.family == 0
                ? process_.send(socket.descriptor, each.bytes)
                : process_.send_to(socket.descriptor, {Scheme::udp, each.to}, each.bytes);
        if (!done && sent == 0) return Sent::failed(done.errno_value());
        if (!done) break;
        ++sent;
    }
    return Sent::done(sent);
}

}  // namespace berth::driver::sim
