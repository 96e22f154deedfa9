// SPDX-License-Identifier: MIT
//
// The names of enumerators: the same word in code, report, metric and log.
//
// Switches without a default: the compiler names the enumerator that was forgotten.

#include <berth/engine.hpp>
#include <berth/handler.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/snapshot.hpp>

#include <string_view>

namespace berth {

namespace {

constexpr std::string_view kUnknown = "unknown";  // a value outside its enum

}  // namespace

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_address: return "invalid_address";
        case ErrorCode::invalid_option: return "invalid_option";
        case ErrorCode::unsupported: return "unsupported";
        case ErrorCode::name_not_found: return "name_not_found";
        case ErrorCode::name_unavailable: return "name_unavailable";
        case ErrorCode::address_not_local: return "address_not_local";
        case ErrorCode::address_in_use: return "address_in_use";
        case ErrorCode::permission_denied: return "permission_denied";
        case ErrorCode::path_conflict: return "path_conflict";
        case ErrorCode::descriptor_limit: return "descriptor_limit";
        case ErrorCode::memory_limit: return "memory_limit";
        case ErrorCode::driver_unavailable: return "driver_unavailable";
        case ErrorCode::already_running: return "already_running";
        case ErrorCode::not_running: return "not_running";
        case ErrorCode::would_deadlock: return "would_deadlock";
        case ErrorCode::handler_failed: return "handler_failed";
        case ErrorCode::handover_failed: return "handover_failed";
        case ErrorCode::io: return "io";
        case ErrorCode::internal: return "internal";
    }
    return kUnknown;
}

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::stopping: return "stopping";
        case Refusal::listener_limit: return "listener_limit";
        case Refusal::address_limit: return "address_limit";
        case Refusal::accept_rate: return "accept_rate";
    }
    return kUnknown;
}

std::string_view to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::peer_end: return "peer_end";
        case CloseReason::peer_reset: return "peer_reset";
        case CloseReason::local_close: return "local_close";
        case CloseReason::stop_graceful: return "stop_graceful";
        case CloseReason::stop_forced: return "stop_forced";
        case CloseReason::idle_timeout: return "idle_timeout";
        case CloseReason::outbound_overflow: return "outbound_overflow";
        case CloseReason::inbound_overflow: return "inbound_overflow";
        case CloseReason::handler_threw: return "handler_threw";
        case CloseReason::user_timeout: return "user_timeout";
        case CloseReason::io_error: return "io_error";
        case CloseReason::handed_over: return "handed_over";
        case CloseReason::relay_closed: return "relay_closed";
        case CloseReason::read_timeout: return "read_timeout";
        case CloseReason::write_stall_timeout: return "write_stall_timeout";
        case CloseReason::lifetime_max: return "lifetime_max";
        case CloseReason::memory_max: return "memory_max";
    }
    return kUnknown;
}

std::string_view to_string(EngineState state) {
    switch (state) {
        case EngineState::idle: return "idle";
        case EngineState::binding: return "binding";
        case EngineState::booting: return "booting";
        case EngineState::ready: return "ready";
        case EngineState::suspended: return "suspended";
        case EngineState::handing_over: return "handing_over";
        case EngineState::lame_duck: return "lame_duck";
        case EngineState::quiescing: return "quiescing";
        case EngineState::draining: return "draining";
        case EngineState::lingering: return "lingering";
        case EngineState::forcing: return "forcing";
        case EngineState::reclaiming: return "reclaiming";
        case EngineState::verifying: return "verifying";
        case EngineState::stopped: return "stopped";
        case EngineState::failed: return "failed";
    }
    return kUnknown;
}

std::string_view to_string(StopOutcome outcome) {
    switch (outcome) {
        case StopOutcome::clean: return "clean";
        case StopOutcome::forced: return "forced";
        case StopOutcome::port_held: return "port_held";
        case StopOutcome::stuck: return "stuck";
        case StopOutcome::cancelled_during_boot: return "cancelled_during_boot";
        case StopOutcome::failed: return "failed";
        case StopOutcome::handed_over: return "handed_over";
    }
    return kUnknown;
}

}  // namespace berth
