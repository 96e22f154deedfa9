// SPDX-License-Identifier: MIT
//
// EpollDriver: the seam over epoll(7).
//
// Every stream is registered once, edge-triggered, for input and output together; epoll_ctl is
// never called again until it closes. One receive buffer serves all streams. A short read ends a
// turn: the next byte makes a new edge. What epoll lacks of io_uring's model (an accept that
// ends, a send that waits, a close that completes) is emulated here and nowhere else.
//
// The hot path is one test: `odd` is 0 for a stream that is connected, reading, and owes nothing
// to its socket. Everything else goes to functions kept out of line, because inlining them cost
// 70 instructions per message.
//
// Contract:  driver.hpp; numbers in comments are its sentences.
// See:       epoll(7), especially "Possible pitfalls"; docs/decisions/0002-completion-seam.md.

#pragma once

#include "base/assert.hpp"
#include "driver/driver.hpp"
#include "driver/kernel_datagrams.hpp"
#include "driver/source_list.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/returns.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace berth::driver {

// The part that does not depend on the sink: the descriptors and the waiting.
class EpollSet {
public:
    static Outcome<EpollSet> open(Source& wake_source);
    EpollSet(EpollSet&& other) noexcept;
    EpollSet& operator=(EpollSet&&) = delete;
    ~EpollSet();

    Outcome<void> add(Source& source, std::uint32_t events) const;
    void remove(const Source& source) const;
    // The number of events, or a negative errno. `deadline` 0: do not wait.
    long wait(std::span<epoll_event> events, Deadline deadline, System& system) const {
        if (deadline.is_never()) [[likely]]
            return os::wait_events(epoll_, events, kNever);
        return wait_until(events, deadline, system);
    }
    void wake() const;

private:
    BERTH_RETURNS_BY_JUMP long wait_until(std::span<epoll_event> events, Deadline deadline,
                                          System& system) const;

    EpollSet(int epoll, int event) : epoll_(epoll), event_(event) {}
    int epoll_;
    int event_;  // never read: each write is a new edge
};

template <class Sink>
class EpollDriver final : public Driver {
public:
    static Outcome<std::unique_ptr<EpollDriver>> open(Sink& sink, System& system,
                                                      const Bounds& bounds) {
        if (!is_usable(bounds)) return base::failed(EINVAL);
        auto driver = std::unique_ptr<EpollDriver>(new EpollDriver(sink, system, bounds));
        auto set = EpollSet::open(driver->wake_source_);
        if (!set) return base::failed(set.errno_value());
        driver->set_ = std::make_unique<EpollSet>(std::move(*set));
        return driver;
    }

    Outcome<void> start_accept(Listener& listener) override;
    void stop_accept(Listener& listener) override;

    Outcome<void> start_receive(Stream& stream) override;
    Outcome<void> connect(Stream& stream, const Endpoint& endpoint) override;
    void pause_receive(Stream& stream) override { stream.odd |= kPaused; }
    void resume_receive(Stream& stream) override;

    BERTH_RETURNS_BY_JUMP Sent send(Stream& stream, Bytes bytes) override {
        return send_now(stream, bytes);
    }
    BERTH_RETURNS_BY_JUMP Sent send_soon(Stream& stream, Bytes bytes) override {
        return send_now(stream, bytes);
    }
    Slices settle(Stream&) override { return {}; }
    BERTH_RETURNS_BY_JUMP Sent send_slices(Stream& stream, Slices slices) override;
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
    // A full buffer says so; and nothing is read but for the sink at once.
    bool leaves_more(Stream&, std::size_t received) override { return received == receive_.size(); }
    bool delivered_all() const override { return delivered_ < events_.size(); }
    bool is_put_off(const Stream& stream) const override {
        return (stream.odd & kQueued) != 0 && (stream.state & kReadable) != 0;
    }
    void wake() override { set_->wake(); }

private:
    // Bits of Source::odd. Any of them takes the event off the hot path.
    enum Odd : std::uint8_t {
        kNotStream = 1,  // a listener, or the wake-up descriptor
        kConnecting = 2,
        kPaused = 4,      // pause_receive
        kEnded = 8,       // receiving is over: FIN or error reported
        kSending = 16,    // a send_when_ready is in flight
        kBlocked = 32,    // the socket's buffer is full; an edge will come
        kQueued = 64,     // linked in ready_
        kFinished = 128,  // closed or stopped; only the last completion is missing
        // A socket of datagrams: neither a stream nor a listener.
        kDatagrams = kNotStream | kConnecting,
        // Watched: not even that.
        kWatched = kNotStream | kPaused,
    };
    // Bits of Source::state.
    enum State : std::uint8_t {
        kRegistered = 1,
        kReadable = 2,  // there may be input for which no edge will come
        kFailed = 4,    // connect failed at once, with Source::error
        kTold = 8,      // an error was reported
        kErred = 16,    // an edge told of one: where a FIN is read first, it is still to come
    };
    static constexpr std::uint32_t kStreamEvents =
        EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    static constexpr std::uint32_t kReadToTheEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

    EpollDriver(Sink& sink, System& system, const Bounds& bounds)
        : sink_(sink),
          system_(system),
          bounds_(bounds),
          storage_(std::min(bounds.receive_bytes, bounds.read_budget)),
          receive_(storage_),
          event_storage_(bounds.events_max),
          events_(event_storage_),
          datagrams_(bounds) {
        wake_source_.odd = kNotStream | kFinished;
    }

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

    void deliver(const epoll_event& event) {
        auto& source = *static_cast<Source*>(event.data.ptr);
        const auto unlike_input = (event.events & (EPOLLIN | kReadToTheEnd)) ^ EPOLLIN;
        if ((unlike_input | source.odd) == 0) [[likely]] {
            receive(as_stream(source));
        } else {
            deliver_odd(source, event.events);
        }
    }

    [[gnu::always_inline]] Sent send_now(Stream& stream, Bytes bytes) {
        const long count = os::send_bytes(number(stream.descriptor), bytes.data(), bytes.size());
        if (count != static_cast<long>(bytes.size())) [[unlikely]]
            return sent_short(stream, count);
        return Sent::done(static_cast<std::size_t>(count));
    }

    // One read. A short one means that the socket is empty (epoll(7)).
    void receive(Stream& stream) {
        std::byte* const data = receive_.data();
        const long count = os::recv_bytes(number(stream.descriptor), data, receive_.size());
        if (count <= 0) [[unlikely]]
            return receive_nothing(stream, count);
        sink_.on_received(stream, Bytes(data, static_cast<std::size_t>(count)));
        if (count == static_cast<long>(receive_.size())) [[unlikely]] {
            receive_more(stream, static_cast<std::size_t>(count), false);
        }
    }

    [[gnu::noinline]] void receive_nothing(Stream& stream, long count);
    void receive_late_error(Stream& stream);
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void receive_more(Stream& stream, std::size_t already,
                                                              bool to_the_end);
    BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void deliver_odd(Source& source, std::uint32_t events);
    [[gnu::noinline]] Sent sent_short(Stream& stream, long count);
    BERTH_RETURNS_BY_JUMP void deliver_stream(Stream& stream, std::uint32_t events);
    void deliver_connected(Stream& stream);
    BERTH_RETURNS_BY_JUMP void accept(Listener& listener);
    BERTH_RETURNS_BY_JUMP void deliver_datagrams(DatagramSocket& socket);
    void deliver_ready(Watched& watched, std::uint32_t events);
    bool accept_failed(Listener& listener, int errno_value);
    void unregister(Source& source);
    BERTH_RETURNS_BY_JUMP void attempt_send(Stream& stream);
    void make_ready(Source& source);
    void finish(Source& source);
    [[gnu::noinline]] void deliver_rest();
    void deliver_retried();
    void collect_finished();
    void deliver_finished();

    Sink& sink_;
    System& system_;
    Bounds bounds_;
    std::unique_ptr<EpollSet> set_;
    Source wake_source_;
    std::vector<std::byte> storage_;
    std::span<std::byte> receive_;  // storage_; a vector would tell its size by a subtraction
    std::vector<epoll_event> event_storage_;
    std::span<epoll_event> events_;  // and this one's by a division
    SourceList ready_;               // to be tried again, in the next poll
    SourceList retried_;             // being tried again, in this one
    SourceList finished_;            // whose last completion is due in this one
    bool has_rest_ = false;          // one of these lists has something: one test for all
    bool finished_while_queued_ = false;
    std::size_t delivered_ = 0;  // events of the last poll
    KernelDatagrams datagrams_;
};

}  // namespace berth::driver

#include "driver/epoll/epoll_datagrams_impl.hpp"
#include "driver/epoll/epoll_driver_impl.hpp"
#include "driver/epoll/epoll_watch_impl.hpp"
