// SPDX-License-Identifier: MIT
//
// Calls: making them, and judging their ends.

#include "sim/calls.hpp"

#include <array>
#include <utility>

namespace berth::simulation {

namespace {

std::string_view name(CallKind kind) {
    return std::array{"post", "write", "wake", "close",
                      "loop post"}[static_cast<std::size_t>(kind)];
}

std::string_view name(Delivery delivery) {
    return std::array{"written", "ran", "stale",
                      "cancelled_by_stop"}[static_cast<std::size_t>(delivery)];
}

}  // namespace

std::string to_string(const Call& call) {
    std::string text(name(call.kind));
    text += " to " + std::to_string(call.id.value()) + " of engine " + std::to_string(call.engine);
    if (call.delivery) text += ", ended as " + std::string(name(*call.delivery));
    return text;
}

// ── Making them ──────────────────────────────────────────────────────────────────────────────

Call& Calls::begin(CallKind kind, const Target& target) {
    Call& call = calls_.emplace_back();
    call.kind = kind;
    call.engine = target.number;
    call.id = target.id;
    return call;
}

Completion Calls::completion(Call& call, const Target& target) {
    return [this, &call, target](ConnectionId id, Delivery delivery) {
        const Inside::Visit visit(inside_, "completion");
        if (id != call.id) findings_.violated("completion-of-another", to_string(call));
        ended(call, target, delivery);
    };
}

bool Calls::post(const Target& target, Task task) {
    Call& call = begin(CallKind::post, target);
    auto run = [this, &call, task = std::move(task)](Connection& connection) mutable {
        const Inside::Visit visit(inside_, "task");
        ++call.ran;
        if (connection.id() != call.id) {
            findings_.violated("stale-delivered", to_string(call) + " ran for " +
                                                      std::to_string(connection.id().value()));
        }
        task(connection);
    };
    return call.taken = target.engine.post(target.id, std::move(run), completion(call, target));
}

bool Calls::write(const Target& target, std::size_t bytes) {
    Call& call = begin(CallKind::write, target);
    call.bytes = bytes;
    Buffer buffer;
    if (target.link != nullptr) {
        Counts& sent = target.link->ends[kAcceptor].sent;
        buffer = Buffer::adopt(pattern(*target.link, kOutside, sent[kOutside], bytes));
    }
    call.taken = target.engine.write(target.id, std::move(buffer), completion(call, target));
    if (call.taken && target.link != nullptr) {
        target.link->ends[kAcceptor].sent[kOutside] += bytes;
    }
    return call.taken;
}

bool Calls::wake(const Target& target) {
    Call& call = begin(CallKind::wake, target);
    return call.taken = target.engine.wake(target.id, completion(call, target));
}

bool Calls::close(const Target& target, CloseMode mode) {
    Call& call = begin(CallKind::close, target);
    return call.taken = target.engine.close(target.id, mode, completion(call, target));
}

bool Calls::loop_post(const Target& target, EventLoop& loop,
                      UniqueFunction<void(EventLoop&)> task) {
    Call& call = begin(CallKind::loop_post, target);
    return call.taken = loop.post([this, &call, task = std::move(task)](EventLoop& here) mutable {
        const Inside::Visit visit(inside_, "loop task");
        ++call.ran;
        task(here);
    });
}

// ── How they end ─────────────────────────────────────────────────────────────────────────────

void Calls::ended(Call& call, const Target& target, Delivery delivery) {
    ++call.ended;
    call.delivery = delivery;
    if (call.ended > 1) findings_.violated("completed-twice", to_string(call));
    check_delivery(call, target);
    if (delivery != Delivery::written || target.link == nullptr) return;
    target.link->ends[kAcceptor].written += call.bytes;
    check_written(call, target);
}

void Calls::check_delivery(const Call& call, const Target& target) {
    const bool is_write = call.kind == CallKind::write;
    const bool has_run = call.ran == 1;
    bool fits = call.kind != CallKind::post || has_run == (call.delivery == Delivery::ran);
    switch (*call.delivery) {
        case Delivery::written: fits = fits && is_write; break;
        case Delivery::ran: fits = fits && !is_write; break;
        case Delivery::stale: break;
        case Delivery::cancelled_by_stop:
            fits = fits && (target.engine.state() >= EngineState::quiescing ||
                            losing_listeners_.contains(target.number));
            break;
    }
    if (!fits) findings_.violated("wrong-delivery", to_string(call));
}

// Of the bytes that were said to be written, none may still be queued.
void Calls::check_written(const Call& call, const Target& target) {
    Connection* connection = target.engine.loop(call.id.loop()).find(call.id);
    if (connection == nullptr) return;
    if (connection->counters().bytes_sent >= target.link->ends[kAcceptor].written) return;
    findings_.violated("written-too-early", to_string(call) + ", " +
                                                std::to_string(connection->unsent()) +
                                                " bytes of its connection are unsent");
}

const Call* Calls::first_waiting(std::size_t engine) const {
    while (first_open_ < calls_.size() && !calls_[first_open_].is_open()) ++first_open_;
    for (std::size_t i = first_open_; i < calls_.size(); ++i) {
        const Call& call = calls_[i];
        if (call.engine == engine && call.is_open() && !call.may_wait()) return &call;
    }
    return nullptr;
}

std::size_t Calls::check_ended(std::size_t engine) {
    std::size_t dropped = 0;
    for (const Call& call : calls_) {
        if (call.engine != engine) continue;
        if (call.ran > 1) findings_.violated("ran-twice", to_string(call));
        if (call.kind == CallKind::loop_post) {
            if (call.taken && call.ran == 0) ++dropped;
        } else if (call.taken && call.ended == 0) {
            findings_.violated("never-completed", to_string(call));
        } else if (!call.taken && call.ended > 0) {
            findings_.violated("completed-though-refused", to_string(call));
        }
    }
    return dropped;
}

}  // namespace berth::simulation
