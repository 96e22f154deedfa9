// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: closing, and a poll from its wait to the last completion.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/left_until.hpp"
#include "driver/reset.hpp"
#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

// By its name: by descriptor the kernel would look through all requests.
template <class Sink>
void UringDriver<Sink>::cancel(const Source& source, uring::Asked what) {
    uring::ask_cancel(next_entry(), uring::name_of(source, what));
}

template <class Sink>
void UringDriver<Sink>::close(Stream& stream, Ending ending) {
    BERTH_DEBUG_ASSERT(!is_finished(stream), "a stream is closed once");
    if (ending == Ending::reset) reset(stream.descriptor);
    if (was_sent_soon(stream)) forget_letters(stream, ending);
    stop_receiving(stream);
    if ((stream.state & kPolling) != 0) cancel(stream, uring::Asked::poll);
    finish(stream);
}

template <class Sink>
void UringDriver<Sink>::finish(Source& source) {
    source.odd |= kFinished;
    has_rest_ = true;
    if ((source.state & kAsked) != 0) {
        ++ending_;
    } else {
        end(source);
    }
}

// Of a finished source: the kernel has told the last of this request.
template <class Sink>
void UringDriver<Sink>::answered(Source& source, State which) {
    clear(source.state, which);
    if ((source.state & kAsked) != 0) return;
    --ending_;
    end(source);
}

// The kernel does not use it any more: its close is what the peer and the port see. The ring closes
// many with one call; what is linked in ready_ cannot wait for that in a list of its own.
template <class Sink>
void UringDriver<Sink>::end(Source& source) {
    has_rest_ = true;
    const bool is_stream = (source.odd & kNotStream) == 0;
    if ((source.odd & kQueued) != 0) {
        if (is_stream) os::close(number(std::exchange(source.descriptor, Descriptor::none)));
        finished_while_queued_ = true;  // it moves to finished_ when ready_ is gone through
    } else if (is_stream) {
        const Descriptor closed = std::exchange(source.descriptor, Descriptor::none);
        uring::ask_close(next_entry(), number(closed));
        closing_.push(source);
    } else {
        finished_.push(source);
    }
}

template <class Sink>
void UringDriver<Sink>::make_ready(Source& source) {
    if ((source.odd & kQueued) != 0) return;
    source.odd |= kQueued;
    has_rest_ = true;
    ready_.push(source);
}

// ── Polling ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void UringDriver<Sink>::ask_to_wake() {
    uring::ask_poll(next_entry(), event_.number(), POLLIN, uring::name_of(uring::Asked::wake));
    is_wake_asked_ = true;
}

// Makes the kernel read all requests. What it does not read it never will: the ring is broken.
template <class Sink>
void UringDriver<Sink>::submit() {
    ring_->submit();
    if (ring_->has_unsubmitted()) [[unlikely]]
        give_up_unread();
}

// Of what was sent soon it is not known whether it was all: neither a FIN nor a close may look as
// if it were.
template <class Sink>
void UringDriver<Sink>::give_up_unread() {
    for (std::uint32_t each = ring_->first_unsubmitted(); each != ring_->tail(); ++each) {
        io_uring_sqe& entry = ring_->at(each);
        if (entry.opcode == IORING_OP_SEND) reset(Descriptor{entry.fd});
        if (entry.opcode == IORING_OP_CLOSE) os::close(entry.fd);
        uring::ask_nothing(entry);
    }
}

template <class Sink>
Outcome<void> UringDriver<Sink>::enter(Duration timeout) {
    if (!is_wake_asked_) ask_to_wake();
    const auto entered = ring_->enter(timeout);
    if (ring_->has_unsubmitted()) [[unlikely]]  // no memory for a request: once more
        submit();
    finished_.append(closing_);  // by a call that returns when they are closed
    return entered;
}

template <class Sink>
Outcome<void> UringDriver<Sink>::enter_until(Deadline deadline) {
    const bool is_due = std::exchange(is_woken_, false) || !ready_.empty() || !closing_.empty() ||
                        !finished_.empty() || finished_while_queued_ || ring_->count_ready() > 0;
    return enter(left_until(is_due ? Deadline{} : deadline, system_));
}

template <class Sink>
void UringDriver<Sink>::deliver_odd(const io_uring_cqe& answer) {
    using uring::Asked;
    const std::uint64_t name = answer.user_data;
    switch (uring::asked(name)) {
        case Asked::receive: return deliver_received(as_stream(uring::source_of(name)), answer);
        case Asked::poll: {
            Source& source = uring::source_of(name);
            if (is_datagrams(source)) return deliver_acceptable(as_datagrams(source), answer);
            if (is_watched(source)) return deliver_ready(as_watched(source), answer);
            if ((source.odd & kNotStream) != 0)
                return deliver_acceptable(as_listener(source), answer);
            return deliver_polled(as_stream(source), answer);
        }
        case Asked::wake:
            is_woken_ |= is_past_wait_;
            has_rest_ = true;
            is_wake_asked_ = (answer.flags & IORING_CQE_F_MORE) != 0;
            return;
        case Asked::cancel: return;
        case Asked::accept: return deliver_accepted(as_listener(uring::source_of(name)), answer);
        case Asked::send:
        case Asked::send_odd: return deliver_unsent(as_stream(uring::source_of(name)), answer);
    }
}

template <class Sink>
void UringDriver<Sink>::deliver_answers(std::size_t count) {
    uring::Ring& ring = *ring_;
    for (; count > 0; --count) deliver(ring.take());
    ring.give_back();
    if (ring.count_ready() > 0) [[unlikely]]
        deliver_unsent_left();
}

template <class Sink>
void UringDriver<Sink>::finish_retried(Source& source) {
    if ((source.state & kAsked) == 0) finished_.push(source);
}

template <class Sink>
void UringDriver<Sink>::deliver_retried() {
    while (Source* source = retried_.pop()) {
        clear(source->odd, kQueued);
        if (is_finished(*source)) {
            finish_retried(*source);
            continue;
        }
        if (is_datagrams(*source)) {
            deliver_datagrams(as_datagrams(*source));
            continue;
        }
        if ((source->odd & kNotStream) != 0) {
            accept(as_listener(*source), 0);
            continue;
        }
        Stream& stream = as_stream(*source);
        if ((stream.odd & kConnecting) != 0) {
            deliver_connected(stream, stream.error);
            continue;
        }
        if ((stream.state & (kSending | kBlocked)) == kSending) attempt_send(stream);
        constexpr std::uint8_t kWhether = kHolding | kPaused | kFinished;
        if ((stream.odd & kWhether) == kHolding) deliver_held(stream);
    }
}

// Moves what was finished while it waited in ready_.
template <class Sink>
void UringDriver<Sink>::collect_finished() {
    finished_while_queued_ = false;
    SourceList kept;
    while (Source* source = ready_.pop()) {
        if (!is_finished(*source)) {
            kept.push(*source);
            continue;
        }
        clear(source->odd, kQueued);
        if ((source->state & kAsked) == 0) finished_.push(*source);
    }
    ready_.append(kept);
}

// Last completions, also of what sinks close meanwhile (6).
template <class Sink>
void UringDriver<Sink>::deliver_finished() {
    while (finished_while_queued_ || !finished_.empty()) {
        if (finished_while_queued_) collect_finished();
        Source* source = finished_.pop();
        if (source == nullptr) continue;
        if (is_datagrams(*source)) {
            sink_.on_datagrams_end(as_datagrams(*source));
            continue;
        }
        if (is_watched(*source)) {
            sink_.on_watch_end(as_watched(*source));
            continue;
        }
        if ((source->odd & kNotStream) != 0) {
            sink_.on_accept_end(as_listener(*source), source->error);
            continue;
        }
        Stream& stream = as_stream(*source);
        if ((stream.odd & kHolding) != 0) held_.erase(&stream);
        sink_.on_closed(stream);
    }
}

// What was cancelled answers as soon as the kernel is asked. False: nothing came, or a bound was
// met; the next poll waits for it.
template <class Sink>
bool UringDriver<Sink>::deliver_last_answers() {
    if (ending_ == 0 || answers_left_ == 0 || !enter(Duration::zero())) return false;
    const std::size_t count = std::min<std::size_t>(ring_->count_ready(), answers_left_);
    answers_left_ -= count;
    deliver_answers(count);
    return count > 0 || !finished_.empty();
}

template <class Sink>
bool UringDriver<Sink>::submit_closes() {
    if (closing_.empty()) return false;
    submit();
    finished_.append(closing_);
    return true;
}

template <class Sink>
void UringDriver<Sink>::deliver_rest(std::size_t delivered) {
    is_past_wait_ = true;
    answers_left_ = bounds_.events_max - delivered;
    if (!retried_.empty()) deliver_retried();
    do {
        deliver_finished();
    } while (deliver_last_answers() || submit_closes());
    is_past_wait_ = false;
    has_rest_ = is_woken_ || !is_wake_asked_ || !ready_.empty();
}

// Nothing but answers is waited for, in nearly every poll, and nothing else is looked at then. The
// kernel does not wait while there are some that the last poll left.
template <class Sink>
Outcome<void> UringDriver<Sink>::poll(Deadline deadline) {
    const bool has_waited = !has_rest_ && deadline.is_never() && ring_->wait();
    if (!has_waited || ring_->has_unsubmitted()) [[unlikely]] {
        const auto entered = enter_until(deadline);
        if (!entered) return base::failed(entered.errno_value());
    }
    const std::size_t count = std::min<std::size_t>(ring_->count_ready(), bounds_.events_max);
    sink_.on_awake(count);
    ++poll_;
    outbox_.turn_over();
    has_withdrawn_ = false;
    has_asked_again_ = false;
    if (has_rest_) [[unlikely]]
        retried_.append(ready_);  // what becomes ready from here on waits (10)
    deliver_answers(count);
    if (has_rest_) [[unlikely]]
        deliver_rest(count);
    buffers_->end_poll();
    delivered_all_ = count < kBatch && !has_asked_again_ && ring_->count_ready() == 0;
    return {};
}

}  // namespace berth::driver
