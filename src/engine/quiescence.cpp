// SPDX-License-Identifier: MIT
//
// Quiescence: one net::Quiesce per address.

#include "engine/quiescence.hpp"

#include "engine/core.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine {

void Quiescence::begin(std::optional<std::size_t> only) {
    addresses_.clear();
    for (std::size_t listener = 0; listener < core_.listeners().size(); ++listener) {
        if (only && *only != listener) continue;
        if (core_.listeners().is_closing(listener)) continue;
        core_.listeners().note_inodes(listener);
        auto quiesce =
            std::make_unique<net::Quiesce>(core_.system(), core_.listeners().listening(listener));
        quiesce->begin();
        addresses_.push_back({.listener = listener, .quiesce = std::move(quiesce)});
    }
}

// Every address is asked, so that none waits for its neighbour.
bool Quiescence::is_empty() {
    return std::ranges::count_if(addresses_, [](const Address& address) {
               return !address.quiesce->is_empty();
           }) == 0;
}

void Quiescence::report(std::size_t listener, ListenerReport& into) const {
    for (const Address& address : addresses_) {
        if (address.listener != listener) continue;
        into.quiesce = net::to_string(address.quiesce->means());
        into.handshakes_abandoned = address.quiesce->handshakes_abandoned();
    }
}

}  // namespace berth::engine
