// SPDX-License-Identifier: MIT
//
// The worlds of the conformance suite: a new driver adds its rows here.

#include "conformance/kernel_world.hpp"
#include "conformance/sim_world.hpp"
#include "driver/epoll/epoll_driver.hpp"
#include "driver/uring/uring_driver.hpp"

#include <algorithm>

namespace berth::conformance {
namespace {

template <template <class> class Driver, KernelWorld::Family Over>
class DriverWorld final : public KernelWorld {
public:
    DriverWorld() : KernelWorld(Over) {}
    static std::unique_ptr<World> make() { return std::make_unique<DriverWorld>(); }

private:
    driver::Outcome<std::unique_ptr<driver::Driver>> open_driver(
        RecordingSink& sink, const driver::Bounds& bounds) override {
        return Driver<RecordingSink>::open(sink, system(), bounds);
    }
};

template <KernelWorld::Family Over>
using EpollWorld = DriverWorld<driver::EpollDriver, Over>;
// As on Linux 6.0: completions at any call, buffers of one completion each, accepts by calls only.
template <class Sink>
struct OldUringDriver {
    static auto open(Sink& sink, driver::System& system, const driver::Bounds& bounds) {
        return driver::UringDriver<Sink>::open(
            sink, system, bounds, {.deferred = false, .accept_ahead = false, .incremental = false});
    }
};

template <KernelWorld::Family Over>
using UringWorld = DriverWorld<driver::UringDriver, Over>;
template <KernelWorld::Family Over>
using OldUringWorld = DriverWorld<OldUringDriver, Over>;

}  // namespace

std::vector<WorldKind> worlds() {
    using enum KernelWorld::Family;
    return {
        {.name = "epoll_tcp",
         .make = &EpollWorld<tcp>::make,
         .has_reset = true,
         .is_prompt = true,
         .leaves_more = true},
        {.name = "epoll_unix",
         .make = &EpollWorld<unix_stream>::make,
         .has_reset = false,
         .is_prompt = true,
         .leaves_more = true},
        {.name = "uring_tcp",
         .make = &UringWorld<tcp>::make,
         .has_reset = true,
         .is_prompt = true,
         .leaves_more = true},
        {.name = "uring_unix",
         .make = &UringWorld<unix_stream>::make,
         .has_reset = false,
         .is_prompt = true},
        {.name = "uring_old_tcp",
         .make = &OldUringWorld<tcp>::make,
         .has_reset = true,
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

std::vector<WorldKind> worlds_with_datagrams() { return worlds_with_reset(); }

}  // namespace berth::conformance
