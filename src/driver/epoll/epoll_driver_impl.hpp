// SPDX-License-Identifier: MIT
//
// EpollDriver, the bodies: accepting, connecting, receiving, sending, closing, polling.
//
// Included by epoll_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/accept_errors.hpp"
#include "driver/epoll/epoll_driver.hpp"
#include "driver/pending_error.hpp"
#include "driver/reset.hpp"
#include "driver/waiting_clients.hpp"

namespace berth::driver {

// ── Accepting ────────────────────────────────────────────────────────────────────────────────

// Level-triggered: a burst above the budget is seen again by the next poll.
template <class Sink>
Outcome<void> EpollDriver<Sink>::start_accept(Listener& listener) {
    listener.odd = kNotStream;
    auto added = set_->add(listener, EPOLLIN);
    if (added) listener.state = kRegistered;
    return added;
}

template <class Sink>
void EpollDriver<Sink>::stop_accept(Listener& listener) {
    if (is_finished(listener)) return;
    finish(listener);
}

template <class Sink>
void EpollDriver<Sink>::accept(Listener& listener) {
    const std::size_t turn = std::min(waiting_clients(listener), bounds_.accept_budget);
    for (std::size_t count = 0; count < turn; ++count) {
        os::SocketAddress peer;
        const long accepted = os::accept_socket(number(listener.descriptor), peer);
        if (accepted >= 0) {
            sink_.on_accepted(listener, Descriptor{static_cast<int>(accepted)}, peer.ip());
            if (is_finished(listener)) return;  // the sink stopped it
        } else if (!accept_failed(listener, static_cast<int>(-accepted))) {
            return;
        }
    }
}

// False: enough for this turn. Lack of resources ends the accept (2), because a level-triggered
// listener that cannot be served would spin; the owner arms it again when it sees fit.
template <class Sink>
bool EpollDriver<Sink>::accept_failed(Listener& listener, int errno_value) {
    if (errno_value == EAGAIN) return false;
    if (!ends_accepting(errno_value)) {
        sink_.on_accept_error(listener, errno_value);
        return !is_finished(listener);
    }
    listener.odd |= kFinished;
    unregister(listener);
    sink_.on_accept_end(listener, errno_value);
    return false;
}

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

template <class Sink>
Outcome<void> EpollDriver<Sink>::connect(Stream& stream, const Endpoint& endpoint) {
    stream.odd = kConnecting;
    stream.state = 0;
    stream.error = 0;
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    const int errno_value = os::connect(number(stream.descriptor), *address).errno_value();
    if (errno_value != 0 && errno_value != EINPROGRESS) {
        stream.error = static_cast<std::uint16_t>(errno_value);
        stream.state |= kFailed;
        make_ready(stream);
        return {};
    }
    // Registering reports what is already so: an immediate success comes as an edge, too.
    auto added = set_->add(stream, kStreamEvents);
    if (added) stream.state |= kRegistered;
    return added;
}

template <class Sink>
void EpollDriver<Sink>::deliver_connected(Stream& stream) {
    const int errno_value = (stream.state & kFailed) != 0 ? stream.error : pending_error(stream);
    stream.odd &= static_cast<std::uint8_t>(~kConnecting);
    if (errno_value != 0) stream.odd |= kEnded;
    sink_.on_connected(stream, errno_value);
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Outcome<void> EpollDriver<Sink>::start_receive(Stream& stream) {
    stream.odd = 0;
    stream.state = 0;
    stream.error = 0;
    auto added = set_->add(stream, kStreamEvents);
    if (added) stream.state = kRegistered;
    return added;
}

template <class Sink>
void EpollDriver<Sink>::resume_receive(Stream& stream) {
    stream.odd &= static_cast<std::uint8_t>(~kPaused);
    if ((stream.state & kReadable) != 0 && !is_finished(stream)) make_ready(stream);
}

template <class Sink>
void EpollDriver<Sink>::receive_nothing(Stream& stream, long count) {
    if (count == -EAGAIN) return;
    stream.odd |= kEnded;
    // The kernel tells an error once: if a send has heard it, this looks like a FIN.
    const int errno_value = count == 0 ? stream.error : static_cast<int>(-count);
    if (errno_value != 0) stream.state |= kTold;
    sink_.on_receive_end(stream, errno_value);
    if ((stream.state & kErred) != 0 && !is_finished(stream)) receive_late_error(stream);
}

// The peer had ended its half, and now resets what is left.
template <class Sink>
void EpollDriver<Sink>::receive_late_error(Stream& stream) {
    if ((stream.state & kTold) != 0) return;
    const int errno_value = pending_error(stream);
    if (errno_value == 0) return;
    stream.state |= kTold;
    sink_.on_receive_end(stream, errno_value);
}

// Reads on until the socket is empty, the sink has had enough, or the budget is spent (10). The
// edge that reported a FIN, an error or urgent data is the last one, so after it only EAGAIN or
// the end itself proves that nothing is left (`to_the_end`).
template <class Sink>
void EpollDriver<Sink>::receive_more(Stream& stream, std::size_t already, bool to_the_end) {
    std::size_t taken = already;
    for (;;) {
        if ((stream.odd & (kFinished | kEnded)) != 0) return;
        if ((stream.odd & kPaused) != 0 || taken >= bounds_.read_budget) {
            stream.state |= kReadable;
            if ((stream.odd & kPaused) == 0) make_ready(stream);
            return;
        }
        const std::size_t room = std::min(receive_.size(), bounds_.read_budget - taken);
        const long count = os::recv_bytes(number(stream.descriptor), receive_.data(), room);
        if (count <= 0) return receive_nothing(stream, count);
        sink_.on_received(stream, Bytes(receive_.data(), static_cast<std::size_t>(count)));
        taken += static_cast<std::size_t>(count);
        if (static_cast<std::size_t>(count) < room && !to_the_end) return;
    }
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Sent EpollDriver<Sink>::sent_short(Stream& stream, long count) {
    if (count < 0 && count != -EAGAIN) {
        stream.error = static_cast<std::uint16_t>(-count);
        return Sent::failed(static_cast<int>(-count));
    }
    stream.odd |= kBlocked;
    return Sent::done(count < 0 ? 0 : static_cast<std::size_t>(count));
}

// A send that was never refused makes no edge, so unless the socket is known to be full it is
// tried by the next poll rather than waited for.
template <class Sink>
void EpollDriver<Sink>::send_when_ready(Stream& stream, const Slices& slices) {
    BERTH_DEBUG_ASSERT((stream.odd & kSending) == 0, "one send_when_ready of a stream at a time");
    stream.pinned = &slices;
    stream.odd |= kSending;
    if ((stream.odd & kBlocked) == 0) make_ready(stream);
}

template <class Sink>
Sent EpollDriver<Sink>::send_slices(Stream& stream, Slices slices) {
    std::size_t size = 0;
    for (const Bytes& slice : slices) size += slice.size();
    const long count = os::send_slices(number(stream.descriptor), slices);
    return count == static_cast<long>(size) ? Sent::done(size) : sent_short(stream, count);
}

template <class Sink>
void EpollDriver<Sink>::attempt_send(Stream& stream) {
    const Sent sent = send_slices(stream, *stream.pinned);
    if (!sent.is_failed() && sent.count() == 0) return;  // full again; an edge will come
    stream.odd &= static_cast<std::uint8_t>(~kSending);
    sink_.on_sent(stream, sent);
}

// ENOTCONN (the peer reset us) is reported by the receive.
template <class Sink>
void EpollDriver<Sink>::end_sending(Stream& stream) {
    static_cast<void>(os::shutdown(number(stream.descriptor), os::Shutdown::sending));
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

// Nothing is in flight in the kernel, so the descriptor closes at once; on_closed follows within
// this poll, or the next one if there is none.
template <class Sink>
void EpollDriver<Sink>::close(Stream& stream, Ending ending) {
    BERTH_DEBUG_ASSERT(!is_finished(stream), "a stream is closed once");
    if (ending == Ending::reset) reset(stream.descriptor);
    finish(stream);
    os::close(number(stream.descriptor));
    stream.descriptor = Descriptor::none;
}

// An explicit removal, although close(2) would do it: a copy of the descriptor in a forked child
// would keep the registration alive, and its events would name a stream that is gone.
template <class Sink>
void EpollDriver<Sink>::unregister(Source& source) {
    if ((source.state & kRegistered) != 0) set_->remove(source);
    source.state &= static_cast<std::uint8_t>(~kRegistered);
}

template <class Sink>
void EpollDriver<Sink>::finish(Source& source) {
    unregister(source);
    source.odd |= kFinished;
    has_rest_ = true;
    if ((source.odd & kQueued) != 0) {
        finished_while_queued_ = true;  // it moves to finished_ when ready_ is gone through
    } else {
        finished_.push(source);
    }
}

template <class Sink>
void EpollDriver<Sink>::make_ready(Source& source) {
    if ((source.odd & kQueued) != 0) return;
    source.odd |= kQueued;
    ready_.push(source);
    has_rest_ = true;
}

// ── Polling ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void EpollDriver<Sink>::deliver_odd(Source& source, std::uint32_t events) {
    if (is_finished(source)) return;  // a stale event of this batch, or the wake-up
    if (is_datagrams(source)) return deliver_datagrams(as_datagrams(source));
    if (is_watched(source)) return deliver_ready(as_watched(source), events);
    if ((source.odd & kNotStream) != 0) return accept(as_listener(source));
    deliver_stream(as_stream(source), events);
}

template <class Sink>
void EpollDriver<Sink>::deliver_stream(Stream& stream, std::uint32_t events) {
    if ((stream.odd & kConnecting) != 0) {
        deliver_connected(stream);
        if (is_finished(stream)) return;
    }
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        stream.odd &= static_cast<std::uint8_t>(~kBlocked);
        if ((stream.odd & kSending) != 0) attempt_send(stream);
        if (is_finished(stream)) return;
    }
    if ((stream.odd & kEnded) != 0) {
        if ((events & EPOLLERR) != 0) receive_late_error(stream);
        return;
    }
    if ((events & EPOLLERR) != 0) stream.state |= kErred;
    if ((events & (EPOLLIN | kReadToTheEnd)) == 0) return;
    // One that spent its budget has its turn in deliver_retried, and not a second one here.
    if (is_put_off(stream)) return;
    receive_more(stream, 0, (events & kReadToTheEnd) != 0);
}

template <class Sink>
void EpollDriver<Sink>::deliver_rest() {
    deliver_retried();
    while (finished_while_queued_ || !finished_.empty()) deliver_finished();
    has_rest_ = !ready_.empty();
}

template <class Sink>
void EpollDriver<Sink>::deliver_retried() {
    while (Source* source = retried_.pop()) {
        source->odd &= static_cast<std::uint8_t>(~kQueued);
        if (is_finished(*source)) {
            finished_.push(*source);
            continue;
        }
        if (is_datagrams(*source)) {
            deliver_datagrams(as_datagrams(*source));
            continue;
        }
        Stream& stream = as_stream(*source);
        if ((stream.odd & kConnecting) != 0) {
            deliver_connected(stream);
            continue;
        }
        if ((stream.odd & (kSending | kBlocked)) == kSending) attempt_send(stream);
        if ((stream.state & kReadable) != 0) {
            stream.state &= static_cast<std::uint8_t>(~kReadable);
            receive_more(stream, 0, true);
        }
    }
}

// Moves what was finished while it waited in ready_.
template <class Sink>
void EpollDriver<Sink>::collect_finished() {
    finished_while_queued_ = false;
    SourceList kept;
    while (Source* source = ready_.pop()) {
        if (is_finished(*source)) {
            source->odd &= static_cast<std::uint8_t>(~kQueued);
            finished_.push(*source);
        } else {
            kept.push(*source);
        }
    }
    ready_.append(kept);
}

// Last completions, also of what sinks close meanwhile (6).
template <class Sink>
void EpollDriver<Sink>::deliver_finished() {
    if (finished_while_queued_) collect_finished();
    while (Source* source = finished_.pop()) {
        if (is_datagrams(*source)) {
            sink_.on_datagrams_end(as_datagrams(*source));
        } else if (is_watched(*source)) {
            sink_.on_watch_end(as_watched(*source));
        } else if ((source->odd & kNotStream) != 0) {
            sink_.on_accept_end(as_listener(*source), 0);
        } else {
            sink_.on_closed(as_stream(*source));
        }
    }
}

template <class Sink>
Outcome<void> EpollDriver<Sink>::poll(Deadline deadline) {
    if (has_rest_) [[unlikely]]
        deadline = Deadline{};
    const long waited = set_->wait(events_, deadline, system_);
    if (waited < 0) [[unlikely]]
        return base::failed(static_cast<int>(-waited));
    const auto count = static_cast<std::size_t>(waited);
    delivered_ = count;
    sink_.on_awake(count);
    if (has_rest_) [[unlikely]]
        retried_.append(ready_);  // what becomes ready from here on waits (10)
    for (const epoll_event& event : events_.first(count)) deliver(event);
    if (has_rest_) [[unlikely]]
        deliver_rest();
    return {};
}

}  // namespace berth::driver
