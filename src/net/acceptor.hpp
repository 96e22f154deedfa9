// SPDX-License-Identifier: MIT
//
// Acceptor: one listening socket on one loop.
//
// Nothing that accept(2) can fail with ends it. When descriptors or memory run out, or the
// connection limit is reached, it stops accepting for a while and leaves the clients where they
// are, in the kernel's backlog; it tries again when one of the loop's connections goes, and at
// most kPauseMax later in any case, because another loop or process may have made room.
//
// Lifetime:  from start() to closed() the driver may hold it: it does not move.
// Threads:   the loop's.
// See:       accept(2), "Error handling"; docs/internals/accept.md.

#pragma once

#include "loop/events.hpp"
#include "loop/loop.hpp"
#include "net/connection_limit.hpp"
#include "net/loop_counters.hpp"

#include <chrono>
#include <cstddef>

namespace berth::net {

// Where accepted connections go.
class Placement {
public:
    virtual void place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) = 0;
    virtual void listener_closed() = 0;

protected:
    ~Placement() = default;
};

// What the acceptors of a loop share.
struct AcceptorSetup {
    loop::Loop& loop;
    LoopCounters& counters;
    ConnectionLimit& limit;
    Placement& placement;
};

class Acceptor final : public loop::ListenerEvents, private loop::Timer {
public:
    static constexpr Duration kPauseMin = std::chrono::milliseconds{5};
    static constexpr Duration kPauseMax = std::chrono::milliseconds{50};

    Acceptor(const AcceptorSetup& setup, driver::Descriptor socket, std::size_t listener);
    ~Acceptor();

    void start();
    // Room may have been made.
    void try_again();
    // Stops accepting, empties the kernel's queue into the engine, closes the socket; then
    // Placement::listener_closed.
    void close();
    bool is_closed() const { return state_ == State::closed; }

    void on_accepted(driver::Descriptor accepted, const IpEndpoint& peer) override;
    void on_accept_error(int errno_value) override;
    void on_accept_end(int errno_value) override;

private:
    enum class State : std::uint8_t {
        idle,  // not armed
        accepting,
        pausing,  // disarming, to wait
        paused,   // disarmed, the timer runs
        closing,  // disarming, to close
        closed,
    };
    void pause();
    void empty_queue();
    void finish_closing();
    static void fire(loop::Timer& timer);

    loop::Loop& loop_;
    LoopCounters& counters_;
    ConnectionLimit& limit_;
    Placement& placement_;
    std::size_t listener_;
    Duration pause_ = kPauseMin;
    State state_ = State::idle;
};

}  // namespace berth::net
