// SPDX-License-Identifier: MIT
//
// Departure: collecting, sending, and taking back.

#include "engine/handover/departure.hpp"

#include "engine/core.hpp"

#include <cerrno>
#include <utility>

namespace berth::engine::handover {

namespace {

bool fits_a_message(const net::Traveller& traveller) {
    return traveller.unread.size() + traveller.state.size() <= kPassengerMax;
}

Passenger passenger_of(const net::Traveller& traveller, std::uint64_t serial) {
    return {.serial = serial,
            .listener = static_cast<std::uint32_t>(traveller.listener),
            .peer = traveller.peer,
            .idle_left = traveller.idle_left,
            .unread = traveller.unread.share(),
            .state = traveller.state.share()};
}

}  // namespace

void Departure::begin() {
    moved_ = 0;
    sends_ = true;
    loops_asked_ = send_for_travellers(core_, exported_);
}

base::Outcome<void> Departure::advance(Channel& channel) {
    next_look_ = Instant::never();
    while (!waiting_.empty() && sent_.size() < kOnTheWayMax) {
        const auto sent = send_first(channel);
        if (sent) continue;
        if (sent.errno_value() != EAGAIN) return sent;
        next_look_ = core_.system().now() + kTryAgainAfter;
        break;
    }
    return {};
}

void Departure::collect() {
    while (brought_back_.take() != nullptr) {
    }
    while (const auto departed = exported_.take()) {
        --loops_asked_;
        for (net::Traveller& traveller : departed->travellers) admit(std::move(traveller));
    }
}

void Departure::admit(net::Traveller&& traveller) {
    if (!sends_ || !fits_a_message(traveller)) return take_back(std::move(traveller));
    waiting_.push_back(std::move(traveller));
}

base::Outcome<void> Departure::send_first(Channel& channel) {
    net::Traveller& first = waiting_.front();
    const std::uint64_t serial = next_serial_;
    const auto sent = channel.send(passenger_of(first, serial), {&first.socket, 1});
    if (sent.errno_value() == EMSGSIZE) {  // more than this machine sends at once
        take_back(std::move(first));
        waiting_.pop_front();
        return {};
    }
    if (!sent) return sent;
    ++next_serial_;
    sent_.emplace(serial, std::move(first));
    waiting_.pop_front();
    return {};
}

void Departure::imported(std::uint64_t serial, bool is_taken) {
    auto answered = sent_.extract(serial);
    if (answered.empty()) return;
    if (!is_taken) return take_back(std::move(answered.mapped()));
    ++moved_;
    core_.system().close(answered.mapped().socket);
}

// ── Taking back ──────────────────────────────────────────────────────────────────────────────

void Departure::take_back(net::Traveller traveller) {
    bring(core_, std::move(traveller), 0, brought_back_);
}

void Departure::stop_sending() {
    sends_ = false;
    for (net::Traveller& traveller : std::exchange(waiting_, {})) take_back(std::move(traveller));
}

void Departure::take_back_all() {
    stop_sending();
    for (auto& [serial, traveller] : std::exchange(sent_, {})) take_back(std::move(traveller));
}

void Departure::give_up_all() {
    stop_sending();
    for (auto& [serial, traveller] : std::exchange(sent_, {})) {
        core_.system().close(traveller.socket);
    }
}

}  // namespace berth::engine::handover
