// SPDX-License-Identifier: MIT
//
// Kernel: a simulated one: sockets, ports, a wire, a clock, and chance, all from one seed.
//
// It behaves as Linux does on loopback as far as a server can tell: SYN and accept queues, bounded
// buffers, FIN, RST and half-close, a reset for unread data, TIME_WAIT and who may bind over it.
// What it leaves out is listed in docs/internals/testing.md; tests/differential compares the two.
//
// On a calm day (the default weather) everything that a call causes has happened when it returns,
// as on loopback. Otherwise segments travel, each direction of a connection in its order, and
// arrive when the clock gets there; it moves only by advance() and by the calls of a process.
//
// Lifetime:  outlives its processes.
// Threads:   one.
// See:       process.hpp for the calls, tcp(7), unix(7).

#pragma once

#include <berth/clock.hpp>
#include <berth/function.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace berth::driver::sim {

// What chance may do. "one in": 0 is never.
struct Weather {
    Duration travel_max{};       // of a segment on the wire; 0: it arrives inside the call
    Duration call_max{};         // how long a call takes at most
    unsigned lost_datagram = 0;  // one in so many
    unsigned partial_send = 0;   // takes less than fits
    unsigned partial_receive = 0;
    unsigned refused_send = 0;     // EAGAIN, although there is room
    unsigned aborted_accept = 0;   // ECONNABORTED: the client went while it was queued
    unsigned short_of_memory = 0;  // ENOBUFS or ENOMEM of socket, accept and connect
    unsigned late_completion = 0;  // of drivers: delivered by a later poll than it could be
    unsigned cut_short_poll = 0;   // of drivers: as if events_max had been reached
};

class Network;

class Kernel {
public:
    explicit Kernel(std::uint64_t seed, const Weather& weather = {});
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;
    ~Kernel();

    // ── Time ─────────────────────────────────────────────────────────────────────────────────
    Instant now() const { return now_; }
    // When something happens next by itself: a segment arrives, a timer of the kernel fires.
    Instant next_event() const;
    // Lets time pass; what happens until then, happens. The past: what is due now.
    void advance(Instant to);

    // ── Chance ───────────────────────────────────────────────────────────────────────────────
    std::uint64_t random();
    std::uint64_t below(std::uint64_t bound) { return random() % bound; }  // bound > 0
    // True once in so many, by chance; never for 0. A calm event draws no number.
    bool happens(unsigned one_in) { return one_in != 0 && below(one_in) == 0; }
    const Weather& weather() const { return weather_; }
    void change_weather(const Weather& weather) { weather_ = weather; }

    // Called at the beginning of every call of a process: the moment when others may act. Not
    // called from inside itself.
    void on_call(UniqueFunction<void()> others);

    // What new TCP sockets get, as SO_RCVBUF and SO_SNDBUF would set it without the doubling.
    // Small ones fill early.
    void size_tcp_buffers(std::size_t receive, std::size_t send);

    // ── What is there, for invariants ────────────────────────────────────────────────────────
    // Sockets that a descriptor refers to, those the kernel finishes alone (FIN_WAIT, LAST_ACK,
    // unaccepted), and TIME_WAIT rows.
    std::size_t owned_sockets() const;
    std::size_t orphaned_sockets() const;
    std::size_t time_wait_rows() const;

private:
    friend class Process;

    void begin_call();
    // Lets happen what was caused and takes no time.
    void settle();

    Instant now_;
    std::uint64_t chance_;
    Weather weather_;
    UniqueFunction<void()> others_;
    bool others_act_ = false;
    std::unique_ptr<Network> network_;
};

}  // namespace berth::driver::sim
