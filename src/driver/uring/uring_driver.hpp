// SPDX-License-Identifier: MIT
//
// UringDriver: the seam over io_uring(7).
//
// Receives are multishot: asked once, answered many times, into buffers that all streams share. One
// call to the kernel per poll submits what was asked since the last one, waits, and takes what is
// there. What was asked is cancelled by its name before a descriptor closes, and its last answer is
// awaited, because a request keeps a socket, and its port, alive.
//
// What is sent soon is queued, too, and leaves with that same call. A connect, any other send, and
// an accept of whoever does not come alone are system calls of their own: what they answer is
// needed at once.
//
// The hot path is one test: `odd` is 0 for a stream that is connected, reading, and owes nothing.
//
// Contract:  driver.hpp; numbers in comments are its sentences.
// See:       docs/internals/uring.md, io_uring_enter(2).

#pragma once

#include "base/assert.hpp"
#include "driver/driver.hpp"
#include "driver/kernel_datagrams.hpp"
#include "driver/source_list.hpp"
#include "driver/system.hpp"
#include "driver/uring/buffers.hpp"
#include "driver/uring/held.hpp"
#include "driver/uring/outbox.hpp"
#include "driver/uring/requests.hpp"
#include "driver/uring/ring.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "os/returns.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace berth::driver {

// The part that does not depend on the sink. The ring is destroyed before what it writes to.
struct UringParts {
    os::OwnedDescriptor event{-1};  // never read: each write makes the poll on it answer
    std::unique_ptr<uring::Buffers> buffers;
    std::unique_ptr<uring::Ring> ring;

    static Outcome<UringParts> open(const uring::Features& allowed = {});
    std::string description() const;  // which of the kernel's features are used
};

template <class Sink>
class UringDriver final : public Driver {
public:
    static Outcome<std::unique_ptr<UringDriver>> open(Sink& sink, System& system,
                                                      const Bounds& bounds,
                                                      const uring::Features& allowed = {}) {
        if (!is_usable(bounds)) return base::failed(EINVAL);
        auto parts = UringParts::open(allowed);
        if (!parts) return base::failed(parts.errno_value());
        return std::unique_ptr<UringDriver>(
            new UringDriver(sink, system, bounds, std::move(*parts)));
    }

    Outcome<void> start_accept(Listener& listener) override;
    void stop_accept(Listener& listener) override;

    Outcome<void> start_receive(Stream& stream) override;
    Outcome<void> connect(Stream& stream, const Endpoint& endpoint) override;
    void pause_receive(Stream& stream) override;
    void resume_receive(Stream& stream) override;

    BERTH_RETURNS_BY_JUMP Sent send(Stream& stream, Bytes bytes) override {
        return send_slices(stream, {&bytes, 1});
    }
    BERTH_RETURNS_BY_JUMP Sent send_slices(Stream& stream, Slices slices) override;
    BERTH_RETURNS_BY_JUMP Sent send_soon(Stream& stream, Bytes bytes) override {
        if (!may_send_soon(stream, bytes.size())) [[unlikely]]
            return send_long(stream, bytes);
        if (!buffers_->contain(bytes)) [[unlikely]]
            return send_copied(stream, bytes);
        return send_letter(stream, bytes);
    }
    Slices settle(Stream& stream) override {
        if (!was_sent_soon(stream)) [[likely]]
            return {};
        return settle_soon(stream);
    }
    void send_when_ready(Stream& stream, const Slices& slices) override;
    void end_sending(Stream& stream) override;
    void close(Stream& stream, Ending ending) override;

    Outcome<void> start_receive_datagrams(DatagramSocket& socket) override;
    void stop_receive_datagrams(DatagramSocket& socket) override;
    void finish_receive_datagrams(DatagramSocket& socket) override;
    BERTH_RETURNS_BY_JUMP Sent send_datagrams(DatagramSocket& socket,
                                              OutgoingDatagrams datagrams) override {
        return datagrams_.send(socket, datagrams);
    }

    Outcome<void> start_watch(Watched& watched) override;
    void stop_watch(Watched& watched) override;

    BERTH_RETURNS_BY_JUMP Outcome<void> poll(Deadline deadline) override;
    bool leaves_more(Stream& stream, std::size_t received) override;
    bool delivered_all() const override { return delivered_all_; }
    bool is_put_off(const Stream& stream) const override {
        return (stream.odd & (kHolding | kPaused)) == kHolding;
    }
    void wake() override { os::raise_eventfd(event_.number()); }

private:
    // Bits of Source::odd. Any of them takes an answer off the hot path.
    enum Odd : std::uint8_t {
        kNotStream = 1,
        kConnecting = 2,
        kPaused = 4,     // pause_receive
        kEnded = 8,      // receiving is over: FIN or error reported
        kHolding = 16,   // something is in held_
        kQueued = 32,    // linked in ready_
        kFinished = 64,  // closed or stopped; only the last completion is missing
        // A socket of datagrams: neither a stream nor a listener.
        kDatagrams = kNotStream | kConnecting,
        // Watched: not even that.
        kWatched = kNotStream | kPaused,
    };
    // Bits of Source::state. The first two: what the kernel has yet to answer for the last time.
    enum State : std::uint8_t {
        kReceiving = 1,  // a listener: the next client
        kPolling = 2,
        kCancelled = 4,   // the receive; its last answer is on its way
        kSending = 8,     // a send_when_ready is in flight
        kBlocked = 16,    // the socket's buffer is full; the poll will tell of room
        kTold = 32,       // an error was reported
        kFinishing = 64,  // datagrams: what the kernel has is still delivered
        kOnce = 128,      // each receive is asked for by itself
    };
    static constexpr std::uint8_t kAsked = kReceiving | kPolling;
    // What the kernel runs in one call, since Linux 6.13: where so many came, more may be ready.
    static constexpr std::size_t kBatch = 20;
    // So much of a stream in one poll says that it is a long one.
    static constexpr std::size_t kLong = 64U << 10U;

    UringDriver(Sink& sink, System& system, const Bounds& bounds, UringParts parts)
        : sink_(sink),
          system_(system),
          bounds_(bounds),
          piece_max_(std::min(bounds.receive_bytes, bounds.read_budget)),
          budget_(static_cast<std::uint32_t>(std::min<std::size_t>(
              bounds.read_budget, std::numeric_limits<std::uint32_t>::max() / 2))),
          datagrams_(bounds),
          event_(std::move(parts.event)),
          buffers_(std::move(parts.buffers)),
          ring_(std::move(parts.ring)) {}

    static Stream& as_stream(Source& source) { return static_cast<Stream&>(source); }
    static Listener& as_listener(Source& source) { return static_cast<Listener&>(source); }
    static DatagramSocket& as_datagrams(Source& source) {
        return static_cast<DatagramSocket&>(source);
    }
    static bool is_datagrams(const Source& source) {
        return (source.odd & kDatagrams) == kDatagrams;
    }
    static Watched& as_watched(Source& source) { return static_cast<Watched&>(source); }
    static bool is_watched(const Source& source) { return (source.odd & kWatched) == kWatched; }
    static bool is_finished(const Source& source) { return (source.odd & kFinished) != 0; }
    static void clear(std::uint8_t& bits, std::uint8_t which) {
        bits = static_cast<std::uint8_t>(bits & ~which);
    }

    // ── Answers ──────────────────────────────────────────────────────────────────────────────
    void deliver(const io_uring_cqe& answer) {
        constexpr std::uint32_t kUsual = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
        if (uring::asked(answer.user_data) == uring::Asked::receive &&
            (answer.flags & kUsual) == kUsual) [[likely]] {
            receive(as_stream(uring::source_of(answer.user_data)), answer);
        } else {
            deliver_odd(answer);
        }
    }

    void receive(Stream& stream, const io_uring_cqe& answer) {
        const std::uint32_t flags = answer.flags;
        const Bytes bytes = buffers_->take(answer);
        if (stream.odd == 0 && bytes.size() <= piece_max_ && stream.heard_in != poll_) [[likely]] {
            stream.heard_in = poll_;
            stream.heard = static_cast<std::uint32_t>(bytes.size());
            sink_.on_received(stream, bytes);
        } else {
            receive_bounded(stream, bytes);
        }
        if ((flags & uring::kBufferGoesOn) == 0) [[unlikely]]
            give_back(flags);
    }

    // A letter may be sent from there.
    [[gnu::noinline]] void give_back(std::uint32_t flags) {
        return outbox_.is_empty() ? buffers_->give_back(flags) : buffers_->give_back_later(flags);
    }

    // How much it had in this poll. Polls have numbers, so that nobody resets the counts; a number
    // that is met again after 65,536 polls makes it wait for the next one.
    std::uint32_t count_of(const Stream& stream) const {
        return stream.heard_in == poll_ ? stream.heard : 0;
    }
    void count_in(Stream& stream, std::size_t size) {
        stream.heard = count_of(stream) + static_cast<std::uint32_t>(size);
        stream.heard_in = poll_;
    }

    // ── Sent soon ────────────────────────────────────────────────────────────────────────────
    bool was_sent_in_this_poll(const Stream& stream) const { return stream.sent_in == poll_; }
    // May the kernel still have to answer? What an earlier poll than the last sent was settled.
    bool was_sent_soon(const Stream& stream) const {
        return static_cast<std::uint16_t>(poll_ - stream.sent_in) <= 1;
    }
    void mark_settled(Stream& stream) const {
        stream.sent_in = static_cast<std::uint16_t>(poll_ - 2);
    }
    bool may_send_soon(const Stream& stream, std::size_t size) {
        return size - 1 < kSoonMax && !was_sent_in_this_poll(stream) && !ring_->is_full() &&
               outbox_.current().takes_letters();
    }
    Sent send_letter(Stream& stream, Bytes bytes) {
        const std::uint32_t entry = ring_->tail();
        uring::ask_send(ring_->next_used(), stream, bytes, outbox_.current_send());
        outbox_.current().add(stream, bytes, entry);
        stream.sent_in = poll_;
        return Sent::done(bytes.size());
    }
    [[gnu::noinline]] Sent send_copied(Stream& stream, Bytes bytes) {
        if (!outbox_.current().has_room(bytes.size())) return send(stream, bytes);
        std::byte* const copy = outbox_.current().place(bytes.size());
        std::memcpy(copy, bytes.data(), bytes.size());
        return send_letter(stream, {copy, bytes.size()});
    }
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] Sent send_long(Stream& stream, Bytes bytes);
    bool lengthen_letter(const Stream& stream, Bytes bytes);
    bool has_arrived(Stream& stream);
    Slices settle_soon(Stream& stream);
    Slices take_refused(Stream& stream, const io_uring_cqe& answer);
    io_uring_cqe* refusal_of(const Stream& stream);
    BERTH_RETURNS_BY_JUMP void submit_letters();
    void withdraw_refused();
    void withdraw(uring::Letter& letter);
    void forget_letters(Stream& stream, Ending ending);
    void deliver_unsent(Stream& stream, const io_uring_cqe& answer);
    void deliver_unsent_left();

    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void deliver_odd(const io_uring_cqe& answer);
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void receive_bounded(Stream& stream, Bytes bytes);
    BERTH_RETURNS_BY_JUMP void deliver_received(Stream& stream, const io_uring_cqe& answer);
    void deliver_end(Stream& stream, int errno_value);
    bool leaves_rest(const Stream& stream, const io_uring_cqe& answer) const;
    void hold(Stream& stream);
    void deliver_held(Stream& stream);
    void deliver_polled(Stream& stream, const io_uring_cqe& answer);
    void deliver_late_error(Stream& stream);
    void deliver_connected(Stream& stream, int errno_value);
    BERTH_RETURNS_BY_JUMP void attempt_send(Stream& stream);
    BERTH_RETURNS_BY_JUMP void deliver_acceptable(Listener& listener, const io_uring_cqe& answer);
    BERTH_RETURNS_BY_JUMP void deliver_acceptable(DatagramSocket& socket,
                                                  const io_uring_cqe& answer);
    BERTH_RETURNS_BY_JUMP void deliver_datagrams(DatagramSocket& socket);
    void deliver_ready(Watched& watched, const io_uring_cqe& answer);
    BERTH_RETURNS_BY_JUMP void deliver_accepted(Listener& listener, const io_uring_cqe& answer);
    void deliver_last_accepted(Listener& listener, const io_uring_cqe& answer);
    BERTH_RETURNS_BY_JUMP void accept(Listener& listener, std::size_t before);
    BERTH_RETURNS_BY_JUMP bool accept_one(Listener& listener);
    bool accept_failed(Listener& listener, int errno_value);

    // ── Requests ─────────────────────────────────────────────────────────────────────────────
    io_uring_sqe& next_entry() {
        if (ring_->is_full()) [[unlikely]]
            submit_letters();
        return ring_->next();
    }
    void ask_to_receive(Stream& stream);
    void receive_if_wanted(Stream& stream);
    void stop_receiving(Stream& stream);
    void ask_for_client(Listener& listener);
    void ask_to_poll(Source& source, std::uint16_t events);
    void watch(Stream& stream);
    void ask_to_wake();
    void cancel(const Source& source, uring::Asked what);
    Sent sent_short(Stream& stream, long count);

    // ── Polling ──────────────────────────────────────────────────────────────────────────────
    void make_ready(Source& source);
    void finish(Source& source);
    void answered(Source& source, State which);
    void end(Source& source);
    BERTH_RETURNS_BY_JUMP void submit();
    [[gnu::cold]] void give_up_unread();
    BERTH_RETURNS_BY_JUMP Outcome<void> enter(Duration timeout);
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] Outcome<void> enter_until(Deadline deadline);
    BERTH_RETURNS_BY_JUMP void deliver_answers(std::size_t count);
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void deliver_rest(std::size_t delivered);
    void deliver_retried();
    void finish_retried(Source& source);
    void collect_finished();
    void deliver_finished();
    BERTH_RETURNS_BY_JUMP bool deliver_last_answers();
    BERTH_RETURNS_BY_JUMP bool submit_closes();

    Sink& sink_;
    System& system_;
    Bounds bounds_;
    std::size_t piece_max_;  // lent at once
    std::uint32_t budget_;
    KernelDatagrams datagrams_;
    os::OwnedDescriptor event_;
    std::unique_ptr<uring::Buffers> buffers_;
    std::unique_ptr<uring::Ring> ring_;  // destroyed before the two above
    uring::HeldByStream held_;
    uring::Outbox outbox_;
    std::array<Bytes, 2> refused_;  // lent by settle and on_unsent
    bool has_withdrawn_ = false;    // a letter of this poll's batch
    SourceList ready_;              // to be tried again, in the next poll
    SourceList retried_;            // being tried again, in this one
    SourceList closing_;            // whose close is queued
    SourceList finished_;           // whose last completion is due in this one
    std::size_t ending_ = 0;        // finished sources with answers still to come
    std::uint16_t poll_ = 0;
    std::size_t answers_left_ = 0;     // of events_max, in this poll
    const Stream* more_of_ = nullptr;  // the kernel has it, and no request that would take it
    bool finished_while_queued_ = false;
    bool is_past_wait_ = false;  // a wake that is heard from here on concerns the next wait (9)
    bool is_woken_ = false;      // such a one was
    bool is_wake_asked_ = false;
    bool has_asked_again_ = false;  // a receive, in this poll: what it finds comes with the next
    bool delivered_all_ = false;
    // Something but answers is to be looked at: what is ready, finished, ending; a wake.
    bool has_rest_ = true;
};

}  // namespace berth::driver

#include "driver/uring/uring_accepting_impl.hpp"
#include "driver/uring/uring_datagrams_impl.hpp"
#include "driver/uring/uring_polling_impl.hpp"
#include "driver/uring/uring_sending_impl.hpp"
#include "driver/uring/uring_streams_impl.hpp"
#include "driver/uring/uring_watch_impl.hpp"
