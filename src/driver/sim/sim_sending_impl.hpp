// SPDX-License-Identifier: MIT
//
// SimDriver, the bodies: sending now, soon, and when there is room.
//
// A letter is what send_soon took and nobody has handed over yet, as entries of a ring are. Whether
// a send is put off at all, and when a refusal is told among the turns of a poll, is chance.

#pragma once

#include "driver/sim/sim_driver.hpp"

namespace berth::driver::sim {

template <class Sink>
Sent SimDriver<Sink>::send_slices(Stream& stream, Slices slices) {
    if (Letter* const letter = letter_of(stream)) {
        hand_over(*letter);
        if (letter->is_refused) return Sent::done(0);
        drop_letter(stream);
    }
    std::size_t taken = 0;
    for (const Bytes& slice : slices) {
        const auto count = process_.send(stream.descriptor, slice);
        const int errno_value = count.errno_value();
        if (errno_value != 0 && errno_value != EAGAIN) {
            stream.error = static_cast<std::uint16_t>(errno_value);
            return taken == 0 ? Sent::failed(errno_value) : Sent::done(taken);
        }
        taken += count.value_or(0);
        if (count.value_or(0) < slice.size()) break;
    }
    return Sent::done(taken);
}

template <class Sink>
void SimDriver<Sink>::send_when_ready(Stream& stream, const Slices& slices) {
    BERTH_DEBUG_ASSERT(!has(stream, kSending), "one send_when_ready of a stream at a time");
    stream.pinned = &slices;
    set(stream, kSending);
}

template <class Sink>
void SimDriver<Sink>::attempt_send(Stream& stream) {
    const Sent sent = send_slices(stream, *stream.pinned);
    if (!sent.is_failed() && sent.count() == 0) return;  // full again
    clear(stream, kSending);
    sink_.on_sent(stream, sent);
}

// ENOTCONN (the peer reset us) is reported by the receive.
template <class Sink>
void SimDriver<Sink>::end_sending(Stream& stream) {
    [[maybe_unused]] const Slices unsent = settle(stream);
    BERTH_DEBUG_ASSERT(unsent.empty(), "what was sent soon is settled before the end");
    static_cast<void>(process_.shutdown(stream.descriptor, Shut::sending));
}

// ── Soon ─────────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Sent SimDriver<Sink>::send_soon(Stream& stream, Bytes bytes) {
    if (bytes.size() > kSoonMax) return send(stream, bytes);
    if (Letter* const letter = letter_of(stream)) return follow(*letter, bytes);
    if (kernel_.below(2) == 0) return send(stream, bytes);
    letters_.push_back({.stream = &stream, .bytes = {bytes.begin(), bytes.end()}});
    return Sent::done(bytes.size());
}

// One that was refused may be followed by one, before anybody knows.
template <class Sink>
Sent SimDriver<Sink>::follow(Letter& letter, Bytes bytes) {
    if (!letter.is_refused || std::exchange(letter.is_followed, true)) {
        return send(*letter.stream, bytes);
    }
    letter.bytes.insert(letter.bytes.end(), bytes.begin(), bytes.end());
    return Sent::done(bytes.size());
}

template <class Sink>
Slices SimDriver<Sink>::settle(Stream& stream) {
    Letter* const letter = letter_of(stream);
    if (letter == nullptr) return {};
    hand_over(*letter);
    return take_refused(stream);
}

// Drops the letter. Empty: all of it is gone.
template <class Sink>
Slices SimDriver<Sink>::take_refused(Stream& stream) {
    refused_ = std::move(letter_of(stream)->bytes);
    refused_slice_ = refused_;
    drop_letter(stream);
    return refused_.empty() ? Slices{} : Slices{&refused_slice_, 1};
}

template <class Sink>
void SimDriver<Sink>::hand_over(Letter& letter) {
    if (letter.is_refused) return;
    const auto count = process_.send(letter.stream->descriptor, letter.bytes);
    const std::size_t sent = count.value_or(0);
    letter.bytes.erase(letter.bytes.begin(),
                       letter.bytes.begin() + static_cast<std::ptrdiff_t>(sent));
    letter.is_refused = !letter.bytes.empty();
    const int errno_value = count.errno_value();
    if (errno_value == 0 || errno_value == EAGAIN) return;
    letter.errno_value = errno_value;
    letter.stream->error = static_cast<std::uint16_t>(errno_value);  // a receive may be told first
}

template <class Sink>
auto SimDriver<Sink>::letter_of(const Stream& stream) -> Letter* {
    const auto letter = std::ranges::find(letters_, &stream, &Letter::stream);
    return letter == letters_.end() ? nullptr : &*letter;
}

template <class Sink>
void SimDriver<Sink>::drop_letter(const Stream& stream) {
    std::erase_if(letters_, [&](const Letter& letter) { return letter.stream == &stream; });
}

// As the call of a poll does, before it waits. What was not refused is forgotten.
template <class Sink>
void SimDriver<Sink>::hand_over_all() {
    for (Letter& letter : letters_) hand_over(letter);
    std::erase_if(letters_, [](const Letter& letter) { return !letter.is_refused; });
}

template <class Sink>
void SimDriver<Sink>::deliver_refused(unsigned chance) {
    for (std::size_t i = letters_.size(); i > 0; --i) {
        if (i > letters_.size()) continue;  // the sink settled another one
        const Letter& letter = letters_[i - 1];
        if (!letter.is_refused || kernel_.below(chance) != 0) continue;
        Stream& stream = *letter.stream;
        const int errno_value = letter.errno_value;
        const Slices slices = take_refused(stream);
        sink_.on_unsent(stream, slices, errno_value);
    }
}

}  // namespace berth::driver::sim
