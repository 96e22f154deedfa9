// SPDX-License-Identifier: MIT
//
// The kernel as an environment: which driver it allows, and how many CPUs are ours.

#include "engine/environment.hpp"

#include "driver/epoll/epoll_driver.hpp"
#include "driver/kernel_system.hpp"
#include "os/cpus.hpp"

#include <memory>
#include <utility>

namespace berth::engine {

namespace {

driver::Outcome<std::unique_ptr<driver::Driver>> open_epoll(loop::Loop& sink,
                                                            const driver::Bounds& bounds) {
    auto opened = driver::EpollDriver<loop::Loop>::open(sink, sink.system(), bounds);
    if (!opened) return base::failed(opened.errno_value());
    return std::unique_ptr<driver::Driver>(std::move(*opened));
}

class KernelEnvironment final : public Environment {
public:
    driver::System& system() override { return driver::kernel_system(); }

    Result<loop::DriverFactory> choose_driver(DriverKind wanted,
                                              const driver::Bounds& bounds) override {
        if (wanted == DriverKind::uring) {
            return fail(Error(ErrorCode::driver_unavailable, "open driver")
                            .because("this version has no io_uring driver yet")
                            .fix("use driver epoll, or automatic"));
        }
        automatic_ = wanted == DriverKind::automatic;
        return loop::DriverFactory([bounds](loop::Loop& sink) { return open_epoll(sink, bounds); });
    }

    std::string driver_description() const override {
        return automatic_ ? "epoll (automatic: this version has no io_uring driver yet)"
                          : "epoll (as asked)";
    }

    std::size_t usable_cpus() const override { return os::usable_cpus(); }

private:
    bool automatic_ = true;
};

}  // namespace

std::unique_ptr<Environment> kernel_environment() { return std::make_unique<KernelEnvironment>(); }

}  // namespace berth::engine
