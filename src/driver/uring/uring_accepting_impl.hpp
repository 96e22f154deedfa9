// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: accepting.
//
// One client is asked for ahead, where the kernel can wait for it without making anything (Linux
// 6.10): descriptor and address come with the answer, and who comes alone costs no call. Whoever
// stands behind is taken by a call each. Elsewhere the kernel is asked to tell of clients,
// multishot.
//
// A multishot accept would go on while its answers wait: past the limit of connections, past the
// budget, and into a stop. And it does not tell the address of each.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/accept_errors.hpp"
#include "driver/uring/uring_driver.hpp"
#include "driver/waiting_clients.hpp"

namespace berth::driver {

template <class Sink>
Outcome<void> UringDriver<Sink>::start_accept(Listener& listener) {
    if (!is_open(listener.descriptor)) return base::failed(EBADF);
    listener.odd = kNotStream;
    listener.state = 0;
    listener.error = 0;
    ask_for_client(listener);
    return {};
}

template <class Sink>
void UringDriver<Sink>::stop_accept(Listener& listener) {
    if (is_finished(listener)) return;
    if ((listener.state & kReceiving) != 0) cancel(listener, uring::Asked::accept);
    if ((listener.state & kPolling) != 0) cancel(listener, uring::Asked::poll);
    finish(listener);
}

// Unless that is asked already.
template <class Sink>
void UringDriver<Sink>::ask_for_client(Listener& listener) {
    if ((listener.state & kAsked) != 0) return;
    if (!ring_->accepts_ahead()) return ask_to_poll(listener, POLLIN);
    uring::ask_accept(next_entry(), listener);
    listener.state |= kReceiving;
}

// A Unix listener does not tell whether there are more.
template <class Sink>
void UringDriver<Sink>::deliver_accepted(Listener& listener, const io_uring_cqe& answer) {
    if (is_finished(listener)) return deliver_last_accepted(listener, answer);
    clear(listener.state, kReceiving);
    if (answer.res < 0) {
        accept_failed(listener, -answer.res);
        if (!is_finished(listener)) ask_for_client(listener);
        return;
    }
    const IpEndpoint peer = uring::next_peer(listener).ip();
    sink_.on_accepted(listener, Descriptor{answer.res}, peer);
    if (is_finished(listener)) return;
    const bool may_be_alone = (answer.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0 && peer.family != 0;
    if (may_be_alone) {
        ask_for_client(listener);
    } else {
        accept(listener, 1);
    }
}

// It was stopped meanwhile. A client who came before that may have woken this request, and nobody
// else who accepts from the same queue (EPOLLEXCLUSIVE): it is not left there.
template <class Sink>
void UringDriver<Sink>::deliver_last_accepted(Listener& listener, const io_uring_cqe& answer) {
    long accepted = answer.res;
    if (accepted == -ECANCELED) {
        accepted = os::accept_socket(number(listener.descriptor), uring::next_peer(listener));
    }
    if (accepted >= 0) {
        const Descriptor descriptor{static_cast<int>(accepted)};
        sink_.on_accepted(listener, descriptor, uring::next_peer(listener).ip());
    }
    answered(listener, kReceiving);
}

template <class Sink>
void UringDriver<Sink>::deliver_acceptable(Listener& listener, const io_uring_cqe& answer) {
    const bool is_last = (answer.flags & IORING_CQE_F_MORE) == 0;
    if (is_finished(listener)) {
        if (is_last) answered(listener, kPolling);
        return;
    }
    if (is_last) clear(listener.state, kPolling);
    if ((listener.odd & kQueued) == 0) accept(listener, 0);  // its budget is spent, else
}

// All who wait: the kernel tells of newcomers only. A burst above the budget, of which `before`
// were taken in this poll already, has its turn in the next one.
template <class Sink>
void UringDriver<Sink>::accept(Listener& listener, std::size_t before) {
    const std::size_t waiting = waiting_clients(listener);
    const std::size_t turn = std::min(waiting, bounds_.accept_budget - before);
    std::size_t count = 0;
    while (count < turn && accept_one(listener)) ++count;
    if (is_finished(listener)) return;  // the sink stopped it, or resources ran out
    if (count == turn && waiting > turn) make_ready(listener);
    if ((listener.odd & kQueued) == 0) ask_for_client(listener);
}

// False: enough for this turn.
template <class Sink>
bool UringDriver<Sink>::accept_one(Listener& listener) {
    os::SocketAddress peer;
    const long accepted = os::accept_socket(number(listener.descriptor), peer);
    if (accepted < 0) return accept_failed(listener, static_cast<int>(-accepted));
    sink_.on_accepted(listener, Descriptor{static_cast<int>(accepted)}, peer.ip());
    return !is_finished(listener);
}

// False: enough for this turn. Lack of resources ends the accept (2), once nothing is in flight.
template <class Sink>
bool UringDriver<Sink>::accept_failed(Listener& listener, int errno_value) {
    if (errno_value == EAGAIN) return false;
    if (!ends_accepting(errno_value)) {
        sink_.on_accept_error(listener, errno_value);
        return !is_finished(listener);
    }
    stop_accept(listener);
    listener.error = static_cast<std::uint16_t>(errno_value);
    return false;
}

}  // namespace berth::driver
