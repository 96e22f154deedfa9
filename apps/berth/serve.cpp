// SPDX-License-Identifier: MIT
//
// `berth serve`: two services, and the announcements around them.

#include "serve.hpp"

#include "exit_status.hpp"
#include "logger.hpp"
#include "report_file.hpp"
#include "system.hpp"

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <atomic>
#include <cstddef>
#include <iostream>

namespace berth::app {

namespace {

// Tells the world where, ready and stopping; what is served is up to the derived class.
class Announcer : public EventHandler {
public:
    explicit Announcer(const ServeSettings& settings) : settings_(settings) {}

    void on_boot(Engine& engine) override {
        for (const Endpoint& endpoint : engine.endpoints()) {
            std::cout << "listening " << endpoint.to_string() << '\n';
        }
        std::cout << std::flush;
    }

    void on_loop_start(EventLoop& loop) override {
        if (was_asked_to_stop()) loop.engine().request_stop();
        if (loops_started_.fetch_add(1) + 1 == loop.engine().loop_count()) announce_ready();
    }

    // The stop shows itself to a handler by draining a connection or, if there is none, by the
    // end of a loop.
    Action on_drain(Connection&, Deadline) override {
        announce_stopping();
        return Action::close;
    }
    void on_loop_stop(EventLoop&) override { announce_stopping(); }

private:
    void announce_ready() {
        std::cout << "ready\n" << std::flush;
        if (settings_.ready_fd) write_newline(*settings_.ready_fd);
        notify_service_manager("READY=1");
    }
    void announce_stopping() {
        if (!stopping_.exchange(true)) notify_service_manager("STOPPING=1");
    }

    const ServeSettings& settings_;
    std::atomic<std::size_t> loops_started_ = 0;
    std::atomic<bool> stopping_ = false;
};

// A peer that does not read what it asked for is not read from either: the engine sees to it.
class Echo final : public Announcer {
public:
    using Announcer::Announcer;
    Action on_traffic(Connection& peer) override {
        peer.write(peer.peek());
        peer.discard();
        return Action::none;
    }
};

class Discard final : public Announcer {
public:
    using Announcer::Announcer;
    Action on_traffic(Connection& peer) override {
        peer.discard();
        return Action::none;
    }
};

Result<StopReport> run_service(const ServeSettings& settings, const Options& options) {
    const auto run_with = [&](Announcer&& service) {
        return Engine(service, options).run(settings.addresses);
    };
    if (settings.service == Service::echo) return run_with(Echo(settings));
    return run_with(Discard(settings));
}

bool is_wrong_usage(const Error& error) {
    return error.code() == ErrorCode::invalid_address || error.code() == ErrorCode::invalid_option;
}

// What a server that never started has to report.
StopReport report_of_failure(const Error& error) {
    StopReport report;
    report.outcome = StopOutcome::failed;
    report.failure = error.to_string();
    return report;
}

}  // namespace

int serve(const ServeSettings& settings) {
    ignore_broken_pipes();
    remember_stop_signals();
    raise_descriptor_limit();
    SpdlogLogger logger;
    Options options = settings.options;
    options.logger = &logger;

    const Result<StopReport> run = run_service(settings, options);
    const StopReport report = run ? *run : report_of_failure(run.error());
    int status = run ? report.exit_code() : kFailed;
    if (!run && is_wrong_usage(run.error())) status = kWrongUsage;

    if (!settings.report.empty()) {
        if (const Written written = write_report(report, settings.report); !written) {
            std::cerr << "berth serve: " << written.error() << '\n';
            if (status == kSucceeded) status = kFailed;
        }
    }
    std::cerr << (run ? report.to_string() : "berth serve: " + report.failure) << '\n';
    return status;
}

}  // namespace berth::app
