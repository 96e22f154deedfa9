// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: sending now, soon, and when there is room.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Sent UringDriver<Sink>::sent_short(Stream& stream, long count) {
    if (count < 0 && count != -EAGAIN) {
        stream.error = static_cast<std::uint16_t>(-count);
        return Sent::failed(static_cast<int>(-count));
    }
    stream.state |= kBlocked;
    return Sent::done(count < 0 ? 0 : static_cast<std::size_t>(count));
}

template <class Sink>
Sent UringDriver<Sink>::send_slices(Stream& stream, Slices slices) {
    if (was_sent_soon(stream) && !has_arrived(stream)) return Sent::done(0);
    std::size_t size = 0;
    for (const Bytes& slice : slices) size += slice.size();
    const long count = os::send_slices(number(stream.descriptor), slices);
    if (count != static_cast<long>(size)) return sent_short(stream, count);
    clear(stream.state, kBlocked);
    return Sent::done(size);
}

// As with epoll: wait for the socket to say that it has room, then send. Only a change counts: a
// socket may be called writable, and refuse. A sendmsg that waits by itself is no way, since the
// kernel gives up on a non-blocking socket after so many wake-ups in vain; and what it sends while
// nobody looks could not be told from what is lost, if the stream is closed meanwhile.
template <class Sink>
void UringDriver<Sink>::send_when_ready(Stream& stream, const Slices& slices) {
    BERTH_DEBUG_ASSERT((stream.state & kSending) == 0, "one send_when_ready of a stream at a time");
    stream.pinned = &slices;
    stream.state |= kSending;
    if ((stream.state & kBlocked) == 0) make_ready(stream);
    watch(stream);
}

template <class Sink>
void UringDriver<Sink>::attempt_send(Stream& stream) {
    const Sent sent = send_slices(stream, *stream.pinned);
    if (!sent.is_failed() && sent.count() == 0) return;  // full again; a change will come
    clear(stream.state, kSending);
    sink_.on_sent(stream, sent);
}

// ENOTCONN (the peer reset us) is reported by the receive.
template <class Sink>
void UringDriver<Sink>::end_sending(Stream& stream) {
    [[maybe_unused]] const Slices unsent = settle(stream);
    BERTH_DEBUG_ASSERT(unsent.empty(), "what was sent soon is settled before the end");
    static_cast<void>(os::shutdown(number(stream.descriptor), os::Shutdown::sending));
}

// ── Soon ─────────────────────────────────────────────────────────────────────────────────────

// What lies where it was received is not copied, however long it is; and what was received right
// behind it, in the same poll, leaves with it.
template <class Sink>
Sent UringDriver<Sink>::send_long(Stream& stream, Bytes bytes) {
    if (bytes.empty() || !buffers_->contain(bytes)) return send(stream, bytes);
    if (was_sent_in_this_poll(stream)) {
        return lengthen_letter(stream, bytes) ? Sent::done(bytes.size()) : send(stream, bytes);
    }
    const bool has_room = !ring_->is_full() && outbox_.current().takes_letters();
    return has_room ? send_letter(stream, bytes) : send(stream, bytes);
}

template <class Sink>
bool UringDriver<Sink>::lengthen_letter(const Stream& stream, Bytes bytes) {
    uring::Letter* const letter = outbox_.current().latest();
    if (letter == nullptr || letter->stream != &stream || letter->is_withdrawn ||
        ring_->is_submitted(letter->entry) ||
        letter->bytes.data() + letter->bytes.size() != bytes.data()) {
        return false;
    }
    letter->bytes = {letter->bytes.data(), letter->bytes.size() + bytes.size()};
    ring_->at(letter->entry).len = static_cast<std::uint32_t>(letter->bytes.size());
    return true;
}

// Hands over all letters now. A refusal leaves its letter in the batch until it is delivered, also
// one of an earlier call in this poll.
template <class Sink>
void UringDriver<Sink>::submit_letters() {
    withdraw_refused();
    submit();
    bool is_refused = has_withdrawn_;
    for (std::uint32_t place = 0; place < ring_->count_ready(); ++place) {
        is_refused |= uring::asked(ring_->ready(place).user_data) == outbox_.current_send();
    }
    if (is_refused) {
        outbox_.current().seal();
    } else {
        outbox_.current().clear();
    }
}

// What the last poll sent may have been refused, and nobody has looked: what follows it must not
// overtake it.
template <class Sink>
void UringDriver<Sink>::withdraw_refused() {
    for (std::uint32_t place = 0; place < ring_->count_ready(); ++place) {
        const std::uint64_t name = ring_->ready(place).user_data;
        if (!uring::is_send(uring::asked(name))) continue;
        uring::Letter* const next = outbox_.current().last_of(as_stream(uring::source_of(name)));
        if (next != nullptr && !ring_->is_submitted(next->entry)) withdraw(*next);
    }
}

template <class Sink>
void UringDriver<Sink>::withdraw(uring::Letter& letter) {
    if (letter.is_withdrawn) return;
    uring::ask_nothing(ring_->at(letter.entry));
    letter.is_withdrawn = true;
    has_withdrawn_ = true;
}

// An answer that says so, and has not been delivered; null: there is none.
template <class Sink>
io_uring_cqe* UringDriver<Sink>::refusal_of(const Stream& stream) {
    for (std::uint32_t place = 0; place < ring_->count_ready(); ++place) {
        io_uring_cqe& answer = ring_->ready(place);
        if (uring::is_send(uring::asked(answer.user_data)) &&
            &uring::source_of(answer.user_data) == &stream) {
            return &answer;
        }
    }
    return nullptr;
}

// Does the kernel have all that was sent soon? False: on_unsent will tell.
template <class Sink>
bool UringDriver<Sink>::has_arrived(Stream& stream) {
    if (was_sent_in_this_poll(stream) && ring_->has_unsubmitted()) submit_letters();
    if (refusal_of(stream) != nullptr) return false;
    mark_settled(stream);
    return true;
}

template <class Sink>
Slices UringDriver<Sink>::settle_soon(Stream& stream) {
    if (has_arrived(stream)) return {};
    io_uring_cqe& refusal = *refusal_of(stream);
    const io_uring_cqe answer = refusal;
    refusal.user_data = uring::name_of(uring::Asked::cancel);
    return take_refused(stream, answer);
}

// The rest of the letter that was refused, and the one after it.
template <class Sink>
Slices UringDriver<Sink>::take_refused(Stream& stream, const io_uring_cqe& answer) {
    uring::Batch& batch = outbox_.of(uring::asked(answer.user_data));
    const uring::Letter* const letter = batch.last_of(stream);
    BERTH_DEBUG_ASSERT(letter != nullptr, "what was refused is in its batch");
    const auto sent = static_cast<std::size_t>(std::max(answer.res, 0));
    std::size_t count = 0;
    refused_[count++] = letter->bytes.subspan(sent);
    if (&batch == &outbox_.previous()) {
        uring::Letter* const next = outbox_.current().last_of(stream);
        if (next != nullptr && (next->is_withdrawn || !ring_->is_submitted(next->entry))) {
            withdraw(*next);
            refused_[count++] = next->bytes;
        }
    }
    mark_settled(stream);
    stream.state |= kBlocked;
    if (answer.res < 0 && answer.res != -EAGAIN) {
        stream.error = static_cast<std::uint16_t>(-answer.res);
    }
    return Slices(refused_).first(count);
}

template <class Sink>
void UringDriver<Sink>::deliver_unsent(Stream& stream, const io_uring_cqe& answer) {
    const bool is_full = answer.res >= 0 || answer.res == -EAGAIN;
    const Slices slices = take_refused(stream, answer);
    sink_.on_unsent(stream, slices, is_full ? 0 : -answer.res);
}

// Refusals that a bound keeps back are delivered all the same: the next poll needs their batch.
template <class Sink>
void UringDriver<Sink>::deliver_unsent_left() {
    for (std::uint32_t place = 0; place < ring_->count_ready(); ++place) {
        io_uring_cqe& waiting = ring_->ready(place);
        if (!uring::is_send(uring::asked(waiting.user_data))) continue;
        const io_uring_cqe answer = waiting;
        waiting.user_data = uring::name_of(uring::Asked::cancel);
        deliver_unsent(as_stream(uring::source_of(answer.user_data)), answer);
    }
}

// It closes: what is to arrive has been settled, the rest is dropped.
template <class Sink>
void UringDriver<Sink>::forget_letters(Stream& stream, Ending ending) {
    uring::Letter* const letter = outbox_.current().last_of(stream);
    if (letter != nullptr && !ring_->is_submitted(letter->entry)) {
        if (ending == Ending::reset) {
            withdraw(*letter);
        } else {
            submit_letters();
        }
    }
    if (letter != nullptr) letter->stream = nullptr;  // its place may soon be another's
    if (io_uring_cqe* const refusal = refusal_of(stream)) {
        refusal->user_data = uring::name_of(uring::Asked::cancel);
    }
}

}  // namespace berth::driver
