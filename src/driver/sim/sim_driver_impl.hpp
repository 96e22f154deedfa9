// SPDX-License-Identifier: MIT
//
// SimDriver, the bodies: accepting, connecting, receiving, closing, polling.

#pragma once

#include "driver/accept_errors.hpp"
#include "driver/sim/sim_driver.hpp"

namespace berth::driver::sim {

// The first poll looks at it, not this call: as an operation that was queued for a ring.
template <class Sink>
Outcome<void> SimDriver<Sink>::start(Source& source, InFlight operation) {
    if (!is_open(source.descriptor)) return base::failed(EBADF);
    source.odd = operation;
    source.state = 0;
    source.error = 0;
    operations_.add(source);
    return {};
}

// ── Readiness ────────────────────────────────────────────────────────────────────────────────

template <class Sink>
Outcome<void> SimDriver<Sink>::start_watch(Watched& watched) {
    auto started = start(watched, InFlight{});
    if (started) set(watched, kWatched);
    return started;
}

// What is so and waited for, and as often as it is looked at; what is not, sometimes.
template <class Sink>
void SimDriver<Sink>::deliver_ready(Watched& watched) {
    if (has(watched, kEnding)) return;
    const Readiness now = process_.readiness(watched.descriptor);
    const bool is_over = now.failed || now.hung_up;
    const Ready ready{.input = now.readable || now.peer_ended || is_over,
                      .room = now.writable || is_over};
    if (ready.input || ready.room) sink_.on_ready(watched, ready);
}

// ── Accepting ────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void SimDriver<Sink>::stop_accept(Listener& listener) {
    if (has(listener, kAccepting)) set(listener, kEnding);
}

// Connections that the kernel had accepted when it was stopped: some still come.
template <class Sink>
void SimDriver<Sink>::accept(Listener& listener) {
    for (std::size_t count = 0; count < bounds_.accept_budget; ++count) {
        if (has(listener, kEnding) && kernel_.below(2) == 0) return;
        const auto accepted = process_.accept(listener.descriptor);
        if (accepted) {
            sink_.on_accepted(listener, accepted->descriptor, accepted->peer);
        } else if (!accept_failed(listener, accepted.errno_value())) {
            return;
        }
    }
}

// False: enough for this turn.
template <class Sink>
bool SimDriver<Sink>::accept_failed(Listener& listener, int errno_value) {
    if (errno_value == EAGAIN) return false;
    if (!ends_accepting(errno_value)) {
        sink_.on_accept_error(listener, errno_value);
        return true;
    }
    if (has(listener, kEnding)) return false;  // stopped: that is its end
    listener.odd = 0;
    operations_.remove(listener);
    sink_.on_accept_end(listener, errno_value);
    return false;
}

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

template <class Sink>
Outcome<void> SimDriver<Sink>::connect(Stream& stream, const Endpoint& endpoint) {
    auto started = start(stream, kConnecting);
    if (!started) return started;
    const int errno_value = process_.connect(stream.descriptor, endpoint).errno_value();
    if (errno_value != EINPROGRESS) stream.error = static_cast<std::uint16_t>(errno_value);
    return started;
}

template <class Sink>
void SimDriver<Sink>::deliver_connected(Stream& stream) {
    const int refused = stream.error;  // at once
    const int errno_value = refused != 0 ? refused : process_.take_error(stream.descriptor);
    clear(stream, kConnecting);
    if (errno_value == 0) set(stream, kReceiving);
    sink_.on_connected(stream, errno_value);
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void SimDriver<Sink>::receive(Stream& stream) {
    clear(stream, kPutOff);
    std::size_t left = bounds_.read_budget;
    while (may_receive(stream) && left > 0) {
        const auto room = std::span(received_).first(std::min(received_.size(), left));
        const auto count = process_.receive(stream.descriptor, room);
        if (count.value_or(0) == 0) return receive_nothing(stream, count.errno_value());
        left -= *count;
        sink_.on_received(stream, room.first(*count));
    }
    if (may_receive(stream) && process_.readiness(stream.descriptor).readable) set(stream, kPutOff);
}

template <class Sink>
void SimDriver<Sink>::receive_nothing(Stream& stream, int errno_value) {
    if (errno_value == EAGAIN) return;
    clear(stream, kReceiving);
    // The kernel tells an error once: if a send has heard it, this looks like a FIN.
    sink_.on_receive_end(stream, errno_value == 0 ? stream.error : errno_value);
}

// The peer had ended its half, and now resets what is left.
template <class Sink>
void SimDriver<Sink>::receive_late_error(Stream& stream) {
    const int errno_value = process_.take_error(stream.descriptor);
    if (errno_value != 0) sink_.on_receive_end(stream, errno_value);
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void SimDriver<Sink>::close(Stream& stream, Ending ending) {
    BERTH_DEBUG_ASSERT(!has(stream, kEnding), "a stream is closed once");
    if (Letter* const letter = letter_of(stream)) {
        if (ending == Ending::orderly) hand_over(*letter);
        drop_letter(stream);
    }
    if (ending == Ending::reset && !process_.disconnect(stream.descriptor)) set(stream, kByReset);
    set(stream, kEnding);
}

template <class Sink>
void SimDriver<Sink>::complete_ending(Source& source) {
    const bool is_listener = has(source, kAccepting);
    const bool is_datagrams = has(source, kDatagrams);
    source.odd = 0;
    if (has(source, kWatched)) return sink_.on_watch_end(as_watched(source));
    if (is_datagrams) return sink_.on_datagrams_end(as_datagrams(source));
    if (is_listener) return sink_.on_accept_end(as_listener(source), 0);
    if (has(source, kByReset)) {
        static_cast<void>(process_.set(source.descriptor, SocketOption::linger_reset, 0));
    }
    process_.close(source.descriptor);
    source.descriptor = Descriptor::none;
    sink_.on_closed(as_stream(source));
}

// ── Polling ──────────────────────────────────────────────────────────────────────────────────

template <class Sink>
void SimDriver<Sink>::give_turn(Source& source) {
    if (has(source, kAccepting)) {
        accept(as_listener(source));
    } else if (has(source, kDatagrams)) {
        deliver_datagrams(as_datagrams(source));
    } else if (has(source, kWatched)) {
        deliver_ready(as_watched(source));
    } else if (!has(source, kEnding)) {
        take_turn(as_stream(source));
    }
}

// Either direction may be heard first, and may end the stream before the other.
template <class Sink>
void SimDriver<Sink>::take_turn(Stream& stream) {
    if (has(stream, kConnecting)) deliver_connected(stream);
    const bool sends_first = kernel_.below(2) == 0;
    for (const bool sends : {sends_first, !sends_first}) {
        if (has(stream, kEnding)) return;
        if (sends) {
            if (has(stream, kSending)) attempt_send(stream);
        } else if (has(stream, kReceiving)) {
            receive(stream);
        } else {
            receive_late_error(stream);
        }
    }
}

// Nobody else acts meanwhile but the kernel; a world that has others does not let a poll wait.
template <class Sink>
void SimDriver<Sink>::wait(Deadline deadline) {
    while (!is_ready() && kernel_.now() < deadline) {
        const Instant next = std::min(kernel_.next_event(), deadline);
        BERTH_ASSERT(!next.is_never(), "a poll waits for ever: nothing is left that could end it");
        kernel_.advance(next);
    }
}

template <class Sink>
Outcome<void> SimDriver<Sink>::poll(Deadline deadline) {
    hand_over_all();
    wait(letters_.empty() ? deadline : Deadline{});
    woken_ = false;
    const auto turns = operations_.choose_turns();
    sink_.on_awake(turns.size());
    for (Source* source : turns) {
        deliver_refused(2);
        give_turn(*source);
    }
    deliver_refused(1);
    while (Source* source = operations_.take_ended()) complete_ending(*source);
    return {};
}

}  // namespace berth::driver::sim
