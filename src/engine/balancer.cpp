// SPDX-License-Identifier: MIT
//
// Balancer: the policies.

#include "engine/balancer.hpp"

#include "engine/core.hpp"
#include "net/address_hash.hpp"

namespace berth::engine {

std::size_t Balancer::choose(const IpEndpoint& peer) {
    switch (core_.options().balance) {
        case Balance::least_connections: return least_loaded();
        case Balance::source_hash:
            if (peer.family == 0) return next();
            return net::hash_of_address(peer, core_.hash_key()) % core_.worker_count();
        case Balance::sharded:
        case Balance::round_robin: break;
    }
    return next();
}

std::size_t Balancer::next() { return turn_++ % core_.worker_count(); }

// Among equals whoever comes next, so that the first loop is not always the one.
std::size_t Balancer::least_loaded() {
    const std::size_t workers = core_.worker_count();
    const std::size_t first = next();
    std::size_t best = first;
    std::size_t least = core_.worker(best).table().load();
    for (std::size_t i = 1; i < workers; ++i) {
        const std::size_t other = (first + i) % workers;
        const std::size_t load = core_.worker(other).table().load();
        if (load >= least) continue;
        least = load;
        best = other;
    }
    return best;
}

}  // namespace berth::engine
