// SPDX-License-Identifier: MIT
//
// House: an engine of the world with its handler, its starts and its stops.
//
// Knows what must be true around them: a failed start leaves nothing behind, a stop keeps its
// deadline, a report tells the truth.
//
// Lifetime:  the world's.

#pragma once

#include "sim/calls.hpp"
#include "sim/findings.hpp"
#include "sim/handler.hpp"
#include "sim/schedule.hpp"
#include "sim/stepped_engine.hpp"

#include <berth/logger.hpp>
#include <berth/report.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace berth::simulation {

// The engines' messages, as lines of the trace.
class TraceLogger final : public Logger {
public:
    TraceLogger(const Findings& findings, const driver::sim::Kernel& kernel)
        : findings_(findings), kernel_(kernel) {}
    void log(LogLevel, std::string_view message) override;

private:
    const Findings& findings_;
    const driver::sim::Kernel& kernel_;
};

class House {
public:
    House(driver::sim::Kernel& kernel, const Handler::World& world, const EnginePlan& plan,
          std::size_t number, Logger& logger);

    // Who else listens on one of its addresses; perhaps: an engine that is stopping.
    enum class Holder : std::uint8_t { nobody, perhaps, other };
    void start(const StartEngine& plan, Holder holder);
    void step(std::size_t actor);

    SteppedEngine& engine() { return engine_; }
    const SteppedEngine& engine() const { return engine_; }
    Handler& handler() { return handler_; }
    const Handler& handler() const { return handler_; }
    const EnginePlan& plan() const { return plan_; }
    std::size_t number() const { return number_; }
    // The number of its run; 0 while it does not listen.
    std::size_t run() const { return engine_.is_running() && !engine_.is_stopping() ? starts_ : 0; }
    void limit(std::optional<std::size_t> room);
    void close_listener(std::size_t index, Deadline deadline);
    // When those must be closed that were told to; the past if they are.
    Instant listeners_due() const;
    void check_listeners_closed();
    // In that run: was every queue of the address emptied, with nothing to excuse a reset?
    bool was_emptied(std::size_t address, std::size_t run) const;
    // When the world is over: is what the peers miss what the last report says?
    void check_bytes();
    // No more connections, or no descriptors for them?
    bool is_full() const;
    // May it be that somebody is accepted only to be told to go?
    bool sends_away() const;
    Holder holds(const std::string& address) const;
    // Who tells which others hold an address.
    void ask_for_holders(UniqueFunction<Holder(const std::string&)> ask) { ask_ = std::move(ask); }
    // Everybody sleeps: is there a connection that has been idle for too long? May one come?
    void fell_asleep();
    // Can an address of the same text be bound by a stranger?
    bool is_free(const std::string& address);

private:
    void check_failed_start(const Error& error, Holder holder);
    void check_idle();
    void check_stopped();
    void check_report(const StopReport& report);
    void check_outcome(const StopReport& report);
    void check_listeners(const StopReport& report);
    void check_counts(const StopReport& report);
    void check_asked(const StopReport& report);
    void remember_emptied(const StopReport& report);
    void violated(const char* name, const std::string& facts);

    driver::sim::Kernel& kernel_;
    Handler::World world_;
    const EnginePlan& plan_;
    std::size_t number_;
    Handler handler_;
    SteppedEngine engine_;
    std::size_t starts_ = 0;
    std::size_t descriptors_ = 0;           // open before the start
    std::vector<std::string> free_before_;  // addresses that were, before the start
    Tally at_stop_;                         // what had been shown when the stop began
    Deadline deadline_;                     // of the stop, as known
    Deadline over_by_;                      // when it must have stopped
    Deadline closed_by_;                    // of listeners that are closed alone
    std::size_t closings_ = 0;
    bool is_limited_ = false;
    bool was_limited_ = false;                               // in this run
    std::set<std::pair<std::size_t, std::size_t>> emptied_;  // run, address
    std::optional<StopReport::Bytes> bytes_;                 // of the last report
    UniqueFunction<Holder(const std::string&)> ask_;
};

}  // namespace berth::simulation
