// SPDX-License-Identifier: MIT
//
// The worlds of the conformance suite: a new driver adds its rows here.

#include "conformance/kernel_world.hpp"
#include "conformance/sim_world.hpp"
#include "driver/epoll/epoll_driver.hpp"

#include <algorithm>

namespace berth::conformance {
namespace {

template <KernelWorld::Family Over>
class EpollWorld final : public KernelWorld {
public:
    EpollWorld() : KernelWorld(Over) {}
    static std::unique_ptr<World> make() { return std::make_unique<EpollWorld>(); }

private:
    driver::Outcome<std::unique_ptr<driver::Driver>> open_driver(
        RecordingSink& sink, const driver::Bounds& bounds) override {
        return driver::EpollDriver<RecordingSink>::open(sink, system(), bounds);
    }
};

}  // namespace

std::vector<WorldKind> worlds() {
    using enum KernelWorld::Family;
    return {
        {.name = "epoll_tcp", .make = &EpollWorld<tcp>::make, .has_reset = true, .is_prompt = true},
        {.name = "epoll_unix",
         .make = &EpollWorld<unix_stream>::make,
         .has_reset = false,
         .is_prompt = true},
        {.name = "sim_tcp", .make = &SimWorld::over_tcp, .has_reset = true, .is_prompt = true},
        {.name = "sim_unix", .make = &SimWorld::over_unix, .has_reset = false, .is_prompt = true},
        {.name = "sim_tcp_storm",
         .make = &SimWorld::over_tcp_in_a_storm,
         .has_reset = true,
         .is_prompt = false},
    };
}

std::vector<WorldKind> worlds_with_reset() {
    auto chosen = worlds();
    std::erase_if(chosen, [](const WorldKind& kind) { return !kind.has_reset; });
    return chosen;
}

}  // namespace berth::conformance
