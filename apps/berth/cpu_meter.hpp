// SPDX-License-Identifier: MIT
//
// CpuMeter: the CPU time that another process spends on a request.
//
// From the first look to the one that says it is over. Both ends are read together with the number
// of answers, so that making connections and saying goodbye are in neither.
//
// Threads:   one.

#pragma once

#include "system.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace berth::app {

class CpuMeter {
public:
    explicit CpuMeter(int process) : process_(process) {}

    void look(std::uint64_t answered, bool is_over) {
        if (last_ || (first_ && !is_over)) return;
        const auto used = cpu_time_of(process_);
        if (!used) return;
        (first_ ? last_ : first_) = Reading{*used, answered};
    }
    // In nanoseconds.
    std::optional<double> per_request() const {
        if (!last_ || last_->answered <= first_->answered) return std::nullopt;
        const std::chrono::duration<double, std::nano> used = last_->used - first_->used;
        return used.count() / static_cast<double>(last_->answered - first_->answered);
    }

private:
    struct Reading {
        Duration used;
        std::uint64_t answered;
    };
    int process_;
    std::optional<Reading> first_;
    std::optional<Reading> last_;
};

}  // namespace berth::app
