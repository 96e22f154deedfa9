// SPDX-License-Identifier: MIT
//
// Handler: what each link's manners make it do.

#include "sim/handler.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGeneratedMax = 50000;  // per turn
constexpr std::size_t kWorkingTurns = 30;
constexpr std::size_t kSplitAbove = 6000;  // then the first part is written by itself

}  // namespace

// ── Working ──────────────────────────────────────────────────────────────────────────────────

void Handler::begin_work(Connection& peer, Talk& talk) {
    const Work work = talk.link->manners.work;
    if (talk.side == kDialer || work == Work::none || talk.has_worked) return;
    talk.works = talk.has_worked = true;
    talk.work = peer.begin();
    if (work == Work::brief) go_on_working(talk, talk.link->number % kWorkingTurns);
}

// Until so many tasks have run, one after the other.
void Handler::go_on_working(Talk& talk, std::size_t turns) {
    world_.calls.post(target(talk), [this, &talk, turns](Connection&) {
        if (turns > 0) return go_on_working(talk, turns - 1);
        talk.works = false;
        talk.work.release();
    });
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────

void Handler::look(Connection& peer, Talk& talk) {
    Counts at = talk.link->ends[talk.side].received;
    world_.links.check(*talk.link, talk.side, peer.peek(), at);
    talk.seen = at[kOwn];
}

void Handler::consume(Talk& talk, Bytes bytes) {
    Counts& received = talk.link->ends[talk.side].received;
    const auto outside = std::ranges::count_if(
        bytes, [](std::byte byte) { return (byte & std::byte{0x80}) != std::byte{}; });
    received[kOutside] += static_cast<std::size_t>(outside);
    received[kOwn] += bytes.size() - static_cast<std::size_t>(outside);
}

void Handler::answer(Connection& peer, Talk& talk) {
    const Manners& manners = talk.link->manners;
    if (talk.side == kDialer) {
        consume(talk, peer.next());
        const std::uint64_t owed = attempts_[talk.id.value()].bytes;
        if (talk.link->ends[kDialer].received[kOwn] < owed) return;
        talk.asked_to_close = true;
        return peer.close();
    }
    switch (manners.reply) {
        case Reply::copy:
        case Reply::take: return echo(peer, talk, Connection::kAll);
        case Reply::some:
            echo(peer, talk, std::max(manners.portion, peer.unread() / 8));
            if (peer.unread() > 0) world_.calls.wake(target(talk));
            return;
        case Reply::later:
        case Reply::on_tick: return answer_later(peer, talk);
        case Reply::generate: {
            const std::size_t count = std::min(peer.unread() * manners.portion, kGeneratedMax);
            consume(talk, peer.next());
            return say(peer, talk, count);
        }
        case Reply::swallow: return consume(talk, peer.next());
        case Reply::hold: return;
    }
}

void Handler::answer_later(Connection& peer, Talk& talk) {
    if (std::exchange(talk.put_off, true)) return;
    if (talk.link->manners.reply == Reply::on_tick && ticks_go_on()) {
        return loops_[peer.loop().index()].put_off.push_back(talk.id);
    }
    world_.calls.post(target(talk), [this, &talk](Connection& again) {
        talk.put_off = false;
        look(again, talk);
        echo(again, talk, Connection::kAll);
        static_cast<void>(leave(again, talk));
    });
}

// ── Writing ──────────────────────────────────────────────────────────────────────────────────

void Handler::echo(Connection& peer, Talk& talk, std::size_t most) {
    const std::size_t count = std::min(most, peer.unread());
    if (count == 0) return;
    consume(talk, peer.peek().first(count));
    const Before before{.open = peer.is_open(), .unsent = peer.unsent()};
    if (talk.link->manners.reply == Reply::take) {
        return wrote(peer, talk, count, before, peer.write(peer.take(count)));
    }
    switch (talk.link->number % 3) {
        case 0:
            wrote(peer, talk, count, before, peer.write(peer.peek().first(count)));
            peer.discard(count);
            return;
        case 1: return wrote(peer, talk, count, before, peer.write(peer.next(count)));
        default:
            std::vector<std::byte> bytes(count);
            peer.read(bytes);
            return wrote(peer, talk, count, before, peer.write(bytes));
    }
}

void Handler::say(Connection& peer, Talk& talk, std::size_t count) {
    std::size_t part = count > kSplitAbove ? count / 3 : count;
    while (count > 0 && peer.is_open()) {
        const std::uint64_t from = talk.link->ends[talk.side].sent[kOwn];
        const Before before{.open = true, .unsent = peer.unsent()};
        wrote(peer, talk, part, before, peer.write(pattern(*talk.link, kOwn, from, part)));
        count -= part;
        part = count;
    }
}

void Handler::wrote(Connection& peer, Talk& talk, std::size_t count, const Before& before,
                    WriteStatus status) {
    const bool is_taken = status != WriteStatus::refused;
    const bool is_too_much = before.unsent + count > plan_.options.output_max;
    if (is_taken && (is_too_much || !before.open)) {
        violated(is_too_much ? "output-max-ignored" : "written-after-close", talk,
                 std::to_string(before.unsent) + " + " + std::to_string(count) + " were taken");
    }
    if (!is_taken) {
        if (before.open && is_too_much) talk.overflowed = true;
        return;
    }
    talk.link->ends[talk.side].sent[kOwn] += count;
    const bool is_over_high = peer.unsent() > plan_.options.output_high;
    if (is_over_high != (status == WriteStatus::over_high)) {
        violated("wrong-write-status", talk, std::to_string(peer.unsent()) + " are unsent");
    }
    if (is_over_high) talk.was_over_high = talk.was_paused = true;
    if (talk.link->manners.flushes) peer.flush();
}

// ── Trouble ──────────────────────────────────────────────────────────────────────────────────

Action Handler::misbehave(Connection& peer, Talk& talk, Moment moment) {
    const Manners& manners = talk.link->manners;
    const End& end = talk.link->ends[talk.side];
    if (talk.side == kDialer || manners.trouble == Trouble::none || talk.in_trouble) return {};
    if (moment != manners.moment) return {};
    if (moment == Moment::traffic && end.received[kOwn] < manners.after) return {};
    talk.in_trouble = true;
    const Action action = trouble(peer, talk);
    if (manners.writes_afterwards && !peer.is_open() &&
        peer.write("too late") != WriteStatus::refused) {
        violated("written-after-close", talk, "it was taken");
    }
    return action;
}

Action Handler::trouble(Connection& peer, Talk& talk) {
    End& end = talk.link->ends[talk.side];
    switch (talk.link->manners.trouble) {
        case Trouble::none: break;
        case Trouble::fail: fail(&peer, &talk);
        case Trouble::action_close: return Action::close;
        case Trouble::action_shutdown: return Action::shutdown;
        case Trouble::stop: request_stop(talk); break;
        case Trouble::close_after_flush:
            talk.asked_to_close = true;
            peer.close();
            break;
        case Trouble::close_now:
        case Trouble::close_reset:
            talk.asked_to_close = end.cut = true;
            peer.close(talk.link->manners.trouble == Trouble::close_now ? CloseMode::now
                                                                        : CloseMode::reset);
            break;
        case Trouble::end: peer.end(); break;
        case Trouble::pause:
            peer.pause_read();
            talk.was_paused = true;
            talk.paused = !talk.waits_for_harvest;  // who is asked to drain is read on
            world_.calls.post(target(talk), [&talk](Connection& again) {
                talk.paused = false;
                again.resume_read();
            });
            break;
    }
    return Action::none;
}

void Handler::request_stop(const Talk& talk) {
    switch (talk.link->number % 3) {
        case 0: return engine_->request_stop();
        case 1: return engine_->request_stop(engine_->now() - 1ms);
        default: return engine_->request_stop(engine_->now() + 5ms);
    }
}

void Handler::close_later(Talk& talk) {
    world_.calls.post(target(talk), [&talk](Connection& again) {
        talk.asked_to_close = true;
        again.close();
    });
}

void Handler::fail(Connection* peer, Talk* talk) {
    ++tally_.thrown;
    if (talk != nullptr) {
        talk->in_trouble = true;
        talk->link->ends[talk->side].cut = true;
        if (peer->is_open()) talk->must_have_thrown = true;
    }
    if (tally_.thrown % 2 == 0) throw tally_.thrown;  // not a std::exception
    throw std::runtime_error("as planned");
}

// ── From outside ─────────────────────────────────────────────────────────────────────────────

void Handler::outside_task(Connection& peer, const CallEngine& plan) {
    Talk& talk = talks_.at(peer.id().value());
    if (plan.mode == CloseMode::reset) fail(&peer, &talk);
    if (!is_echo(talk.link->manners.reply)) say(peer, talk, plan.bytes);
    static_cast<void>(leave(peer, talk));
}

void Handler::dial(EventLoop& loop, const Dial& plan, const Endpoint& endpoint) {
    full_at_.reset();  // who dials is not held up by the limit
    const Deadline deadline =
        plan.patience == kNever ? Deadline::never() : loop.now() + plan.patience;
    const auto id = loop.connect(endpoint, deadline);
    trace([&] {
        return "connect to " + endpoint.to_string() + ": " +
               (id ? std::to_string(id->value()) : id.error().to_string());
    });
    if (!id) return;
    attempts_[id->value()] = {
        .deadline = deadline, .bytes = plan.bytes, .given_up = plan.given_up, .outcomes = 0};
    if (!plan.given_up) return;
    world_.calls.close({.engine = *engine_, .number = number_, .id = *id, .link = nullptr},
                       CloseMode::now);
}

}  // namespace berth::simulation
