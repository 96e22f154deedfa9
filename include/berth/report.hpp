// SPDX-License-Identifier: MIT
//
// StopReport: how a stop went, and exactly what it cost.
//
// Given to EventHandler::on_shutdown and returned by run() and Engine::stop(). to_json() is the
// format of `berth serve --report`; its fields stay, more may follow.
//
// Lifetime:  a value.
// Units:     milliseconds where a name ends in _ms.

#pragma once

#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/handler.hpp>
#include <berth/port.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

enum class StopOutcome : std::uint8_t {
    clean,                  // everyone served to the end
    forced,                 // some connections were reset, or bytes lost, at the deadline
    port_held,              // an address or path of ours is still taken
    stuck,                  // a handler would not return
    cancelled_during_boot,  // stopped before it was ready
    failed,                 // a loop failed
    handed_over,            // the next generation serves on
};

BERTH_EXPORT std::string_view to_string(StopOutcome outcome);

// How one listener ended.
struct BERTH_EXPORT ListenerReport {
    Endpoint endpoint;
    // syn_filter, ttl: newcomers were held back, no client was reset. unlinked: a Unix path, taken
    // away first. best_effort: the accept queue was emptied, then closed. emptied: of datagrams,
    // what had arrived was delivered. handed_over: it lives on elsewhere.
    std::string_view quiesce = "best_effort";
    std::uint64_t accepted_after_stop = 0;
    std::uint64_t refused = 0;                // of these, by LateAccept::refuse
    std::uint64_t handshakes_abandoned = 0;   // still in SYN_RECV when it closed
    std::uint64_t datagrams_after_stop = 0;   // received and delivered since the stop began
    bool released = false;                    // a fresh socket could bind it again
    std::string_view listened = "not_tried";  // could it listen, too: or proven
    std::string cause = {};                   // why it is not released
    std::optional<PortDiagnosis> port = {};   // who holds it, if it is not

    // Tried, and not released. What lives on elsewhere is not tried.
    bool is_held() const { return !released && !cause.empty(); }
};

struct BERTH_EXPORT StopReport {
    struct Phase {
        // lame_duck, quiesce, drain, linger, force, reclaim, verify
        std::string_view name;
        Duration start{};  // since the stop was requested
        Duration duration{};
    };
    struct Connections {
        std::uint64_t at_start = 0;
        std::uint64_t opened_during_stop = 0;
        std::array<std::uint64_t, kCloseReasons> closed{};  // since the stop, by CloseReason
        std::uint64_t forced = 0;
    };
    struct Bytes {
        // Over the connections that the stop ended. written = acknowledged + discarded +
        // unconfirmed: known by the peer's kernel, never sent, and sent but not acknowledged
        // when we reset. received_after_fin: requests that came too late.
        std::uint64_t written = 0;
        std::uint64_t acknowledged = 0;
        std::uint64_t discarded = 0;
        std::uint64_t unconfirmed = 0;
        std::uint64_t received_after_fin = 0;
    };
    using Listener = ListenerReport;
    // A connection that the deadline cut off. The list is bounded, Connections::forced is exact.
    struct Forced {
        ConnectionId id;
        Endpoint peer;
        std::string_view state;  // of docs/internals/connection.md
        Duration age{};
        Duration idle{};                      // since the last byte in or out
        std::uint64_t bytes_unsent = 0;       // never left this machine: lost
        std::uint64_t bytes_unconfirmed = 0;  // sent, not acknowledged
        std::uint32_t in_flight = 0;          // InFlight tokens
    };
    static constexpr std::size_t kForcedMax = 64;
    // Connections by state, taken while the stop ran; docs/guides/stopping.md draws them.
    struct Sample {
        Duration at{};  // since the stop was requested
        std::uint64_t serving = 0;
        std::uint64_t flushing = 0;
        std::uint64_t lingering = 0;
    };
    static constexpr std::size_t kSamplesMax = 256;
    struct Tasks {
        std::uint64_t run = 0;  // posts, writes, wakes and closes since the stop was requested
        std::uint64_t cancelled = 0;
        std::uint64_t timers_dropped = 0;  // that waited when the loops ended
    };
    struct StuckLoop {
        std::size_t loop = 0;
        std::string_view callback;  // the handler callback it entered last
        Duration since{};           // since the loop last came round
        std::int64_t thread = 0;    // gettid(2)
    };
    struct Loops {
        std::size_t joined = 0;
        std::vector<StuckLoop> stuck;
    };
    struct Descriptors {
        std::size_t before = 0;  // open in this process when the engine started
        std::size_t after = 0;   // and after it stopped
    };

    StopOutcome outcome = StopOutcome::clean;
    std::string requested_by;  // "api", "handler", "signal 15", "loop failure", "handover"
    Duration deadline{};       // granted
    Duration duration{};       // used
    std::vector<Phase> phases;
    Connections connections;
    Bytes bytes;
    std::vector<Forced> forced;
    std::vector<Sample> samples;
    std::vector<Listener> listeners;
    Tasks tasks;
    Loops loops;
    Descriptors descriptors;
    std::uint64_t handler_exceptions = 0;  // over the whole run
    std::string failure;                   // text of the error, for outcome failed

    // Clean, and every address released.
    bool ok() const;
    // cli.md: 5 stuck, 4 port held, 3 forced or bytes lost, 1 failed, else 0; the highest of
    // 5, 4, 3 that applies.
    int exit_code() const;
    std::string to_string() const;  // one line
    std::string explain() const;    // paragraphs, with what to do about what went wrong
    std::string to_json() const;
};

}  // namespace berth
