// SPDX-License-Identifier: MIT
//
// Alarms: timers that a handler arms on its loops and for its connections, and what they promise.
//
// One never runs early, nor after it was cancelled or its connection closed; it runs in time, as
// often as it should, and a stop counts those that are left. Time is the kernel's, so that all of
// it is exact.
//
// Lifetime:  that of its Handler; records are of one run.

#pragma once

#include "sim/calls.hpp"
#include "sim/chance.hpp"
#include "sim/findings.hpp"

#include <berth/connection.hpp>
#include <berth/event_loop.hpp>
#include <berth/timer_id.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace berth::simulation {

class Alarms {
public:
    Alarms(Findings& findings, Inside& inside, std::uint64_t seed, std::size_t engine);

    void begin_run() {
        alarms_.clear();
        dropped_ = 0;
    }
    void loop_started(EventLoop& loop);
    void opened(Connection& peer);
    void closed(ConnectionId id);
    void loop_stopped(EventLoop& loop);
    // Nobody has anything to do at `now`.
    void fell_asleep(Instant now) const;
    void check_dropped(std::uint64_t dropped) const;

private:
    struct Alarm {
        TimerId id;
        ConnectionId connection;
        std::size_t loop = 0;
        Instant from;
        Duration delay{};
        bool is_periodic = false;
        std::size_t runs = 0;
        std::size_t runs_max = 1;
        std::int64_t beat = 0;  // of the last run
        bool is_over = false;   // ran, cancelled, gone with its connection
    };

    Alarm& plan(Instant from, std::size_t loop);
    template <class Scope>
    void arm(Scope& scope, Alarm& alarm);
    void post(EventLoop& loop);
    void cancel_another(EventLoop& loop, const Alarm& running);
    void ran(EventLoop& loop, Alarm& alarm);
    void check(EventLoop& loop, const Alarm& alarm) const;
    void violated(const char* name, const Alarm& alarm, const char* facts) const;

    Findings& findings_;
    Inside& inside_;
    Chance chance_;
    std::size_t engine_;
    std::deque<Alarm> alarms_;
    std::uint64_t dropped_ = 0;
};

}  // namespace berth::simulation
