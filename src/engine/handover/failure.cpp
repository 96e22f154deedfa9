// SPDX-License-Identifier: MIT
//
// Failure: trust, refusals and reasons.

#include "engine/handover/failure.hpp"

#include <cerrno>
#include <string>

namespace berth::engine::handover {

bool is_same_user(driver::System& system, driver::Descriptor socket) {
    const auto peer = system.peer_credentials(socket);
    return peer && (peer->uid == system.user_id() || peer->uid == 0);
}

void refuse(driver::System& system, driver::Descriptor socket, std::string_view reason) {
    Channel channel(system);
    channel.open(socket);
    static_cast<void>(channel.send(Refused{std::string(reason)}));
}

std::string_view reason_of(int errno_value) {
    switch (errno_value) {
        case EPIPE: return "the other generation is gone";
        case EPROTO: return "what it said is not of this protocol";
        case EPROTONOSUPPORT: return "it speaks another version of the protocol";
        case EMSGSIZE: return "descriptors were lost on the way; is there room for more?";
        default: return "the channel between the generations is broken";
    }
}

}  // namespace berth::engine::handover
