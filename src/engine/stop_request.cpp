// SPDX-License-Identifier: MIT
//
// StopSource: its name in reports.

#include "engine/stop_request.hpp"

namespace berth::engine {

std::string StopSource::to_string() const {
    switch (kind_) {
        case Kind::none: return "nobody";
        case Kind::api: return "api";
        case Kind::handler: return "handler";
        case Kind::signal: return "signal " + std::to_string(signal_);
        case Kind::loop_failure: return "loop failure";
        case Kind::handover: return "handover";
    }
    return "nobody";
}

}  // namespace berth::engine
