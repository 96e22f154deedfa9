// SPDX-License-Identifier: MIT
//
// Acceptor: one listening socket on one loop.
//
// Nothing that accept(2) can fail with ends it. When descriptors or memory run out, or the
// connection limit is reached, it stops accepting for a while and leaves the clients where they
// are, in the kernel's backlog; it tries again when one of the loop's connections goes, and at
// most kPauseMax later in any case, because another loop or process may have made room. Nor does
// it close over the heads of clients that cannot be accepted yet.
//
// Lifetime:  from start() to closed() the driver may hold it: it does not move.
// Threads:   the loop's.
// See:       accept(2), "Error handling"; docs/internals/accept.md.

#pragma once

#include "loop/events.hpp"
#include "loop/loop.hpp"
#include "net/connection_limit.hpp"
#include "net/entrance.hpp"
#include "net/loop_counters.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::net {

class Acceptor;

// Where accepted connections go.
class Placement {
public:
    virtual void place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) = 0;
    // It is suspended now, or resumed, or closed.
    virtual void listener_changed(const Acceptor& acceptor) = 0;

protected:
    ~Placement() = default;
};

// How a listening socket ends.
enum class ListenerEnd : std::uint8_t {
    ours,         // emptied, shut down for every copy of it, closed
    forced,       // the same, without waiting for who cannot be accepted now
    handed_over,  // closed, and nothing else: the queue is another's
};

// What the acceptors of a loop share.
struct AcceptorSetup {
    loop::Loop& loop;
    LoopCounters& counters;
    ConnectionLimit& limit;
    Placement& placement;
    const Entrance* entrance;  // of the address of the acceptor to be made
};

class Acceptor final : public loop::ListenerEvents, private loop::Timer {
public:
    static constexpr Duration kPauseMin = std::chrono::milliseconds{5};
    static constexpr Duration kPauseMax = std::chrono::milliseconds{50};

    Acceptor(const AcceptorSetup& setup, driver::Descriptor socket, std::size_t listener);
    ~Acceptor() override;

    void start();
    // Room may have been made.
    void try_again();
    // Stops accepting and keeps the socket: who connects waits in the backlog. Then
    // Placement::listener_changed.
    void suspend();
    void resume();
    bool is_suspended() const { return state_ == State::suspended; }
    // Stops accepting, empties the kernel's queue into the engine, closes the socket; then
    // Placement::listener_changed. For want of descriptors that may last until connections go,
    // or until it is called again with `forced`. A queue that is another's, too, is handed over
    // in any case.
    void close(ListenerEnd end);
    std::size_t listener() const { return listener_; }
    bool is_closed() const { return state_ == State::closed; }
    bool is_quiet() const { return is_closed(); }  // nobody begins anything here any more

    void on_accepted(driver::Descriptor accepted, const IpEndpoint& peer) override;
    void on_accept_error(int errno_value) override;
    void on_accept_end(int errno_value) override;

private:
    enum class State : std::uint8_t {
        idle,  // not armed
        accepting,
        pausing,     // disarming, to wait
        paused,      // disarmed, the timer runs
        suspending,  // disarming, to stay
        suspended,
        closing,   // disarming, to close
        emptying,  // disarmed, the timer runs: somebody in the queue cannot be accepted yet
        closed,
    };
    void pause();
    void retry_later();
    void admit(driver::Descriptor accepted, const IpEndpoint& peer);
    bool empty_queue();
    bool is_handed_over() const;
    void insist(ListenerEnd end);
    void finish_suspending();
    void finish_closing();
    void end();
    static void fire(loop::Timer& timer);

    loop::Loop& loop_;
    LoopCounters& counters_;
    ConnectionLimit& limit_;
    Placement& placement_;
    const Entrance* entrance_;
    std::size_t listener_;
    Duration pause_ = kPauseMin;
    State state_ = State::idle;
    ListenerEnd end_ = ListenerEnd::ours;
};

}  // namespace berth::net
