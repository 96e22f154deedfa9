// SPDX-License-Identifier: MIT
//
// Core: opening everything or nothing, and taking it apart again.

#include "engine/core.hpp"

#include "engine/log_lines.hpp"
#include "net/multicast.hpp"
#include "net/socket_settings.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace berth::engine {

namespace {

// Descriptors that connections may not use up: the loops' own, logs, the report, the user's.
constexpr std::size_t kReserveMax = 32;
constexpr std::uint32_t kModeMax = 0777;          // permissions, chmod(2)
constexpr std::size_t kLoopsMax = 255;            // what a ConnectionId can name
constexpr std::size_t kDatagramMax = 64U << 10U;  // longer ones do not exist
constexpr std::size_t kPacketMax = 16U << 20U;
constexpr Duration kBusyPollMax = std::chrono::milliseconds{10};  // past it, sleeping is cheap

Error bad_option(const char* name, const std::string& why) {
    return Error(ErrorCode::invalid_option, "start")
        .because(std::string("Options::") + name + " " + why);
}

Result<void> check_busy_poll(Duration bound) {
    if (bound >= Duration::zero() && bound <= kBusyPollMax) return {};
    return fail(bad_option("busy_poll", "is not between 0 and 10 ms")
                    .fix("50 us is a good start; 0 switches it off"));
}

Result<void> check_bounds(const Options& options) {
    if (options.backlog < 1) return fail(bad_option("backlog", "is below 1"));
    if (options.output_low > options.output_high) {
        return fail(bad_option("output_low", "is above output_high"));
    }
    if (options.output_high > options.output_max) {
        return fail(bad_option("output_high", "is above output_max"));
    }
    if (options.input_max == 0) return fail(bad_option("input_max", "is 0"));
    if (options.datagram_max == 0 || options.datagram_max > kDatagramMax) {
        return fail(bad_option("datagram_max", "is not between 1 and 64 KiB"));
    }
    if (options.packet_max == 0 || options.packet_max > kPacketMax) {
        return fail(bad_option("packet_max", "is not between 1 and 16 MiB"));
    }
    if (options.descriptors_max > driver::System::kAttachedMax) {
        return fail(bad_option("descriptors_max", "is above 253, what one message may carry"));
    }
    if (options.read_budget == 0) return fail(bad_option("read_budget", "is 0"));
    return {};
}

Result<void> check_durations(const Options& options) {
    for (const auto& [name, value] :
         {std::pair{"idle_timeout", options.idle_timeout}, std::pair{"linger", options.linger},
          std::pair{"read_timeout", options.read_timeout},
          std::pair{"write_stall_timeout", options.write_stall_timeout},
          std::pair{"lifetime_max", options.lifetime_max}, std::pair{"drain", options.drain},
          std::pair{"quiesce_max", options.quiesce_max},
          std::pair{"lame_duck", options.lame_duck.value_or(Duration::zero())},
          std::pair{"spread", options.spread}, std::pair{"probation", options.probation},
          std::pair{"first_request_grace", options.first_request_grace},
          std::pair{"handover_timeout", options.handover_timeout}}) {
        if (value < Duration::zero()) return fail(bad_option(name, "is negative"));
    }
    return {};
}

Result<void> check_limits(const Options& options) {
    using base::RateLimiter;
    using net::AddressTable;
    if (options.address_connections_max > AddressTable::kCountMax) {
        return fail(bad_option("address_connections_max", "is above 16777215"));
    }
    if (options.accept_rate_max > RateLimiter::kPerSecondMax) {
        return fail(bad_option("accept_rate_max", "is above 1000000"));
    }
    if (options.accept_burst_max > RateLimiter::kBurstMax) {
        return fail(bad_option("accept_burst_max", "is above 1000000"));
    }
    if (options.accept_burst_max > 0 && options.accept_rate_max == 0) {
        return fail(bad_option("accept_burst_max", "is set, and accept_rate_max is not"));
    }
    if (options.unix_mode.value_or(0) > kModeMax) {
        return fail(bad_option("unix_mode", "is above 0777").fix("0660 is owner and group"));
    }
    return {};
}

}  // namespace

Core::Core(Engine& face, EventHandler& handler, const Options& options,
           std::unique_ptr<Environment> environment)
    : face_(face),
      handler_(handler),
      asked_(options),
      options_(options),
      environment_(std::move(environment)),
      coordinator_(*this) {}

Core::~Core() = default;

// ── Booting ──────────────────────────────────────────────────────────────────────────────────

Result<void> Core::open(std::span<const std::string> addresses) {
    if (is_running(state()) || has_stuck_workers_) {
        return fail(Error(ErrorCode::already_running, "start")
                        .because(has_stuck_workers_ ? "a handler of the last run has not returned"
                                                    : "this engine has not stopped")
                        .fix("stop it first, or use another Engine"));
    }
    stop_request_.reset();
    wants_suspension_.store(false);
    move(LifecycleEvent::start);
    coordinator_.reset(system().descriptors_open());
    if (auto done = resolve_options(); !done) return fail(undo(std::move(done.error())));
    std::vector<std::string> wanted(addresses.begin(), addresses.end());
    if (auto done = handover_.take(wanted, inherited_); !done) {
        return fail(undo(std::move(done.error())));
    }
    const auto inherited = std::exchange(inherited_, {});
    endpoints_gate_.shut();
    if (auto done = listeners_.open(wanted, inherited); !done) {
        return fail(undo(std::move(done.error())));
    }
    handover_.note_lent();
    move(LifecycleEvent::bound);
    endpoints_gate_.open();
    if (auto done = open_workers(); !done) return fail(undo(std::move(done.error())));
    return {};
}

Result<void> Core::boot() {
    if (auto done = call_on_boot(); !done) return fail(undo(std::move(done.error())));
    listeners_.assign();
    if (auto done = handover_.confirm(); !done) return fail(undo(std::move(done.error())));
    stopped_during_boot_ = stop_request_.is_asked();
    move(LifecycleEvent::booted);
    adding_gate_.open();
    handover_.begin();
    statistics_.ready(system().now());
    log(LogLevel::info,
        "ready: " + std::to_string(workers_.size()) + " loops, driver " + driver_description());
    return {};
}

Error Core::undo(Error error) {
    handover_.end();
    dismantle();
    statistics_.start_failed(error);
    move(LifecycleEvent::fail);
    return error;
}

Result<void> Core::resolve_options() {
    options_ = asked_;
    if (options_.loops > kLoopsMax) return fail(bad_option("loops", "is above 255"));
    if (!workers_.empty()) {
        options_.loops = static_cast<unsigned>(workers_.size());  // as in the first run
    } else if (options_.loops == 0) {
        options_.loops = static_cast<unsigned>(std::min(environment_->usable_cpus(), kLoopsMax));
    }
    if (auto checked = check_busy_poll(options_.busy_poll); !checked) return checked;
    if (auto checked = check_limits(options_); !checked) return checked;
    if (auto checked = net::SettingsCheck("start", "Options::").all(options_); !checked) {
        return checked;
    }
    if (auto checked = check_bounds(options_); !checked) return checked;
    if (auto checked = net::check(options_.datagrams); !checked) return checked;
    if (auto checked = check_durations(options_); !checked) return checked;
    if (options_.connections_max == 0) {
        const std::size_t limit = system().descriptor_limit();
        const std::size_t used = system().descriptors_open() + 3 * std::size_t{options_.loops};
        const std::size_t reserve = std::min(kReserveMax, limit / 8) + used;
        options_.connections_max = limit > reserve ? limit - reserve : 1;
    }
    limit_.set_max(options_.connections_max);
    const bool hashes =
        options_.balance == Balance::source_hash || options_.address_connections_max > 0;
    if (hashes) hash_key_ = system().random();
    admission_.begin(options_, hash_key_);
    memory_.set_max(options_.memory_max);
    return {};
}

Result<void> Core::open_workers() {
    auto factory = environment_->choose_driver(
        options_.driver,
        {.read_budget = options_.read_budget, .datagram_bytes = options_.datagram_max});
    if (!factory) return fail(std::move(factory.error()));
    make_workers();
    for (const auto& worker : workers_) {
        const auto opened = worker->open(*factory);
        if (!opened) return fail(Error::from_errno("open driver", opened.errno_value()));
    }
    const auto reserve = system().open_reserve();
    if (!reserve) return fail(Error::from_errno("open", reserve.errno_value()));
    reserve_ = *reserve;
    return {};
}

// Once: other threads may hold on to them from then on.
void Core::make_workers() {
    if (!workers_.empty()) return;
    for (std::size_t index = 0; index < options_.loops; ++index) {
        workers_.push_back(std::make_unique<Worker>(*this, index));
    }
    worker_count_.store(workers_.size(), std::memory_order_release);
}

Result<void> Core::call_on_boot() {
    const Presence presence(*this);
    try {
        handler_.on_boot(face_);
        return {};
    } catch (const std::exception& exception) {
        return fail(Error(ErrorCode::handler_failed, "on_boot").because(exception.what()));
    } catch (...) {
        return fail(Error(ErrorCode::handler_failed, "on_boot").because("not a std::exception"));
    }
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────

// A stuck worker's thread may come back any time and look at its memory: it is left as it is.
void Core::dismantle() {
    for (const auto& worker : workers_) {
        if (is_stopping(state()) && !worker->has_left()) {
            has_stuck_workers_ = true;
        } else {
            worker->shut();
        }
    }
    // First, because removing a path takes a descriptor, to lock its directory with.
    if (driver::is_open(reserve_)) {
        system().close(std::exchange(reserve_, driver::Descriptor::none));
    }
    listeners_.release(!has_stuck_workers_);
}

template <class Call>
void Core::call_handler(const char* callback, Call&& call) {
    try {
        call();
    } catch (const std::exception& exception) {
        log(LogLevel::error, std::string("handler ") + callback + " threw: " + exception.what());
    } catch (...) {
        log(LogLevel::error, std::string("handler ") + callback + " threw");
    }
}

void Core::call_on_reload() {
    call_handler("on_reload", [&] { handler_.on_reload(face_); });
}

void Core::call_on_shutdown(const StopReport& report) {
    call_handler("on_shutdown", [&] { handler_.on_shutdown(report); });
}

void Core::call_on_listener_closed(const ListenerReport& report) {
    call_handler("on_listener_closed", [&] { handler_.on_listener_closed(face_, report); });
}

bool Core::move(LifecycleEvent event) {
    const EngineState before = state();
    const auto next = next_state(before, event);
    if (!next) return false;
    state_.store(*next, std::memory_order_release);
    state_.notify_all();
    if (*next != EngineState::stopped) log_transition(before, *next);
    for (Observer& observer : observers_) observer(before, *next);
    return true;
}

void Core::log_transition(EngineState from, EngineState to) const {
    const bool stops = is_stopping(to);
    const std::string by = stops ? stop_request_.source().to_string() : std::string();
    std::optional<Duration> left;
    if (stops && !deadline().is_never()) left = deadline() - system().now();
    log(LogLevel::info,
        transition_line(
            {.from = from, .to = to, .by = by, .connections = limit_.count(), .left = left}));
}

// ── Listeners ────────────────────────────────────────────────────────────────────────────────

void Core::suspend_listeners() {
    for (const auto& worker : workers_) worker->suspend_listeners();
}

void Core::resume_listeners() {
    for (const auto& worker : workers_) worker->resume_listeners();
}

bool Core::listeners_are_suspended() const {
    return std::ranges::all_of(
        workers_, [](const auto& worker) { return worker->listeners_are_suspended(); });
}

StopReport::Sample Core::connections_by_state(Duration at) const {
    StopReport::Sample sample{.at = at};
    for (const auto& worker : workers_) {
        const net::LoopCounters& counters = worker->counters();
        const auto count = [](const base::Gauge& gauge) {
            return static_cast<std::uint64_t>(gauge.value());
        };
        sample.serving += count(counters.connecting) + count(counters.open);
        sample.flushing += count(counters.draining);
        sample.lingering += count(counters.lingering);
    }
    return sample;
}

// ── Any thread ───────────────────────────────────────────────────────────────────────────────

void Core::wait_until_ended() const {
    for (EngineState now = state(); is_running(now); now = state()) state_.wait(now);
}

void Core::request_stop(StopSource source) { request_stop(source, system().now() + asked_.drain); }

void Core::request_stop(StopSource source, Deadline deadline) {
    if (!is_running(state())) return;
    stop_request_.ask(source, deadline);
    progress();
}

void Core::want_suspension(bool wanted) {
    wants_suspension_.store(wanted);
    progress();
}

Result<std::size_t> Core::add_listener(std::string_view address, const DatagramOptions& datagrams) {
    const auto refused = [&](const std::string& why) {
        return fail(
            Error(ErrorCode::not_running, "add_listener").at(std::string(address)).because(why));
    };
    const base::ReaderGate::Visit visit(adding_gate_);
    const EngineState now = state();
    if (!visit.is_inside()) return refused("the engine is " + std::string(to_string(now)));
    if (handover_.is_busy()) return refused("another generation is taking over");
    if (auto checked = net::check(datagrams); !checked) return fail(std::move(checked.error()));
    auto added = listeners_.add_while_running(address, datagrams);
    if (added) progress();
    return added;
}

void Core::stop_adding_listeners() {
    adding_gate_.shut();
    static_cast<void>(listeners_.assign_added());
}

bool Core::request_close(std::size_t listener, Deadline deadline) {
    const bool serves = state() == EngineState::ready || state() == EngineState::suspended;
    if (!serves || !listeners_.request_close(listener, deadline)) return false;
    progress();
    return true;
}

void Core::progress() {
    if (wake_coordinator_) wake_coordinator_();
}

void Core::connection_gone() {
    if (is_stopping(state()) && limit_.count() == 0) progress();
}

void Core::log(LogLevel level, std::string_view message) const {
    Logger& logger = asked_.logger != nullptr ? *asked_.logger : default_logger();
    try {
        logger.log(level, message);
    } catch (...) {  // a logger that throws takes neither the server nor the message with it
        default_logger().log(level, message);
    }
}

// ── Presence ─────────────────────────────────────────────────────────────────────────────────

namespace {

thread_local const Core* core_of_this_thread = nullptr;

}  // namespace

Core::Presence::Presence(const Core& core) : previous_(std::exchange(core_of_this_thread, &core)) {}

Core::Presence::~Presence() { core_of_this_thread = previous_; }

bool Core::is_present_here() const { return core_of_this_thread == this; }

}  // namespace berth::engine
