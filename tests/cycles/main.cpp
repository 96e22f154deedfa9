// SPDX-License-Identifier: MIT
//
// berth_cycles: start, serve, let the server close first, stop, bind again; on one port.
//
// Each cycle leaves a TIME_WAIT row of the server's; `--leftovers` makes some before the first.
// Measured is the time from the return of stop() to a listening socket on the same address. Any
// refusal is an error, and so is a 99th percentile above one millisecond.

#include "driver/kernel_system.hpp"
#include "support/raw_socket.hpp"

#include <berth/engine.hpp>
#include <berth/handler.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr double kRebindMax = 1'000;  // microseconds, 99th percentile

// One request, one answer, and the server's FIN comes first.
struct OneAnswer final : EventHandler {
    Action on_traffic(Connection& peer) override {
        peer.write(peer.peek());
        peer.discard();
        return Action::close;
    }
};

struct Plan {
    std::size_t cycles = 10'000;
    std::size_t leftovers = 0;
    DriverKind driver = DriverKind::epoll;
};

class Cycles {
public:
    explicit Cycles(const Plan& plan) : plan_(plan) {}

    int run() {
        if (!leave_rows()) return EXIT_FAILURE;
        for (std::size_t cycle = 0; cycle < plan_.cycles; ++cycle) {
            if (!once()) {
                std::printf("cycle %zu of %zu\n", cycle + 1, plan_.cycles);
                return EXIT_FAILURE;
            }
        }
        return report();
    }

private:
    bool leave_rows() {
        if (!start()) return false;
        for (std::size_t i = 0; i < plan_.leftovers; ++i) {
            if (!ask()) return false;
        }
        return stop();
    }

    bool once() { return start() && ask() && stop() && rebind(); }

    bool start() {
        const auto started = engine_.start(at_.to_string());
        if (!started) return failed(started.error().to_string());
        at_ = engine_.endpoints()[0];
        return true;
    }

    bool ask() {
        RawPeer peer = RawPeer::connect(at_);
        peer.send("ping");
        if (peer.read_to_end() != "ping") return failed("no answer");
        return true;
    }

    bool stop() {
        const auto report = engine_.stop();
        stopped_at_ = Clock::now();
        if (!report || !report->ok()) {
            return failed(report ? report->to_string() : report.error().to_string());
        }
        return true;
    }

    bool rebind() {
        driver::System& system = driver::kernel_system();
        const auto socket = system.open_socket(at_);
        if (!socket) return failed("no socket");
        static_cast<void>(system.set(*socket, driver::SocketOption::reuse_address, 1));
        const auto bound = system.bind(*socket, at_);
        const bool listens = bound && system.listen(*socket, 1);
        rebinds_.push_back(Microseconds(Clock::now() - stopped_at_).count());
        system.close(*socket);
        return listens || failed("the port is not free");
    }

    static bool failed(const std::string& why) {
        std::printf("FAILED: %s\n", why.c_str());
        return false;
    }

    double percentile(double part) {
        const auto index =
            static_cast<std::size_t>(part * static_cast<double>(rebinds_.size() - 1));
        return rebinds_[index];
    }

    int report() {
        std::ranges::sort(rebinds_);
        const auto rows = driver::kernel_system().sockets(
            Scheme::tcp, at_.port(), driver::SocketStates::of({driver::SocketState::time_wait}));
        std::printf("%zu cycles on %s, 0 refused, %zu TIME_WAIT rows at the end\n", plan_.cycles,
                    at_.to_string().c_str(), rows ? rows->size() : 0);
        std::printf(
            "rebind after stop: p50 %.0f us, p99 %.0f us, max %.0f us (limit of p99: %.0f)\n",
            percentile(0.5), percentile(0.99), rebinds_.back(), kRebindMax);
        return percentile(0.99) <= kRebindMax ? EXIT_SUCCESS : EXIT_FAILURE;
    }

    Plan plan_;
    OneAnswer handler_;
    Engine engine_{handler_, {.loops = 1, .driver = plan_.driver}};
    Endpoint at_ = loopback_endpoint();
    Clock::time_point stopped_at_;
    std::vector<double> rebinds_;
};

}  // namespace
}  // namespace berth::test

int main(int argc, char** argv) {
    berth::test::Plan plan;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view flag = argv[i];
        const std::string_view text = argv[i + 1];
        const auto value = static_cast<std::size_t>(std::strtoull(argv[i + 1], nullptr, 10));
        if (flag == "--driver" && (text == "epoll" || text == "uring")) {
            plan.driver = text == "uring" ? berth::DriverKind::uring : berth::DriverKind::epoll;
        } else if (flag == "--cycles" && value > 0) {
            plan.cycles = value;
        } else if (flag == "--leftovers") {
            plan.leftovers = value;
        } else {
            std::fprintf(stderr,
                         "usage: berth_cycles [--cycles N] [--leftovers N] "
                         "[--driver epoll|uring]\n");
            return 2;
        }
    }
    return berth::test::Cycles(plan).run();
}
