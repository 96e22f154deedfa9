// SPDX-License-Identifier: MIT
//
// Taker: asking, claiming, confirming, and giving back.

#include "engine/handover/taker.hpp"

#include "engine/core.hpp"
#include "engine/handover/claims.hpp"
#include "engine/handover/failure.hpp"
#include "engine/log_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::engine::handover {

using driver::Descriptor;

namespace {

// A generation that is asked to take its listeners back answers at once, or hangs.
constexpr Duration kRollbackPatience = std::chrono::seconds{1};

Result<std::vector<Wish>> wishes_of(driver::System& system,
                                    std::span<const std::string> addresses) {
    std::vector<Wish> wishes;
    for (const std::string& address : addresses) {
        auto endpoint = Endpoint::parse(address);
        if (!endpoint) return fail(std::move(endpoint.error()));
        driver::PathFacts path;
        if (endpoint->is_unix() && !endpoint->is_abstract()) {
            path = system.inspect(endpoint->name()).value_or(path);
        }
        wishes.push_back({.endpoint = std::move(*endpoint), .asked = address, .path = path});
    }
    return wishes;
}

// What the socket is bound to; nothing if it is not the one that was described.
std::optional<Endpoint> real_endpoint(driver::System& system, Descriptor socket,
                                      const OfferedSocket& offered) {
    const auto described = Endpoint::parse(offered.address);
    if (!described || system.inode(socket).value_or(0) != offered.inode) return {};
    const auto real = system.local_endpoint(socket, described->scheme());
    if (!real || *real != *described) return {};
    return *real;
}

// An address keeps its scheme and gets what was left open; a Unix one stays as it is.
void adopt(Wish& wish, const Endpoint& real, Descriptor socket,
           std::vector<InheritedSocket>& into) {
    if (!real.is_unix()) wish.endpoint = Endpoint(wish.endpoint.scheme(), real.ip());
    wish.asked = wish.endpoint.to_string();
    into.push_back({.endpoint = wish.endpoint, .descriptor = socket, .name = {}});
}

}  // namespace

Taker::Taker(Core& core) : core_(core), channel_(core.system()), arrivals_(core) {}

void Taker::reset() {
    end();
    enter(Stage::absent);
    generation_ = 0;
    matches_.clear();
    lent_.clear();
}

void Taker::end() {
    channel_.close();
    offered_.clear();
    attached_.clear();
    answers_.clear();
}

void Taker::enter(Stage stage) {
    stage_ = stage;
    const Instant now = core_.system().now();
    const bool waits = stage == Stage::asking || stage == Stage::confirming;
    stage_end_ = waits ? now + core_.options().handover_timeout : Instant::never();
    if (stage == Stage::rolling_back) stage_end_ = now + kRollbackPatience;
}

Error Taker::failed(std::string why) const {
    return Error(ErrorCode::handover_failed, "take over")
        .at(core_.options().handover.empty() ? "the process that started this one"
                                             : "unixpacket:" + core_.options().handover)
        .because("the running generation serves on: " + std::move(why))
        .fix("start it again, or stop the running one first");
}

// ── The start ────────────────────────────────────────────────────────────────────────────────

Result<void> Taker::ask(Descriptor socket) {
    channel_.open(socket);
    failure_.clear();
    if (!is_same_user(core_.system(), socket)) return fail(failed("it runs as another user"));
    enter(Stage::asking);
    const Hello hello{.process = static_cast<std::uint64_t>(core_.system().process_id())};
    say(hello);
    return wait_for(Stage::offered);
}

// Where nobody hears it any more, the reason may have been said before: it is read next.
void Taker::say(const Message& message) {
    const auto said = channel_.send(message);
    if (!said && said.errno_value() != EPIPE) lose(reason_of(said.errno_value()));
}

Result<void> Taker::wait_for(Stage stage) {
    for (;;) {
        listen();
        if (!failure_.empty()) return fail(failed(failure_));
        if (stage_ >= stage) return {};  // the next word may have come with it
        const Instant now = core_.system().now();
        if (stage == Stage::probation && core_.stop_request().is_asked()) {
            channel_.close();
            enter(Stage::returned);
            return {};
        }
        if (now >= stage_end_) return fail(failed("it did not answer in time"));
        core_.wait(stage_end_ - now, channel_.descriptor());
    }
}

bool Taker::take_offer(const Offer& offer, Attached& attached) {
    if (stage_ != Stage::asking || offer.sockets.size() != attached.size()) return false;
    generation_ = offer.generation + 1;
    offered_.insert(offered_.end(), offer.sockets.begin(), offer.sockets.end());
    attached_.push_back(std::move(attached));
    if (offer.is_last) enter(Stage::offered);
    return true;
}

Result<void> Taker::claim(std::vector<std::string>& addresses, std::vector<InheritedSocket>& into) {
    auto wishes = wishes_of(core_.system(), addresses);
    if (!wishes) return fail(std::move(wishes.error()));
    matches_ = match(*wishes, offered_);
    lent_.assign(matches_.size(), false);
    Adopted counted;
    std::size_t index = 0;
    for (Attached& some : attached_) {
        for (std::size_t place = 0; place < some.size(); ++place, ++index) {
            const auto listener = listener_of(offered_[index].listener);
            ++(listener ? counted.adopted : counted.returned);
            if (!listener) continue;
            const auto real = real_endpoint(core_.system(), some[place], offered_[index]);
            if (!real) return fail(failed("what came is not what it offered"));
            lent_[*listener] = offered_[index].is_lent;
            adopt((*wishes)[*listener], *real, some.take(place), into);
        }
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) addresses[i] = (*wishes)[i].asked;
    attached_.clear();  // returns what is left
    offered_.clear();
    say(counted);
    return {};
}

std::optional<std::size_t> Taker::listener_of(std::uint32_t before) const {
    const auto found = std::ranges::find(matches_, std::optional(before));
    if (found == matches_.end()) return {};
    return static_cast<std::size_t>(found - matches_.begin());
}

Result<void> Taker::confirm() {
    if (stage_ == Stage::absent) return {};
    enter(Stage::confirming);
    say(Ready{});
    return wait_for(Stage::probation);
}

// ── What it hears ────────────────────────────────────────────────────────────────────────────

void Taker::listen() {
    while (channel_.is_open()) {
        auto arrival = channel_.receive();
        if (arrival.errno_value() == EAGAIN) return;
        if (!arrival) {
            lose(reason_of(arrival.errno_value()));
        } else if (!obey(*arrival)) {
            lose("it spoke out of turn");
        }
    }
}

bool Taker::obey(Arrival& arrival) {
    Message& message = arrival.message;
    if (const auto* offer = std::get_if<Offer>(&message))
        return take_offer(*offer, arrival.attached);
    if (auto* passenger = std::get_if<Passenger>(&message))
        return board(*passenger, arrival.attached);
    if (const auto* refused = std::get_if<Refused>(&message)) {
        if (stage_ > Stage::confirming) return false;
        lose(refused->reason);
        return true;
    }
    if (std::holds_alternative<Commit>(message)) {
        if (stage_ != Stage::confirming) return false;
        enter(Stage::probation);
        log("committed");
        return true;
    }
    if (std::holds_alternative<Resumed>(message)) {
        if (stage_ != Stage::rolling_back) return false;
        enter(Stage::returned);
        channel_.close();
        return true;
    }
    if (std::holds_alternative<Final>(message)) return own("final");
    if (const auto* bye = std::get_if<Bye>(&message)) {
        channel_.close();
        log("predecessor_ended", bye->outcome);
        return true;
    }
    return std::holds_alternative<DrainStatus>(message);
}

bool Taker::own(std::string_view why) {
    if (stage_ != Stage::probation && stage_ != Stage::rolling_back) return false;
    enter(Stage::owner);
    core_.handover().own_listeners();
    log("owner", why);
    return true;
}

// After COMMIT the death of the old one is no misfortune: nobody but us accepts.
void Taker::lose(std::string_view why) {
    channel_.close();
    if (stage_ <= Stage::confirming) {
        failure_ = why;
    } else {
        static_cast<void>(own(why));
    }
}

// ── Passengers ───────────────────────────────────────────────────────────────────────────────

bool Taker::board(Passenger& passenger, Attached& attached) {
    if (stage_ < Stage::probation || attached.size() != 1) return false;
    const auto listener = listener_of(passenger.listener);
    if (!listener || stage_ == Stage::rolling_back || core_.stop_request().is_asked()) {
        answers_.push_back({.serial = passenger.serial, .is_taken = false});
        return true;
    }
    net::Traveller traveller;
    traveller.socket = attached.take(0);
    traveller.peer = passenger.peer;
    traveller.listener = *listener;
    traveller.unread = std::move(passenger.unread);
    traveller.state = std::move(passenger.state);
    traveller.idle_left = passenger.idle_left;
    bring(core_, std::move(traveller), passenger.serial, arrivals_);
    ++boarding_;
    return true;
}

void Taker::answer_passengers() {
    while (const auto arrived = arrivals_.take()) {
        --boarding_;
        answers_.push_back({.serial = arrived->serial, .is_taken = arrived->is_taken});
    }
    while (!answers_.empty() && channel_.is_open()) {
        const auto said = channel_.send(answers_.front());
        if (said.errno_value() == EAGAIN) {
            again_ = core_.system().now() + kTryAgainAfter;
            return;
        }
        if (!said) return lose(reason_of(said.errno_value()));
        answers_.pop_front();
    }
    answers_.clear();
}

// ── Serving ──────────────────────────────────────────────────────────────────────────────────

void Taker::advance() {
    again_ = Instant::never();
    listen();
    answer_passengers();
}

// Who has come aboard is answered for first, or two generations would serve him.
bool Taker::lets_stop() {
    if (stage_ == Stage::probation) {
        if (boarding_ > 0 || !answers_.empty()) return false;
        enter(Stage::rolling_back);
        log("rolling_back");
        say(Rollback{});
        listen();
    }
    if (stage_ != Stage::rolling_back) return true;
    if (core_.system().now() < stage_end_) return false;
    enter(Stage::returned);  // it hangs; its queue is left alone
    return true;
}

void Taker::log(std::string_view step, std::string_view why) const {
    LogLine line("handover");
    line.field("step", step).field("generation", generation_);
    if (!why.empty()) line.field("why", why);
    core_.log(LogLevel::info, line.text());
}

}  // namespace berth::engine::handover
