// SPDX-License-Identifier: MIT
//
// `berth serve`: the services, and how a run of one is reported.

#include "serve.hpp"

#include "announcer.hpp"
#include "exit_status.hpp"
#include "http_service.hpp"
#include "logger.hpp"
#include "proxy_service.hpp"
#include "report_file.hpp"
#include "system.hpp"

#include <berth/connection.hpp>
#include <berth/datagram.hpp>
#include <berth/endpoint.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/run.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace berth::app {

namespace {

// A peer that does not read what it asked for is not read from either: the engine sees to it.
class Echo final : public Announcer {
public:
    using Announcer::Announcer;
    Action on_traffic(Connection& peer) override {
        peer.write(peer.peek());
        peer.discard();
        return Action::none;
    }
    void on_datagram(Datagram& datagram) override { datagram.reply(datagram.payload()); }
};

class Discard final : public Announcer {
public:
    using Announcer::Announcer;
    Action on_traffic(Connection& peer) override {
        peer.discard();
        return Action::none;
    }
};

std::vector<std::string> addresses_of(const ServeSettings& settings) {
    if (!settings.addresses.empty() || was_given_sockets()) return settings.addresses;
    return {ServeSettings::kDefaultAddress};
}

RunResult run_service(const ServeSettings& settings, const Options& options) {
    const auto announce_admin = [](const Endpoint& endpoint) {
        std::cerr << "admin " << endpoint.to_string() << '\n';
    };
    const auto run_with = [&](Announcer&& service) {
        return run(service, addresses_of(settings), options,
                   {.keep_listeners = settings.keep_listeners,
                    .admin = settings.admin,
                    .on_admin = announce_admin});
    };
    switch (settings.service) {
        case Service::echo: return run_with(Echo(settings.ready_fd));
        case Service::http: return run_with(HttpService(settings.ready_fd));
        case Service::proxy: return run_with(ProxyService(settings.ready_fd, settings.proxy));
        case Service::discard: break;
    }
    return run_with(Discard(settings.ready_fd));
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

    const RunResult run = run_service(settings, options);
    const StopReport report = run.started() ? run.report() : report_of_failure(run.error());
    int status = run.exit_code();
    if (!run.started() && is_wrong_usage(run.error())) status = kWrongUsage;

    if (!settings.report.empty()) {
        if (const Written written = write_report(report, settings.report); !written) {
            std::cerr << "berth serve: " << written.error() << '\n';
            if (status == kSucceeded) status = kFailed;
        }
    }
    std::cerr << (run.started() ? report.to_string() : "berth serve: " + report.failure) << '\n';
    return status;
}

}  // namespace berth::app
