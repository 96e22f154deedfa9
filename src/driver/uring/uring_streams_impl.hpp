// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: connecting, receiving.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/pending_error.hpp"
#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

// Asked of the ring, a connect to a Unix socket whose queue is full would wait in a thread of the
// kernel instead of failing with EAGAIN.
template <class Sink>
Outcome<void> UringDriver<Sink>::connect(Stream& stream, const Endpoint& endpoint) {
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    stream.odd = kConnecting;
    stream.state = 0;
    stream.error = 0;
    mark_settled(stream);
    const int errno_value = os::connect(number(stream.descriptor), *address).errno_value();
    if (errno_value == EINPROGRESS) {
        watch(stream);
    } else {
        stream.error = static_cast<std::uint16_t>(errno_value);
        make_ready(stream);
    }
    return {};
}

template <class Sink>
void UringDriver<Sink>::deliver_connected(Stream& stream, int errno_value) {
    clear(stream.odd, kConnecting);
    if (errno_value != 0) stream.odd |= kEnded;
    sink_.on_connected(stream, errno_value);
    receive_if_wanted(stream);
}

template <class Sink>
void UringDriver<Sink>::ask_to_poll(Source& source, std::uint16_t events) {
    uring::ask_poll(next_entry(), number(source.descriptor), events,
                    uring::name_of(source, uring::Asked::poll));
    source.state |= kPolling;
}

// For connecting, for room, and for an error after the FIN. Multishot polls tell of changes, and
// first of what is already so.
template <class Sink>
void UringDriver<Sink>::watch(Stream& stream) {
    if ((stream.state & kPolling) == 0) ask_to_poll(stream, POLLOUT);
}

template <class Sink>
void UringDriver<Sink>::deliver_polled(Stream& stream, const io_uring_cqe& answer) {
    const bool is_last = (answer.flags & IORING_CQE_F_MORE) == 0;
    if (is_finished(stream)) {
        if (is_last) answered(stream, kPolling);
        return;
    }
    if (is_last) {
        clear(stream.state, kPolling);
        watch(stream);
    }
    const auto events = static_cast<std::uint32_t>(std::max(answer.res, 0));
    if ((stream.odd & kConnecting) != 0) {
        deliver_connected(stream, pending_error(stream));
        if (is_finished(stream)) return;
    }
    clear(stream.state, kBlocked);
    if ((stream.state & kSending) != 0) attempt_send(stream);
    if ((events & POLLERR) != 0 && (stream.odd & kEnded) != 0 && !is_finished(stream)) {
        deliver_late_error(stream);
    }
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Outcome<void> UringDriver<Sink>::start_receive(Stream& stream) {
    if (!is_open(stream.descriptor)) return base::failed(EBADF);
    stream.odd = 0;
    stream.state = 0;
    stream.error = 0;
    mark_settled(stream);
    ask_to_receive(stream);
    return {};
}

template <class Sink>
void UringDriver<Sink>::ask_to_receive(Stream& stream) {
    static_assert(uring::Buffers::kGroup == 0, "a send is written over it: uring::ask_send");
    const auto ask = (stream.state & kOnce) != 0 ? uring::ask_receive_once : uring::ask_receive;
    ask(next_entry(), stream, uring::Buffers::kGroup);
    stream.state |= kReceiving;
}

template <class Sink>
void UringDriver<Sink>::receive_if_wanted(Stream& stream) {
    constexpr std::uint8_t kUnwanted = kConnecting | kPaused | kEnded | kHolding | kFinished;
    if ((stream.odd & kUnwanted) != 0 || (stream.state & kReceiving) != 0) return;
    ask_to_receive(stream);
    has_asked_again_ = true;
}

template <class Sink>
void UringDriver<Sink>::stop_receiving(Stream& stream) {
    if ((stream.state & (kReceiving | kCancelled)) != kReceiving) return;
    stream.state |= kCancelled;
    cancel(stream, uring::Asked::receive);
}

template <class Sink>
void UringDriver<Sink>::pause_receive(Stream& stream) {
    stream.odd |= kPaused;
    stop_receiving(stream);
}

template <class Sink>
void UringDriver<Sink>::resume_receive(Stream& stream) {
    clear(stream.odd, kPaused);
    if (is_finished(stream)) return;
    if ((stream.odd & kHolding) != 0) return make_ready(stream);
    receive_if_wanted(stream);
}

// The answers that are not the usual one: the last of a request, and those without bytes.
template <class Sink>
void UringDriver<Sink>::deliver_received(Stream& stream, const io_uring_cqe& answer) {
    const bool was_finished = is_finished(stream);
    const bool is_last = (answer.flags & IORING_CQE_F_MORE) == 0;
    if (is_last && !was_finished) clear(stream.state, kReceiving | kCancelled);
    if ((answer.flags & IORING_CQE_F_BUFFER) != 0) {
        if (answer.res > 0) {
            if (leaves_rest(stream, answer)) more_of_ = &stream;
            receive(stream, answer);
            more_of_ = nullptr;
        } else {
            give_back(answer.flags);
        }
    }
    if (was_finished) {
        if (is_last) answered(stream, kReceiving);
        return;
    }
    switch (answer.res) {
        case -ENOBUFS:  // by now those of this pass are given back
        case -ECANCELED:
        case -EINTR:
        case -EAGAIN: break;
        default:
            if (answer.res <= 0) return deliver_end(stream, -answer.res);
    }
    receive_if_wanted(stream);
}

// A multishot receive takes what follows before anybody has seen the first piece. A stream whose
// pieces are long is asked for one at a time from now on: one request more for each, which is
// little beside its bytes.
template <class Sink>
bool UringDriver<Sink>::leaves_more(Stream& stream, std::size_t) {
    if (more_of_ == &stream) return true;
    if ((stream.state & kOnce) == 0 && count_of(stream) >= kLong) {
        stream.state |= kOnce;
        stop_receiving(stream);
    }
    return false;
}

// This is the last answer of a receive, the kernel has more, and the sink gets this in one piece.
template <class Sink>
bool UringDriver<Sink>::leaves_rest(const Stream& stream, const io_uring_cqe& answer) const {
    constexpr std::uint32_t kMore = IORING_CQE_F_MORE | IORING_CQE_F_SOCK_NONEMPTY;
    return (answer.flags & kMore) == IORING_CQE_F_SOCK_NONEMPTY && stream.odd == 0 &&
           stream.heard_in != poll_ && static_cast<std::size_t>(answer.res) <= piece_max_;
}

// Gives the sink what it may have, in pieces; the rest is held, and the receive cancelled, so that
// what follows stays in the kernel (10, 11).
template <class Sink>
void UringDriver<Sink>::receive_bounded(Stream& stream, Bytes bytes) {
    while (!bytes.empty() && !is_finished(stream)) {
        const bool is_held_back = (stream.odd & (kPaused | kHolding)) != 0;
        const std::size_t room = is_held_back ? 0 : budget_ - count_of(stream);
        if (room == 0) {
            held_[&stream].add(bytes);
            return hold(stream);
        }
        const Bytes piece = bytes.first(std::min({bytes.size(), piece_max_, room}));
        count_in(stream, piece.size());
        sink_.on_received(stream, piece);
        bytes = bytes.subspan(piece.size());
    }
}

template <class Sink>
void UringDriver<Sink>::hold(Stream& stream) {
    stream.odd |= kHolding;
    stop_receiving(stream);
    if ((stream.odd & kPaused) == 0) make_ready(stream);
}

template <class Sink>
void UringDriver<Sink>::deliver_held(Stream& stream) {
    uring::Held& held = held_.at(&stream);
    while (!held.bytes().empty()) {
        if ((stream.odd & (kPaused | kFinished)) != 0) return;
        const std::size_t room = budget_ - count_of(stream);
        if (room == 0) return make_ready(stream);
        const Bytes piece = held.bytes().first(std::min({held.bytes().size(), piece_max_, room}));
        count_in(stream, piece.size());
        sink_.on_received(stream, piece);
        held.drop(piece.size());
    }
    if ((stream.odd & (kPaused | kFinished)) != 0) return;
    const auto ended = held.end;
    clear(stream.odd, kHolding);
    held_.erase(&stream);
    if (ended) return deliver_end(stream, *ended);
    receive_if_wanted(stream);
}

// The kernel tells an error once: if a send has heard it, this looks like a FIN. After a FIN an
// error may still come, and there is no receive to tell it: a poll does.
template <class Sink>
void UringDriver<Sink>::deliver_end(Stream& stream, int errno_value) {
    if ((stream.odd & (kPaused | kHolding)) != 0) {
        held_[&stream].end = errno_value;
        return hold(stream);
    }
    stream.odd |= kEnded;
    const int told = errno_value != 0 ? errno_value : stream.error;
    if (told != 0) stream.state |= kTold;
    sink_.on_receive_end(stream, told);
    if (told == 0 && !is_finished(stream)) watch(stream);
}

// The peer had ended its half, and now resets what is left.
template <class Sink>
void UringDriver<Sink>::deliver_late_error(Stream& stream) {
    if ((stream.state & kTold) != 0) return;
    const int errno_value = pending_error(stream);
    if (errno_value == 0) return;
    stream.state |= kTold;
    sink_.on_receive_end(stream, errno_value);
}

}  // namespace berth::driver
