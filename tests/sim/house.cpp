// SPDX-License-Identifier: MIT
//
// House: starting, stepping, and what is checked when an engine has stopped.

#include "sim/house.hpp"

#include "net/port_diagnosis_decision.hpp"
#include "net/port_trial.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

// How much later than its deadline a stop may be over: the calls that it takes, and an address
// that somebody else has for a moment.
constexpr Duration kPatience = 50ms + net::kTeardown;
// The same of a listener that is closed alone, with descriptors to wait for.
constexpr Duration kClosingPatience = 2s;
constexpr std::size_t kFirstNumber = 3;  // of descriptors, which the limit is about
constexpr std::size_t kMoreThanAnybodySends = 16U << 20U;
constexpr Duration kLongerThanAnybodyPauses = 1s;

}  // namespace

void TraceLogger::log(LogLevel, std::string_view message) {
    findings_.trace(kernel_.now(), [&] { return "log: " + std::string(message); });
}

House::House(driver::sim::Kernel& kernel, const Handler::World& world, const EnginePlan& plan,
             std::size_t number, Logger& logger)
    : kernel_(kernel),
      world_(world),
      plan_(plan),
      number_(number),
      handler_(world, plan, number),
      engine_(kernel, plan, handler_, logger) {
    handler_.bind(engine_.engine());
    handler_.on_report([this](const StopReport& report) { check_report(report); });
}

void House::violated(const char* name, const std::string& facts) {
    world_.findings.violated(name, "engine " + std::to_string(number_) + ": " + facts);
}

void House::limit(std::optional<std::size_t> room) {
    sim::Process& process = engine_.process();
    is_limited_ = room.has_value();
    was_limited_ = was_limited_ || is_limited_;
    process.limit_descriptors(room ? kFirstNumber + process.descriptors_open() + *room
                                   : sim::Process::kDescriptorsMax);
}

void House::close_listener(std::size_t index, Deadline deadline) {
    // Before: it may be done while the call lasts.
    handler_.expect_closing(index);
    if (!engine_.engine().close_listener(index, deadline)) return;
    closed_by_ = std::max({closed_by_, deadline, kernel_.now()});
    ++closings_;
}

bool House::is_full() const {
    const sim::Process& process = engine_.process();
    return engine_.connections() >= engine_.core().options().connections_max || is_limited_ ||
           process.descriptors_open() >= process.descriptors_max();
}

House::Holder House::holds(const std::string& address) const {
    const bool is_ours =
        std::ranges::find(plan_.addresses, address, &Address::listen) != plan_.addresses.end();
    if (!is_ours || !engine_.is_running()) return Holder::nobody;
    const auto index = static_cast<std::size_t>(
        std::ranges::find(plan_.addresses, address, &Address::listen) - plan_.addresses.begin());
    if (handler_.is_closing(index)) return Holder::perhaps;
    return engine_.is_stopping() ? Holder::perhaps : Holder::other;
}

bool House::is_free(const std::string& address) {
    sim::Process stranger(kernel_);
    sim::SimSystem system(stranger);
    const Endpoint endpoint = *Endpoint::parse(address);
    if (net::PortTrial::is_path(endpoint)) {
        return system.inspect(endpoint.name())->kind == driver::PathFacts::Kind::missing;
    }
    for (;;) {
        const auto tried = net::PortTrial(system, endpoint).bind();
        if (tried || tried.errno_value() == EADDRINUSE) return tried.has_value();
    }  // short of memory, by chance
}

// ── Starting ─────────────────────────────────────────────────────────────────────────────────

void House::start(const StartEngine& plan, Holder holder) {
    if (engine_.is_running()) {
        const auto again = engine_.start_again();
        if (again || again.error().code() != ErrorCode::already_running) {
            violated("started-twice", again ? "it did" : again.error().to_string());
        }
        return;
    }
    sim::Process& process = engine_.process();
    descriptors_ = process.descriptors_open();
    free_before_.clear();
    for (const Address& address : plan_.addresses) {
        if (is_free(address.listen)) free_before_.push_back(address.listen);
    }
    if (plan.descriptors) limit(plan.descriptors);
    handler_.begin_run(starts_++ == 0);
    deadline_ = over_by_ = Deadline::never();
    was_limited_ = false;
    bytes_.reset();
    closed_by_ = {};
    closings_ = 0;
    const auto started = engine_.start();
    if (plan.descriptors) limit({});
    world_.findings.trace(kernel_.now(), [&] {
        return "engine " + std::to_string(number_) +
               (started ? " started" : " did not start: " + started.error().to_string());
    });
    if (!started) return check_failed_start(started.error(), holder);
    if (holder == Holder::other)
        violated("address-not-exclusive", "it listens where somebody else does");
}

void House::check_failed_start(const Error& error, Holder holder) {
    if (error.code() == ErrorCode::address_in_use && holder == Holder::nobody) {
        violated("address-in-use", "by nobody: " + error.to_string());
    }
    if (engine_.process().descriptors_open() != descriptors_) {
        violated("descriptors-leaked", "by a start that failed: " + error.to_string());
    }
    if (engine_.engine().state() != EngineState::failed) {
        violated("wrong-state", "after a start that failed");
    }
    if (handler_.was_shut_down()) violated("shut-down-without-run", error.to_string());
    if (holder != Holder::nobody) return;
    for (const std::string& address : free_before_) {
        if (!is_free(address)) violated("address-not-released", address);
    }
}

// ── Running ──────────────────────────────────────────────────────────────────────────────────

void House::step(std::size_t actor) {
    if (!engine_.is_stopping()) at_stop_ = handler_.tally();
    // A deadline that has passed is one that begins now.
    const Deadline deadline = engine_.core().deadline();
    if (deadline != deadline_) over_by_ = std::max(deadline, kernel_.now()) + kPatience;
    deadline_ = deadline;
    engine_.step(actor);
    if (!engine_.is_running()) check_stopped();
}

Instant House::listeners_due() const {
    const bool are_closed = handler_.closed_listeners() == closings_;
    if (are_closed || !engine_.is_running() || engine_.is_stopping()) return {};
    return closed_by_ + kClosingPatience;
}

void House::check_listeners_closed() {
    if (const Instant due = listeners_due(); due != Instant{} && kernel_.now() >= due) {
        violated("listener-never-closed", std::to_string(closings_) + " were to be");
    }
}

void House::fell_asleep() {
    const std::size_t connections = engine_.connections();
    if (connections >= engine_.core().options().connections_max) handler_.is_full_at(connections);
    handler_.alarms().fell_asleep(kernel_.now());
    if (plan_.options.idle_timeout > Duration::zero()) check_idle();
}

void House::check_idle() {
    const Duration idle = plan_.options.idle_timeout;
    for (const auto& [id, talk] : handler_.talks()) {
        if (talk.closed || kernel_.now() <= talk.link->last_activity + idle + kPatience) continue;
        const auto* connection = engine_.core().worker(talk.id.loop()).table().find(talk.id);
        if (connection == nullptr || !net::may_write(connection->state())) continue;
        violated("idle-for-too-long",
                 "connection " + std::to_string(id) + ", " + talk.link->name() + ", since " +
                     std::to_string(talk.link->last_activity.since_epoch.count()));
    }
}

void House::check_stopped() {
    handler_.check_end();
    const std::size_t dropped = world_.calls.check_ended(number_);
    if (dropped > engine_.report().tasks.cancelled) {
        violated("task-lost", std::to_string(dropped) + " of those posted to loops");
    }
    if (!handler_.was_shut_down()) violated("never-shut-down", "the engine has stopped");
    if (kernel_.now() > over_by_) {
        violated("deadline-missed", engine_.report().to_string());
    }
    if (engine_.connections() != 0) violated("connections-left", "in the count");
    for (std::size_t i = 0; i < engine_.core().worker_count(); ++i) {
        if (engine_.core().worker(i).table().size() != 0) violated("connections-left", "in slots");
    }
    if (engine_.process().descriptors_open() != descriptors_) {
        violated("descriptors-leaked", std::to_string(engine_.process().descriptors_open()) +
                                           " are open, " + std::to_string(descriptors_) +
                                           " were before the start");
    }
}

// ── The report ───────────────────────────────────────────────────────────────────────────────

void House::check_report(const StopReport& report) {
    check_outcome(report);
    check_listeners(report);
    check_counts(report);
    check_asked(report);
    remember_emptied(report);
    const StopReport::Bytes& bytes = report.bytes;
    bytes_ = bytes;
    if (bytes.written != bytes.acknowledged + bytes.discarded + bytes.unconfirmed) {
        violated("report-bytes", report.to_json());
    }
    if (report.descriptors.before != descriptors_ ||
        report.descriptors.after != engine_.process().descriptors_open()) {
        violated("report-descriptors", report.to_json());
    }
    if (!report.loops.stuck.empty() || report.loops.joined != engine_.core().worker_count()) {
        violated("report-loops", report.to_json());
    }
}

void House::check_outcome(const StopReport& report) {
    const bool held = std::ranges::any_of(report.listeners, &ListenerReport::is_held);
    const bool lost = report.connections.forced > 0 || report.bytes.discarded > 0;
    const StopOutcome outcome = held   ? StopOutcome::port_held
                                : lost ? StopOutcome::forced
                                : engine_.core().was_stopped_during_boot()
                                    ? StopOutcome::cancelled_during_boot
                                    : StopOutcome::clean;
    if (report.outcome != outcome) violated("report-outcome", report.to_json());
}

void House::check_listeners(const StopReport& report) {
    if (report.listeners.size() != plan_.addresses.size()) {
        violated("report-listeners", report.to_json());
        return;
    }
    if (!plan_.options.verify) return;
    for (std::size_t index = 0; index < report.listeners.size(); ++index) {
        if (handler_.is_closing(index)) continue;  // tried when it was closed
        const StopReport::Listener& listener = report.listeners[index];
        const std::string address = listener.endpoint.to_string();
        const bool is_short = listener.cause.find("EADDRINUSE") == std::string::npos &&
                              listener.cause.find("in use") == std::string::npos;
        if (!listener.released && is_short) continue;  // of descriptors or of memory
        // What was so when it was tried may be otherwise now.
        const bool is_long_ago = report.duration >= net::kTeardown;
        if (listener.released != is_free(address) && !is_long_ago)
            violated("report-listeners", report.to_json());
        if (!listener.released && ask_(address) == Holder::nobody) {
            violated("address-not-released", report.to_json());
        }
    }
}

// With time enough nobody is cut off who was never asked to drain.
void House::check_asked(const StopReport& report) {
    if (report.duration < 900ms) return;
    for (const Talk* talk : handler_.ended_by_stop()) {
        const Link& link = *talk->link;
        if (!link.civil || link.doubtful || link.disturbed) continue;
        if (!talk->drained && talk->was_cut) violated("never-asked", link.name());
    }
}

bool House::sends_away() const {
    const Options& options = plan_.options;
    return options.listener_connections_max > 0 || options.address_connections_max > 0 ||
           options.accept_rate_max > 0;
}

// Nothing excuses a reset where the queue had time, room and descriptors to be emptied.
void House::remember_emptied(const StopReport& report) {
    const auto& weather = world_.schedule.weather;
    // One that is refused may send a little, and for a while; then it is reset, and on purpose.
    const Options& options = plan_.options;
    const bool refuses = options.late_accept == LateAccept::refuse || sends_away();
    const bool bounds_the_refused = refuses && (options.linger_bytes_max < kMoreThanAnybodySends ||
                                                options.linger < kLongerThanAnybodyPauses);
    const bool has_excuse = was_limited_ || bounds_the_refused || weather.aborted_accept != 0 ||
                            weather.short_of_memory != 0 || options.backlog < 100 ||
                            engine_.core().was_stopped_during_boot();
    const auto quiesce =
        std::ranges::find(report.phases, std::string_view("quiesce"), &StopReport::Phase::name);
    if (has_excuse || quiesce == report.phases.end()) return;
    const Instant began = kernel_.now() - report.duration + quiesce->start;
    const Duration most = std::min(options.quiesce_max, (deadline_ - began) / 10);
    if (quiesce->duration + 1ms >= most) return;
    for (std::size_t index = 0; index < report.listeners.size(); ++index) {
        const auto& listener = report.listeners[index];
        const bool is_exact = listener.quiesce == "syn_filter" || listener.quiesce == "ttl";
        if (is_exact && !handler_.is_closing(index)) emptied_.insert({starts_, index});
    }
}

bool House::was_emptied(std::size_t address, std::size_t run) const {
    return starts_ == 1 && emptied_.contains({run, address});
}

// Written is what the handler wrote; discarded never came, unconfirmed may have come.
void House::check_bytes() {
    if (!bytes_) return;
    // Whether one that ended with its listener, as the stop began, is of the stop, is open.
    for (std::size_t index = 0; index < plan_.addresses.size(); ++index) {
        if (handler_.is_closing(index)) return;
    }
    std::uint64_t written = 0;
    std::uint64_t missed = 0;
    for (const Talk* talk : handler_.ended_by_stop()) {
        const Link& link = *talk->link;
        const End& peer = link.ends[kDialer];
        const bool is_known = talk->side == kAcceptor && talk->drained && peer.is_peer &&
                              peer.knows_all && !link.doubtful && !link.disturbed && !link.is_unix;
        if (!is_known) return;
        written += link.ends[kAcceptor].sent[kOwn];
        missed += link.ends[kAcceptor].sent[kOwn] - peer.received[kOwn];
    }
    const std::string facts = std::to_string(written) + " written, " + std::to_string(missed) +
                              " missed; reported " + std::to_string(bytes_->written) +
                              " written, " + std::to_string(bytes_->discarded) + " discarded, " +
                              std::to_string(bytes_->unconfirmed) + " unconfirmed";
    if (written != bytes_->written) violated("report-bytes-written", facts);
    if (missed < bytes_->discarded || missed > bytes_->discarded + bytes_->unconfirmed) {
        violated("report-bytes-lost", facts);
    }
}

void House::check_counts(const StopReport& report) {
    const Tally& now = handler_.tally();
    for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
        if (report.connections.closed[reason] == now.closed[reason] - at_stop_.closed[reason]) {
            continue;
        }
        violated("report-closed", report.to_json());
    }
    const auto since = [&](CloseReason reason) {
        const auto index = static_cast<std::size_t>(reason);
        return now.closed[index] - at_stop_.closed[index];
    };
    const auto forced = since(CloseReason::stop_forced) + since(CloseReason::user_timeout);
    // Of a listener that ended before, some may have been cut off before the stop began.
    const bool may_be_less = handler_.is_closing_any() && report.connections.forced < forced;
    if (report.connections.forced != forced && !may_be_less) {
        violated("report-forced", report.to_json());
    }
    if (report.handler_exceptions != now.thrown) {
        violated("report-exceptions",
                 std::to_string(now.thrown) + " were thrown: " + report.to_json());
    }
    if (report.connections.opened_during_stop < now.accepted - at_stop_.accepted) {
        violated("report-opened", report.to_json());
    }
}

}  // namespace berth::simulation
