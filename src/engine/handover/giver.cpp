// SPDX-License-Identifier: MIT
//
// Giver: from stage to stage, and back.

#include "engine/handover/giver.hpp"

#include "engine/core.hpp"
#include "engine/handover/failure.hpp"
#include "engine/log_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::engine::handover {

using driver::Descriptor;

namespace {

constexpr Duration kStatusInterval = std::chrono::seconds{1};

}  // namespace

Giver::Giver(Core& core, Counts& counts)
    : core_(core),
      counts_(counts),
      meeting_point_(core.system()),
      channel_(core.system()),
      departure_(core) {}

// ── From ready to the end of the run ─────────────────────────────────────────────────────────

void Giver::begin(const std::string& path, bool is_successor) {
    path_ = path;
    counts_.successor.store(0);
    if (path_.empty()) return;
    using Replace = MeetingPoint::Replace;
    const auto waits =
        meeting_point_.wait_at(path_, is_successor ? Replace::any_socket : Replace::stale_only);
    if (!waits) log(LogLevel::error, "wait", waits.error().to_string());
}

void Giver::end(std::string_view outcome) {
    if (stage_ == Stage::leaving) static_cast<void>(say(Bye{std::string(outcome)}));
    departure_.give_up_all();
    departure_.collect();
    part();
    const Descriptor made = made_.exchange(Descriptor::none);
    if (driver::is_open(made)) core_.system().close(made);
    meeting_point_.leave();
}

Instant Giver::advance() {
    again_ = Instant::never();
    if (is_stopping(core_.state())) meeting_point_.leave();  // who comes now starts for itself
    welcome();
    listen();
    departure_.collect();
    while (step()) {
    }
    return next_look();
}

void Giver::watch(std::vector<int>& into) const {
    if (meeting_point_.is_waiting()) into.push_back(driver::number(meeting_point_.descriptor()));
    if (channel_.is_open()) into.push_back(driver::number(channel_.descriptor()));
}

Instant Giver::next_look() const {
    const Instant departure =
        stage_ == Stage::exporting ? departure_.next_look() : Instant::never();
    const Instant status = stage_ == Stage::leaving ? next_status_ : Instant::never();
    return std::min({stage_end_, again_, departure, status});
}

// ── Successors ───────────────────────────────────────────────────────────────────────────────

void Giver::offer_to(Descriptor channel) {
    made_.store(channel);
    core_.progress();
}

void Giver::welcome() {
    const Descriptor made = made_.exchange(Descriptor::none);
    if (driver::is_open(made)) meet(made);
    while (meeting_point_.is_waiting()) {
        const auto came = meeting_point_.welcome();
        if (!came) return;
        const bool is_trusted = is_same_user(core_.system(), *came);
        if (is_trusted && reserve()) {
            meet(*came);
        } else {
            refuse(core_.system(), *came,
                   is_trusted ? "another generation is taking over" : "it runs as another user");
        }
    }
}

void Giver::meet(Descriptor socket) {
    channel_.open(socket);
    enter(Stage::greeting);
}

std::string_view Giver::reason_to_refuse() const {
    if (core_.stop_request().is_asked()) return "it is stopping";
    if (core_.state() == EngineState::suspended) return "it is suspended";
    if (core_.state() != EngineState::ready) return "it is not ready";
    if (core_.handover().hears_predecessor()) return "the generation before it has not ended";
    return {};
}

// ── What it says ─────────────────────────────────────────────────────────────────────────────

void Giver::listen() {
    while (channel_.is_open()) {
        const auto arrival = channel_.receive();
        if (arrival.errno_value() == EAGAIN) return;
        if (!arrival) {
            lose(reason_of(arrival.errno_value()));
        } else if (!obey(arrival->message)) {
            lose("the successor spoke out of turn");
        }
    }
}

bool Giver::obey(const Message& message) {
    if (const auto* hello = std::get_if<Hello>(&message)) return greet(*hello);
    if (const auto* adopted = std::get_if<Adopted>(&message)) {
        if (stage_ != Stage::adopting) return false;
        if (std::size_t{adopted->adopted} + adopted->returned != offered_.size()) return false;
        enter(Stage::booting);
        return true;
    }
    if (std::holds_alternative<Ready>(message)) {
        if (stage_ != Stage::booting) return false;
        enter(Stage::suspending);
        core_.suspend_listeners();
        return true;
    }
    if (std::holds_alternative<Rollback>(message)) {
        if (stage_ == Stage::leaving) return true;  // FINAL was on its way
        roll_back("the successor stops");
        return true;
    }
    if (const auto* imported = std::get_if<Imported>(&message)) {
        departure_.imported(imported->serial, imported->is_taken);
        return stage_ >= Stage::exporting;
    }
    return false;
}

bool Giver::greet(const Hello& hello) {
    if (stage_ != Stage::greeting) return false;
    if (const auto reason = reason_to_refuse(); !reason.empty()) return give_up(reason), true;
    successor_ = static_cast<std::int64_t>(hello.process);
    offered_ = core_.handover().offer(sockets_);
    sent_ = 0;
    enter(Stage::offering);
    log(LogLevel::info, "offered");
    return true;
}

// ── What it is told ──────────────────────────────────────────────────────────────────────────

bool Giver::step() {
    if (stage_ == Stage::alone) return false;
    if (!has_committed()) {
        if (core_.stop_request().is_asked()) return give_up("it is stopping"), true;
        if (core_.system().now() >= stage_end_)
            return give_up("the time for this step is over"), true;
    }
    switch (stage_) {
        case Stage::offering: return send_offer();
        case Stage::suspending: return commit();
        case Stage::probation: return end_probation();
        case Stage::exporting: return export_connections();
        case Stage::leaving: return tell_status();
        default: return false;
    }
}

// False: it was not said, and the reason was dealt with.
bool Giver::say(const Message& message, std::span<const Descriptor> attached) {
    const auto said = channel_.send(message, attached);
    if (said) return true;
    if (said.errno_value() == EAGAIN) {
        again_ = core_.system().now() + kTryAgainAfter;
    } else {
        lose(reason_of(said.errno_value()));
    }
    return false;
}

bool Giver::send_offer() {
    const std::size_t count = std::min(kOfferMax, offered_.size() - sent_);
    const bool is_last = sent_ + count == offered_.size();
    const auto part_of = [&](const auto& all) { return std::span(all).subspan(sent_, count); };
    const auto described = part_of(offered_);
    const Offer offer{.generation = counts_.generation.load(),
                      .is_last = is_last,
                      .sockets = {described.begin(), described.end()}};
    if (!say(offer, part_of(sockets_))) return false;
    sent_ += count;
    if (is_last) enter(Stage::adopting);
    return true;
}

bool Giver::commit() {
    if (core_.state() != EngineState::ready) return give_up("it is not ready any more"), true;
    if (!core_.listeners_are_suspended() || !say(Commit{})) return false;
    counts_.committed.add();
    counts_.successor.store(successor_);
    enter(Stage::probation);
    core_.handover().share_listeners();
    core_.move(LifecycleEvent::commit);
    log(LogLevel::info, "committed");
    return true;
}

bool Giver::end_probation() {
    const bool is_stopping = core_.stop_request().is_asked();
    if (!is_stopping && core_.system().now() < stage_end_) return false;
    enter(Stage::exporting);
    if (!is_stopping) departure_.begin();
    return true;
}

bool Giver::export_connections() {
    if (core_.stop_request().is_asked()) departure_.stop_sending();
    const auto sent = departure_.advance(channel_);
    if (!sent) {
        lose(reason_of(sent.errno_value()));
        return true;
    }
    if (!departure_.is_done()) {
        if (core_.system().now() < stage_end_) return false;
        log(LogLevel::warning, "exported", "the successor does not answer");
        departure_.give_up_all();
    }
    return say_final();
}

bool Giver::say_final() {
    if (!say(Final{})) return false;
    enter(Stage::leaving);
    next_status_ = core_.system().now() + kStatusInterval;
    told_ = core_.limit().count();
    log(LogLevel::info, "final");
    core_.request_stop(StopSource::Kind::handover);
    return true;
}

bool Giver::tell_status() {
    const Instant now = core_.system().now();
    if (!channel_.is_open() || now < next_status_) return false;
    next_status_ = now + kStatusInterval;
    const std::uint64_t left = core_.limit().count();
    if (std::exchange(told_, left) != left) static_cast<void>(say(DrainStatus{left}));
    return false;
}

// ── Stages ───────────────────────────────────────────────────────────────────────────────────

void Giver::enter(Stage stage) {
    stage_ = stage;
    const Instant now = core_.system().now();
    switch (stage) {
        case Stage::alone:
        case Stage::leaving: stage_end_ = Instant::never(); break;
        case Stage::probation: stage_end_ = now + core_.options().probation; break;
        default: stage_end_ = now + core_.options().handover_timeout;
    }
}

void Giver::lose(std::string_view why) {
    if (!has_committed()) return give_up(why);
    if (stage_ != Stage::leaving) return roll_back(why);
    channel_.close();
}

void Giver::give_up(std::string_view why) {
    static_cast<void>(channel_.send(Refused{std::string(why)}));
    if (stage_ == Stage::suspending) core_.resume_listeners();
    counts_.failed.add();
    log(LogLevel::warning, "failed", why);
    part();
}

void Giver::roll_back(std::string_view why) {
    departure_.take_back_all();
    counts_.rolled_back.add();
    counts_.successor.store(0);
    core_.handover().own_listeners();
    core_.resume_listeners();
    wait_again();
    core_.move(LifecycleEvent::roll_back);
    static_cast<void>(channel_.send(Resumed{}));
    log(LogLevel::warning, "rolled_back", why);
    part();
}

// In the place of the successor, which leaves it only after RESUMED: who comes next finds one of
// the two, and never starts for himself on a port that is taken.
void Giver::wait_again() {
    if (path_.empty() || meeting_point_.is_found()) return;
    const auto waits = meeting_point_.wait_at(path_, MeetingPoint::Replace::any_socket);
    if (!waits) log(LogLevel::error, "wait", waits.error().to_string());
}

void Giver::part() {
    channel_.close();
    enter(Stage::alone);
    offered_.clear();
    sockets_.clear();
    release();
}

void Giver::log(LogLevel level, std::string_view step, std::string_view why) const {
    LogLine line("handover");
    line.field("step", step).field("generation", counts_.generation.load());
    if (successor_ != 0) line.field("successor", static_cast<std::uint64_t>(successor_));
    if (!why.empty()) line.field("why", why);
    core_.log(level, line.text());
}

}  // namespace berth::engine::handover
