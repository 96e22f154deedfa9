// SPDX-License-Identifier: MIT
//
// LoadLoop: the part of a load that one event loop carries.
//
// Connects its share of the connections, a bounded number of attempts at a time; keeps them
// asking; counts how each of them ended.
//
// Lifetime:  one run of the engine.
// Threads:   its loop's, but for the gauges, which the progress line reads.

#pragma once

#include "conversation.hpp"
#include "load_result.hpp"
#include "pattern.hpp"

#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/handler.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace berth::app {

// What all loops of a load share.
struct LoadPlan {
    const LoadSettings& settings;
    const Pattern& pattern;
    // Attempts of the ramp that are still open; requests begin on all loops once it is over.
    std::atomic<std::size_t> unsettled = 0;
    std::atomic<std::uint64_t> next_ordinal = 0;
    // Connections that are neither over nor will be replaced; at 0 nothing is left to do.
    std::atomic<std::size_t> going_on = 0;
};

class LoadLoop {
public:
    LoadLoop(LoadPlan& plan, std::size_t connections);

    void start(EventLoop& loop);
    // When the ramp was over and requests began.
    std::optional<Instant> began_at() const { return began_at_; }
    // When the warm-up was over, too.
    std::optional<Instant> counted_from() const { return counted_from_; }
    // Retries, ramp and schedule; how soon to come again.
    Duration tick();

    void opened(Connection& peer);
    void connect_failed(const Error& error);
    void received(Connection& peer);
    void peer_ended(Connection& peer);
    void drain(Connection& peer);
    void closed(Connection& peer, CloseReason reason);

    // After the run: connections that were never made timed out, unless somebody interrupted.
    Tally final_tally(bool is_interrupted) const;
    // Any thread; the warm-up is in it.
    std::uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }
    std::size_t open() const { return open_.load(std::memory_order_relaxed); }

private:
    struct Session {
        Conversation talk;
        std::optional<Ending> ending;  // once it is known
        bool is_waiting = false;       // in line for the next request that is due
        bool said_goodbye = false;     // having asked all that it was to ask
    };

    Instant now() const;
    bool is_stopping() const;
    void connect_more();
    void lose_attempt(const Error& error);
    void settle_attempt();
    void begin_asking();
    void begin_counting();
    bool may_ask(const Session& session) const;
    bool is_through(const Session& session) const;
    void end_connection(Ending ending, Duration replace_after);
    void ask_or_drain(Connection& peer, Session& session);
    bool ask(Connection& peer, Session& session, Instant intended);
    void wait_in_line(Connection& peer, Session& session);
    void send_what_is_due();
    void set_open(std::size_t count) { open_.store(count, std::memory_order_relaxed); }

    LoadPlan& plan_;
    EventLoop* loop_ = nullptr;
    Tally tally_;

    Instant started_at_{};
    std::optional<Instant> began_at_;
    std::optional<Instant> counted_from_;
    std::size_t to_settle_;  // of the ramp
    std::size_t to_connect_;
    std::size_t attempts_ = 0;  // connecting now
    bool backlog_is_full_ = false;
    std::deque<Instant> replace_at_;  // when a lost connection is to be replaced; in order

    // Open loop.
    Duration interval_{0};  // 0: closed loop
    std::optional<Instant> next_due_;
    std::deque<ConnectionId> in_line_;
    std::optional<Instant> stopped_at_;

    std::atomic<std::uint64_t> answered_ = 0;
    std::atomic<std::size_t> open_ = 0;
};

}  // namespace berth::app
