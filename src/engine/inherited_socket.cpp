// SPDX-License-Identifier: MIT
//
// InheritedSocket: matched by real bound address, not by text.

#include "engine/inherited_socket.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace berth::engine {

namespace {

// `tcp://:9000` is one IPv6 socket for both families (kernel_system.hpp), or an IPv4 one where
// there is no IPv6; `tcp4://:9000` is never the former.
bool is_same_wildcard(const Endpoint& real, const Endpoint& asked) {
    if (real.port() != asked.port()) return false;
    const bool is_v4_only = asked.scheme() == Scheme::tcp4 || asked.scheme() == Scheme::udp4;
    if (is_v4_only) return real.ip().family == 4;
    return real.ip().family == asked.ip().family && real.is_v6_only() == asked.is_v6_only();
}

Error not_asked_for(const InheritedSocket& socket) {
    return Error(ErrorCode::invalid_option, "adopt sockets")
        .at(socket.endpoint.to_string())
        .because("was inherited (" + socket.name + "), and no address of this server names it")
        .fix("name that address too, or name none");
}

}  // namespace

bool is_bound_as(const Endpoint& real, const Endpoint& asked) {
    if (real.is_unix() || asked.is_unix()) return real == asked;
    if (real.is_udp() != asked.is_udp()) return false;
    if (!real.is_udp() && (!real.is_stream() || !asked.is_stream())) return false;
    if (real.is_wildcard() && asked.is_wildcard()) return is_same_wildcard(real, asked);
    return real.ip() == asked.ip();
}

Result<std::vector<AddressPlan>> plan_addresses(std::span<const Endpoint> asked,
                                                std::span<const InheritedSocket> inherited) {
    std::vector<AddressPlan> plan;
    for (const Endpoint& endpoint : asked) plan.push_back({.asked = endpoint, .sockets = {}});
    for (const InheritedSocket& socket : inherited) {
        auto place = std::ranges::find_if(plan, [&](const AddressPlan& address) {
            return is_bound_as(socket.endpoint, address.asked);
        });
        if (place == plan.end() && !asked.empty()) return fail(not_asked_for(socket));
        if (place == plan.end()) {
            place = plan.insert(plan.end(), {.asked = socket.endpoint, .sockets = {}});
        }
        place->sockets.push_back(socket.descriptor);
    }
    return plan;
}

}  // namespace berth::engine
