// SPDX-License-Identifier: MIT
//
// `berth load`: an engine without listeners, a load on each of its loops, and the result.
//
// The end of the duration, an interrupt and the loss of the last connection are one thing, a
// stop of the engine: each connection is drained, which here means that it waits for the answers
// it is owed and says goodbye.

#include "load.hpp"

#include "cpu_meter.hpp"
#include "datagram_load.hpp"
#include "exit_status.hpp"
#include "load_loop.hpp"
#include "load_result.hpp"
#include "logger.hpp"
#include "progress.hpp"
#include "system.hpp"

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/connection_id.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/run.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::app {

namespace {

constexpr Duration kAnswersWithin = std::chrono::seconds{5};  // once the duration is over

class LoadGenerator final : public EventHandler {
public:
    explicit LoadGenerator(const LoadSettings& settings)
        : pattern_(settings.seed, settings.shape.size),
          plan_{.settings = settings,
                .pattern = pattern_,
                .unsettled = settings.connections,
                .going_on = settings.connections} {
        if (settings.cpu_of) meter_.emplace(*settings.cpu_of);
    }

    void on_boot(Engine& engine) override {
        progress_.emplace(engine.now());
        const std::size_t loop_count = engine.loop_count();
        const std::size_t connections = plan_.settings.connections;
        for (std::size_t index = 0; index < loop_count; ++index) {
            const bool takes_one_more = index < connections % loop_count;
            const std::size_t share = connections / loop_count + (takes_one_more ? 1 : 0);
            loops_.push_back(std::make_unique<LoadLoop>(plan_, share));
        }
    }
    void on_loop_start(EventLoop& loop) override {
        if (was_asked_to_stop()) loop.engine().request_stop();
        load_of(loop).start(loop);
    }

    Duration on_tick(EventLoop& loop) override {
        const Duration next = load_of(loop).tick();
        if (loop.index() == 0) watch_the_clock(loop.engine());
        return next;
    }

    Action on_open(Connection& peer) override {
        load_of(peer.loop()).opened(peer);
        return Action::none;
    }
    void on_connect_failed(EventLoop& loop, ConnectionId, const Error& error) override {
        load_of(loop).connect_failed(error);
    }
    Action on_traffic(Connection& peer) override {
        load_of(peer.loop()).received(peer);
        return Action::none;
    }
    Action on_end(Connection& peer) override {
        load_of(peer.loop()).peer_ended(peer);
        return Action::close;
    }
    Action on_drain(Connection& peer, Deadline) override {
        load_of(peer.loop()).drain(peer);
        return Action::none;
    }
    void on_close(Connection& peer, CloseReason reason) override {
        load_of(peer.loop()).closed(peer, reason);
    }
    void on_shutdown(const StopReport&) override { progress_->erase(); }

    LoadResult result(bool is_interrupted) const {
        LoadResult result{.settings = plan_.settings, .tally = {}};
        for (const auto& loop : loops_) result.tally.add(loop->final_tally(is_interrupted));
        Instant began_at = result.tally.last_answer;  // nothing was sent, nothing has elapsed
        for (const auto& loop : loops_) {
            began_at = std::min(began_at, loop->counted_from().value_or(began_at));
        }
        result.elapsed = result.tally.last_answer - began_at;
        if (meter_) result.cpu_per_request = meter_->per_request();
        return result;
    }

private:
    LoadLoop& load_of(const EventLoop& loop) { return *loops_[loop.index()]; }

    void watch_the_clock(Engine& engine) {
        const Instant now = engine.now();
        const auto counted_from = loops_.front()->counted_from();
        std::size_t open = 0;
        std::uint64_t answered = 0;
        for (const auto& loop : loops_) {
            open += loop->open();
            answered += loop->answered();
        }
        progress_->show(now, open, answered);
        if (!counted_from) return;
        const bool is_over = now - *counted_from >= plan_.settings.duration;
        if (meter_) meter_->look(answered, is_over);
        if (is_over) engine.request_stop();
    }

    Pattern pattern_;
    LoadPlan plan_;
    std::vector<std::unique_ptr<LoadLoop>> loops_;  // by loop index
    std::optional<Progress> progress_;
    std::optional<CpuMeter> meter_;
};

Options options_for(const LoadSettings& settings, Logger& logger) {
    // What a connection may have in flight never pauses its reading: two sides that both wait
    // for the other to read would wait for ever.
    const std::size_t in_flight = settings.shape.size * settings.shape.depth;
    Options options;
    options.loops = settings.loops;
    options.busy_poll = settings.busy_poll;
    options.output_high = std::max(options.output_high, in_flight + 1);
    options.output_max = std::max(options.output_max, 2 * options.output_high);
    if (settings.is_over_packets()) {
        options.packet_max = std::max(options.packet_max, settings.shape.size);
    }
    options.drain = kAnswersWithin;
    options.lame_duck = Duration::zero();  // nobody is sent to a load
    options.logger = &logger;
    return options;
}

bool is_signal(std::string_view requested_by) { return requested_by.starts_with("signal"); }

// What was found out, or why it did not start.
struct Outcome {
    RunResult ran;
    std::optional<LoadResult> result;
};

// What stands around a load is not about it: no service manager.
Outcome load_streams(const LoadSettings& settings, const Options& options) {
    LoadGenerator generator(settings);
    RunResult ran = run(generator, std::span<const std::string>{}, options, {.systemd = false});
    if (!ran.started()) return {.ran = std::move(ran), .result = {}};
    const bool is_interrupted = is_signal(ran.report().requested_by);
    return {.ran = std::move(ran), .result = generator.result(is_interrupted)};
}

Outcome load_datagrams(const LoadSettings& settings, Options options) {
    DatagramLoad generator(settings);
    options.balance = Balance::round_robin;
    options.verify = false;
    RunResult ran = run(generator, generator.addresses(), options, {.systemd = false});
    if (!ran.started()) return {.ran = std::move(ran), .result = {}};
    return {.ran = std::move(ran), .result = generator.result()};
}

}  // namespace

int load(const LoadSettings& settings) {
    ignore_broken_pipes();
    remember_stop_signals();
    raise_descriptor_limit();
    SpdlogLogger logger;
    const Options options = options_for(settings, logger);
    const Outcome outcome =
        settings.to.is_udp() ? load_datagrams(settings, options) : load_streams(settings, options);
    if (!outcome.result) {
        std::cerr << "berth load: " << outcome.ran.error().to_string() << '\n';
        return kFailed;
    }
    const LoadResult& result = *outcome.result;
    std::cout << (settings.json ? result.to_json() : result.to_text()) << '\n' << std::flush;
    if (!result.tally.first_problem.empty()) {
        std::cerr << "berth load: " << result.tally.first_problem << '\n';
    }
    return result.errors() == 0 ? kSucceeded : kFailed;
}

}  // namespace berth::app
