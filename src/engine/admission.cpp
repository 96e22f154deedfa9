// SPDX-License-Identifier: MIT
//
// Admission: places taken and given back.

#include "engine/admission.hpp"

#include "engine/listeners.hpp"

#include <chrono>
#include <limits>

namespace berth::engine {

namespace {

constexpr Duration kPauseOfBursts = std::chrono::seconds{1};
constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

}  // namespace

void Admission::begin(const Options& options, std::uint64_t key) {
    listener_max_ =
        options.listener_connections_max == 0 ? kUnbounded : options.listener_connections_max;
    address_max_ = options.address_connections_max;
    addresses_.reset(address_max_ == 0 ? 0 : options.connections_max, key);
    const std::size_t burst = options.accept_burst_max;
    rate_.set(options.accept_rate_max, burst == 0 ? options.accept_rate_max : burst);
    for (auto& last : last_) last.store(std::numeric_limits<std::int64_t>::min() / 2);
}

// The rate comes last: who is refused for another reason takes no token.
std::optional<Refusal> Admission::admit(std::size_t listener, const IpEndpoint& peer, Instant now) {
    if (!listeners_.add_connection(listener, listener_max_)) return Refusal::listener_limit;
    if (bounds_addresses(peer) && !addresses_.add(peer, address_max_)) {
        listeners_.remove_connection(listener);
        return Refusal::address_limit;
    }
    if (rate_.take(now)) return {};
    leave(listener, peer);
    return Refusal::accept_rate;
}

bool Admission::seat(std::size_t listener, const IpEndpoint& peer) {
    if (bounds_addresses(peer) && !addresses_.add(peer, kUnbounded)) return false;
    static_cast<void>(listeners_.add_connection(listener, kUnbounded));
    return true;
}

void Admission::leave(std::size_t listener, const IpEndpoint& peer) {
    listeners_.remove_connection(listener);
    if (bounds_addresses(peer)) addresses_.remove(peer);
}

bool Admission::begins_burst(Refusal refusal, Instant now) {
    const std::int64_t here = now.since_epoch.count();
    const std::int64_t before = last_[static_cast<std::size_t>(refusal)].exchange(here);
    return here - before >= kPauseOfBursts.count();
}

}  // namespace berth::engine
