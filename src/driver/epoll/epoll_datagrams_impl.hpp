// SPDX-License-Identifier: MIT
//
// EpollDriver, the bodies: datagrams.
//
// Level-triggered, like a listener: what a batch leaves is seen again by the next poll.
//
// Included by epoll_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/epoll/epoll_driver.hpp"

namespace berth::driver {

template <class Sink>
Outcome<void> EpollDriver<Sink>::start_receive_datagrams(DatagramSocket& socket) {
    if (auto done = datagrams_.start(socket); !done) return done;
    socket.odd = kDatagrams;
    socket.state = 0;
    auto added = set_->add(socket, EPOLLIN);
    if (added) socket.state = kRegistered;
    return added;
}

template <class Sink>
void EpollDriver<Sink>::stop_receive_datagrams(DatagramSocket& socket) {
    if (!is_finished(socket)) finish(socket);
}

// Readiness is not asked for any more: each poll reads a batch, until there is none.
template <class Sink>
void EpollDriver<Sink>::finish_receive_datagrams(DatagramSocket& socket) {
    if (is_finished(socket)) return;
    unregister(socket);
    socket.state |= kReadable;
    make_ready(socket);
}

template <class Sink>
void EpollDriver<Sink>::deliver_datagrams(DatagramSocket& socket) {
    const auto batch = datagrams_.receive(socket);
    if (batch && !batch->empty()) sink_.on_datagrams(socket, *batch);
    const int errno_value = batch.errno_value();
    if (errno_value != 0 && errno_value != EAGAIN) sink_.on_datagram_error(socket, errno_value);
    if ((socket.state & kReadable) == 0 || is_finished(socket)) return;
    if (errno_value == EAGAIN) {
        finish(socket);
    } else {
        make_ready(socket);
    }
}

}  // namespace berth::driver
