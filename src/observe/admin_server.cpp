// SPDX-License-Identifier: MIT
//
// AdminServer: the small engine beside the big one.

#include "engine/engine_core.hpp"
#include "observe/admin_handler.hpp"

#include <berth/admin.hpp>
#include <berth/logger.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace berth {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Small bounds: who asks for pages sends little, reads soon and is one of few.
Options admin_options(const Options& watched, Logger& logger) {
    return {.loops = 1,
            .driver = watched.driver,
            .backlog = 128,
            .connections_max = 128,
            .output_high = 256U << 10U,
            .output_low = 64U << 10U,
            .output_max = 8U << 20U,
            .input_max = 64U << 10U,
            .idle_timeout = seconds{60},
            .linger = milliseconds{200},
            .read_budget = 16U << 10U,
            .drain = seconds{1},
            .lame_duck = Duration::zero(),
            .first_request_grace = milliseconds{200},
            .handover = watched.handover.empty() ? std::string() : watched.handover + ".admin",
            .probation = watched.probation,
            .handover_timeout = watched.handover_timeout,
            .logger = &logger};
}

}  // namespace

class AdminServer::Core {
public:
    Core(const Engine& watched, const Options& options, Duration busy_max)
        : logger_(options.logger),
          handler_(watched, busy_max),
          engine(handler_, admin_options(options, logger_)) {
        // What started this process has the watched engine's listeners, and not this one's.
        engine::EngineAccess::core(engine).handover().ignore_maker();
    }

private:
    // Its lines among those of the engine that it watches. What is usual is no news.
    class Lines final : public Logger {
    public:
        explicit Lines(Logger* under) : under_(under != nullptr ? *under : default_logger()) {}

        void log(LogLevel level, std::string_view message) override {
            under_.log(level == LogLevel::info ? LogLevel::debug : level,
                       "admin: " + std::string(message));
        }

    private:
        Logger& under_;
    };

    Lines logger_;
    observe::AdminHandler handler_;

public:
    Engine engine;  // last: it stops before the others go
};

AdminServer::AdminServer(const Engine& watched, const Options& options, Duration busy_max)
    : core_(std::make_unique<Core>(watched, options, busy_max)) {}

AdminServer::~AdminServer() { stop(); }

Result<void> AdminServer::start(std::string_view address) { return core_->engine.start(address); }

std::vector<Endpoint> AdminServer::endpoints() const { return core_->engine.endpoints(); }

// Whatever its report says: what matters is the engine that it watched.
void AdminServer::stop() { static_cast<void>(core_->engine.stop()); }

}  // namespace berth
