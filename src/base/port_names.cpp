// SPDX-License-Identifier: MIT
//
// The names of what PortDiagnosis says, as text and JSON spell them.
//
// Switches without a default: the compiler names the enumerator that was forgotten.

#include <berth/port.hpp>

#include <string_view>

namespace berth {

std::string_view to_string(PortCause cause) {
    switch (cause) {
        case PortCause::none: return "None";
        case PortCause::live_listener: return "LiveListener";
        case PortCause::same_process: return "SameProcess";
        case PortCause::inherited_by_child: return "InheritedByChild";
        case PortCause::dying_process: return "DyingProcess";
        case PortCause::bound_not_listening: return "BoundNotListening";
        case PortCause::leftover_no_reuse: return "LeftoverNoReuse";
        case PortCause::leftover_connections: return "LeftoverConnections";
        case PortCause::ephemeral_collision: return "EphemeralCollision";
        case PortCause::self_connect: return "SelfConnect";
        case PortCause::uid_mismatch: return "UidMismatch";
        case PortCause::overlap: return "Overlap";
        case PortCause::holder_hidden: return "HolderHidden";
        case PortCause::systemd_socket: return "SystemdSocket";
        case PortCause::stale_unix_path: return "StaleUnixPath";
        case PortCause::path_conflict: return "PathConflict";
        case PortCause::unknown: return "Unknown";
    }
    return "Unknown";
}

std::string_view to_string(Certainty certainty) {
    switch (certainty) {
        case Certainty::proven: return "proven";
        case Certainty::likely: return "likely";
    }
    return "unknown";
}

}  // namespace berth
