// SPDX-License-Identifier: MIT
//
// Admission: who may come in, of those that were accepted: the bounds per listener, per client
// address and per second.
//
// Who is admitted holds a place until it is gone; who is not is sent away in order. What a bound
// needs is counted where somebody comes and goes, and only if there is such a bound.
//
// Lifetime:  part of its Core.
// Threads:   any; begin() before anything is accepted.

#pragma once

#include "base/rate_limiter.hpp"
#include "net/address_table.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/options.hpp>
#include <berth/snapshot.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth::engine {

class Listeners;

class Admission {
public:
    explicit Admission(Listeners& listeners) : listeners_(listeners) {}

    // For a run. `key` is chance.
    void begin(const Options& options, std::uint64_t key);

    // Nothing: he has a place. Otherwise why not.
    std::optional<Refusal> admit(std::size_t listener, const IpEndpoint& peer, Instant now);
    // Whatever the bounds say: of one that is served already. False: it has none.
    bool seat(std::size_t listener, const IpEndpoint& peer);
    // Gives the place back.
    void leave(std::size_t listener, const IpEndpoint& peer);

    // Is it the first after a pause? Floods are logged once.
    bool begins_burst(Refusal refusal, Instant now);

private:
    bool bounds_addresses(const IpEndpoint& peer) const {
        return address_max_ != 0 && peer.family != 0;
    }

    Listeners& listeners_;
    std::size_t listener_max_ = 0;
    std::size_t address_max_ = 0;
    net::AddressTable addresses_;
    base::RateLimiter rate_;
    std::array<std::atomic<std::int64_t>, kRefusals> last_{};  // refusal, by reason
};

}  // namespace berth::engine
