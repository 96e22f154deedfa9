// SPDX-License-Identifier: MIT
//
// kubernetes: one sum.

#include "service/kubernetes.hpp"

#include <berth/clock.hpp>
#include <berth/options.hpp>

#include <chrono>

namespace berth::service {

std::chrono::seconds grace_period(const Options& options) {
    constexpr Duration kBesides = std::chrono::seconds{2};
    const Duration whole = options.lame_duck.value_or(Duration::zero()) + options.drain + kBesides;
    return std::chrono::ceil<std::chrono::seconds>(whole);
}

}  // namespace berth::service
