// SPDX-License-Identifier: MIT
//
// The names of callbacks and connection states, as logs and reports spell them.

#include "net/connection_state.hpp"
#include "net/turn.hpp"

namespace berth::net {

std::string_view to_string(Callback callback) {
    switch (callback) {
        case Callback::none: return "none";
        case Callback::on_loop_start: return "on_loop_start";
        case Callback::on_loop_stop: return "on_loop_stop";
        case Callback::on_open: return "on_open";
        case Callback::on_traffic: return "on_traffic";
        case Callback::on_end: return "on_end";
        case Callback::on_writable: return "on_writable";
        case Callback::on_drain: return "on_drain";
        case Callback::on_close: return "on_close";
        case Callback::on_connect_failed: return "on_connect_failed";
        case Callback::on_export: return "on_export";
        case Callback::on_import: return "on_import";
        case Callback::on_datagram: return "on_datagram";
        case Callback::on_tick: return "on_tick";
        case Callback::timer: return "timer";
        case Callback::task: return "task";
        case Callback::completion: return "completion";
    }
    return "unknown";
}

std::string_view to_string(ConnectionState state) {
    switch (state) {
        case ConnectionState::connecting: return "connecting";
        case ConnectionState::open: return "open";
        case ConnectionState::open_ended: return "open_ended";
        case ConnectionState::ending: return "ending";
        case ConnectionState::ended: return "ended";
        case ConnectionState::flushing: return "flushing";
        case ConnectionState::flushing_ended: return "flushing_ended";
        case ConnectionState::lingering: return "lingering";
        case ConnectionState::closing: return "closing";
        case ConnectionState::closed: return "closed";
    }
    return "unknown";
}

}  // namespace berth::net
