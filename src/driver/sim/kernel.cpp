// SPDX-License-Identifier: MIT
//
// Kernel: time that passes, and chance.

#include "driver/sim/kernel.hpp"

#include "driver/sim/network.hpp"

#include <berth/clock.hpp>
#include <berth/function.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace berth::driver::sim {

namespace {

constexpr Instant kBoot{std::chrono::seconds{1000}};

}  // namespace

Kernel::Kernel(std::uint64_t seed, const Weather& weather)
    : now_(kBoot), chance_(seed), weather_(weather), network_(std::make_unique<Network>(*this)) {}

Kernel::~Kernel() = default;

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

Instant Kernel::next_event() const { return network_->agenda().next(); }

void Kernel::advance(Instant to) {
    settle();
    while (next_event() <= to) {
        now_ = std::max(now_, next_event());
        network_->agenda().do_next();
        settle();
    }
    now_ = std::max(now_, to);
}

void Kernel::settle() { network_->agenda().do_now(); }

// ── Chance ───────────────────────────────────────────────────────────────────────────────────

// splitmix64.
std::uint64_t Kernel::random() {
    std::uint64_t mixed = chance_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31U;
}

// ── Calls ────────────────────────────────────────────────────────────────────────────────────

void Kernel::on_call(UniqueFunction<void()> others) { others_ = std::move(others); }

void Kernel::begin_call() {
    if (others_ && !others_act_) {
        others_act_ = true;
        others_();
        others_act_ = false;
    }
    if (const auto longest = weather_.call_max.count(); longest > 0) {
        const auto took = below(static_cast<std::uint64_t>(longest) + 1);
        advance(now_ + Duration{static_cast<Duration::rep>(took)});
    }
}

void Kernel::size_tcp_buffers(std::size_t receive, std::size_t send) {
    network_->tcp_buffers() = {.receive = receive, .send = send};
}

// ── What is there ────────────────────────────────────────────────────────────────────────────

std::size_t Kernel::owned_sockets() const { return network_->census().owned; }

std::size_t Kernel::orphaned_sockets() const {
    const auto& census = network_->census();
    return network_->sockets().size() - census.owned + census.fin_wait_2;
}

std::size_t Kernel::time_wait_rows() const { return network_->census().time_wait; }

}  // namespace berth::driver::sim
