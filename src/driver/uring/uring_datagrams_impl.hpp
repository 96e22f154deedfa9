// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: datagrams.
//
// The kernel tells that there are some, multishot; one system call takes a batch. A multishot
// receive was slower than that: an answer and a buffer for each.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

template <class Sink>
Outcome<void> UringDriver<Sink>::start_receive_datagrams(DatagramSocket& socket) {
    if (auto done = datagrams_.start(socket); !done) return done;
    socket.odd = kDatagrams;
    socket.state = 0;
    socket.error = 0;
    ask_to_poll(socket, POLLIN);
    return {};
}

template <class Sink>
void UringDriver<Sink>::stop_receive_datagrams(DatagramSocket& socket) {
    if (is_finished(socket)) return;
    if ((socket.state & kPolling) != 0) cancel(socket, uring::Asked::poll);
    finish(socket);
}

template <class Sink>
void UringDriver<Sink>::finish_receive_datagrams(DatagramSocket& socket) {
    if (is_finished(socket)) return;
    socket.state |= kFinishing;
    make_ready(socket);
}

template <class Sink>
void UringDriver<Sink>::deliver_acceptable(DatagramSocket& socket, const io_uring_cqe& answer) {
    const bool is_last = (answer.flags & IORING_CQE_F_MORE) == 0;
    if (is_finished(socket)) {
        if (is_last) answered(socket, kPolling);
        return;
    }
    if (is_last) ask_to_poll(socket, POLLIN);
    if ((socket.odd & kQueued) == 0) deliver_datagrams(socket);  // it had its batch, else
}

// Until the socket is empty: only then does the kernel tell of the next one.
template <class Sink>
void UringDriver<Sink>::deliver_datagrams(DatagramSocket& socket) {
    const auto batch = datagrams_.receive(socket);
    if (batch && !batch->empty()) sink_.on_datagrams(socket, *batch);
    const int errno_value = batch.errno_value();
    if (errno_value != 0 && errno_value != EAGAIN) sink_.on_datagram_error(socket, errno_value);
    if (is_finished(socket)) return;
    const bool is_finishing = (socket.state & kFinishing) != 0;
    if (errno_value == EAGAIN) {
        if (is_finishing) stop_receive_datagrams(socket);
    } else if (is_finishing || errno_value != 0 || datagrams_.was_full()) {
        make_ready(socket);
    }
}

}  // namespace berth::driver
