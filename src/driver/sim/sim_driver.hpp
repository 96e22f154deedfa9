// SPDX-License-Identifier: MIT
//
// SimDriver: the seam over a simulated kernel.
//
// It uses all the freedom that the contract leaves: completions come in any order between
// sources, late, in pieces, and cut short by bounds, as the seed decides. Streams are closed in
// the next poll, not inside close(); connections that are there when accepting is stopped may
// still come.
//
// A poll that has nothing to deliver lets the kernel's time pass, to the next event or to its
// deadline. Where several loops share a world, nobody may wait for all: there the world asks
// is_ready() and polls only who is, with a deadline in the past.
//
// Contract:  driver.hpp; numbers in comments are its sentences.

#pragma once

#include "base/assert.hpp"
#include "driver/driver.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/operations.hpp"
#include "driver/sim/process.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

namespace berth::driver::sim {

// What a world of several loops sees of each driver.
class SimPoller : public Driver {
public:
    // Would a poll deliver anything now, or was it woken?
    virtual bool is_ready() const = 0;
};

template <class Sink>
class SimDriver final : public SimPoller {
public:
    // Takes one descriptor, as a ring or an epoll instance does.
    static Outcome<std::unique_ptr<SimDriver>> open(Sink& sink, Process& process,
                                                    const Bounds& bounds) {
        if (!is_usable(bounds)) return base::failed(EINVAL);
        const auto ring = process.open_nothing();
        if (!ring) return base::failed(ring.errno_value());
        return std::unique_ptr<SimDriver>(new SimDriver(sink, process, bounds, *ring));
    }
    ~SimDriver() override { process_.close(ring_); }

    Outcome<void> start_accept(Listener& listener) override { return start(listener, kAccepting); }
    void stop_accept(Listener& listener) override;

    Outcome<void> start_receive(Stream& stream) override { return start(stream, kReceiving); }
    Outcome<void> connect(Stream& stream, const Endpoint& endpoint) override;
    void pause_receive(Stream& stream) override { set(stream, kPaused); }
    void resume_receive(Stream& stream) override { clear(stream, kPaused); }

    Sent send(Stream& stream, Bytes bytes) override { return send_slices(stream, {&bytes, 1}); }
    Sent send_slices(Stream& stream, Slices slices) override;
    Sent send_soon(Stream& stream, Bytes bytes) override;
    Slices settle(Stream& stream) override;
    void send_when_ready(Stream& stream, const Slices& slices) override;
    void end_sending(Stream& stream) override;
    void close(Stream& stream, Ending ending) override;

    Outcome<void> start_receive_datagrams(DatagramSocket& socket) override {
        return start(socket, kDatagrams);
    }
    void stop_receive_datagrams(DatagramSocket& socket) override;
    void finish_receive_datagrams(DatagramSocket& socket) override;
    Sent send_datagrams(DatagramSocket& socket, OutgoingDatagrams datagrams) override;

    Outcome<void> start_watch(Watched& watched) override;
    void stop_watch(Watched& watched) override { set(watched, kEnding); }

    Outcome<void> poll(Deadline deadline) override;
    bool delivered_all() const override { return operations_.nobody_waits(); }
    bool is_put_off(const Stream& stream) const override {
        return has(stream, kPutOff) && may_receive(stream);
    }
    void wake() override { woken_ = true; }
    bool is_ready() const override { return woken_ || !letters_.empty() || operations_.any_due(); }

private:
    // What was sent soon: to be handed over, or refused and to be told.
    struct Letter {
        Stream* stream;
        std::vector<std::byte> bytes;
        bool is_refused = false;
        bool is_followed = false;
        int errno_value = 0;
    };

    SimDriver(Sink& sink, Process& process, const Bounds& bounds, Descriptor ring)
        : sink_(sink),
          process_(process),
          kernel_(process.kernel()),
          bounds_(bounds),
          operations_(process, bounds.events_max),
          received_(std::min(bounds.receive_bytes, bounds.read_budget)),
          ring_(ring) {}

    static Stream& as_stream(Source& source) { return static_cast<Stream&>(source); }
    static Listener& as_listener(Source& source) { return static_cast<Listener&>(source); }
    static DatagramSocket& as_datagrams(Source& source) {
        return static_cast<DatagramSocket&>(source);
    }

    static Watched& as_watched(Source& source) { return static_cast<Watched&>(source); }

    Outcome<void> start(Source& source, InFlight operation);
    void deliver_ready(Watched& watched);
    void wait(Deadline deadline);
    void give_turn(Source& source);
    void deliver_datagrams(DatagramSocket& socket);
    int take_batch(DatagramSocket& socket);
    void accept(Listener& listener);
    bool accept_failed(Listener& listener, int errno_value);
    void take_turn(Stream& stream);
    void deliver_connected(Stream& stream);
    void receive(Stream& stream);
    void receive_nothing(Stream& stream, int errno_value);
    void receive_late_error(Stream& stream);
    void attempt_send(Stream& stream);
    void complete_ending(Source& source);
    Letter* letter_of(const Stream& stream);
    Sent follow(Letter& letter, Bytes bytes);
    void drop_letter(const Stream& stream);
    void hand_over(Letter& letter);
    void hand_over_all();
    Slices take_refused(Stream& stream);
    void deliver_refused(unsigned chance);

    Sink& sink_;
    Process& process_;
    Kernel& kernel_;
    Bounds bounds_;
    Operations operations_;
    std::vector<std::byte> received_;
    std::vector<std::byte> datagram_bytes_;  // of one batch
    std::vector<ReceivedDatagram> datagrams_;
    std::vector<Letter> letters_;
    std::vector<std::byte> refused_;  // lent by settle and on_unsent
    Bytes refused_slice_;
    Descriptor ring_;
    std::atomic<bool> woken_ = false;
};

}  // namespace berth::driver::sim

#include "driver/sim/sim_datagrams_impl.hpp"
#include "driver/sim/sim_driver_impl.hpp"
#include "driver/sim/sim_sending_impl.hpp"
