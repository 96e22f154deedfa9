// SPDX-License-Identifier: MIT
//
// The kernel as an environment: which driver it allows, and how many CPUs are ours.

#include "engine/environment.hpp"

#include "driver/epoll/epoll_driver.hpp"
#include "driver/kernel_system.hpp"
#include "driver/uring/uring_driver.hpp"
#include "os/cpus.hpp"

#include <memory>
#include <utility>

namespace berth::engine {

namespace {

template <template <class> class Driver>
driver::Outcome<std::unique_ptr<driver::Driver>> open(loop::Loop& sink,
                                                      const driver::Bounds& bounds) {
    auto opened = Driver<loop::Loop>::open(sink, sink.system(), bounds);
    if (!opened) return base::failed(opened.errno_value());
    return std::unique_ptr<driver::Driver>(std::move(*opened));
}

class KernelEnvironment final : public Environment {
public:
    driver::System& system() override { return driver::kernel_system(); }

    // Automatic is epoll until io_uring is measured to be ahead everywhere.
    Result<loop::DriverFactory> choose_driver(DriverKind wanted,
                                              const driver::Bounds& bounds) override {
        if (wanted == DriverKind::uring) return choose_uring(bounds);
        description_ = wanted == DriverKind::automatic
                           ? "epoll (automatic: io_uring only where it is asked for)"
                           : "epoll (as asked)";
        return loop::DriverFactory(
            [bounds](loop::Loop& sink) { return open<driver::EpollDriver>(sink, bounds); });
    }

    std::string driver_description() const override { return description_; }

    std::size_t usable_cpus() const override { return os::usable_cpus(); }

private:
    // One is opened as a probe: only the kernel knows what it, and its filters, allow.
    Result<loop::DriverFactory> choose_uring(const driver::Bounds& bounds) {
        const auto probe = driver::UringParts::open();
        if (!probe) return fail(refusal_of_uring(probe.errno_value()));
        description_ = "uring (as asked: " + probe->description() + ")";
        return loop::DriverFactory(
            [bounds](loop::Loop& sink) { return open<driver::UringDriver>(sink, bounds); });
    }

    // What this machine lacks just now is no reason to do without the driver.
    static Error refusal_of_uring(int errno_value) {
        Error error = Error::from_errno("open driver", errno_value);
        const bool is_shortage =
            error.code() == ErrorCode::descriptor_limit || error.code() == ErrorCode::memory_limit;
        if (!is_shortage) error = Error(ErrorCode::driver_unavailable, "open driver");
        error = std::move(error).because(driver::uring::why_not(errno_value));
        return is_shortage ? error : std::move(error).fix("use driver epoll, or automatic");
    }

    std::string description_ = "epoll";
};

}  // namespace

std::unique_ptr<Environment> kernel_environment() { return std::make_unique<KernelEnvironment>(); }

}  // namespace berth::engine
