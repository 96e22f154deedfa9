// SPDX-License-Identifier: MIT
//
// Peer: the script, one call of the kernel at a time.

#include "sim/peer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace berth::simulation {

using driver::sim::Family;
using driver::sim::Kind;
using driver::sim::Process;
using driver::sim::Readiness;
using driver::sim::Shut;

namespace {

constexpr std::size_t kReadMax = 64U << 10U;

Family family_of(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return Family::local;
    return endpoint.ip().family == 6 ? Family::v6 : Family::v4;
}

bool is_civil(const PeerPlan& plan) {
    const Manners& manners = plan.manners;
    const bool has_civil_handler = manners.reply <= Reply::take && manners.work != Work::forever &&
                                   manners.trouble == Trouble::none &&
                                   manners.at_drain == AtDrain::close;
    const bool is_prompt =
        plan.bytes <= 5000 && plan.gap <= std::chrono::milliseconds{3} && plan.chunk >= 1000;
    return has_civil_handler && is_prompt && plan.reading == Reading::always &&
           plan.leaves_on_end && plan.farewell != Farewell::vanish;
}

}  // namespace

Peer::Peer(driver::sim::Kernel& kernel, Findings& findings, Links& links, const Origin& origin)
    : kernel_(kernel),
      findings_(findings),
      links_(links),
      act_(origin.act.index),
      run_(origin.run),
      plan_(std::get<ConnectPeer>(origin.act.what).plan),
      server_(origin.server),
      chance_(act_),
      process_(std::make_unique<Process>(kernel)) {}

template <class Text>
void Peer::trace(Text&& text) const {
    findings_.trace(kernel_.now(), [&] {
        return "peer " + std::to_string(act_) +
               (link_ != nullptr ? " (" + link_->name() + ")" : std::string()) + ": " + text();
    });
}

// ── When it can go on ────────────────────────────────────────────────────────────────────────

bool Peer::may_read() const {
    if (plan_.reading == Reading::never || end().heard_end || kernel_.now() < read_from_) {
        return false;
    }
    const Readiness ready = process_->readiness(socket_);
    return ready.readable || ready.failed;
}

bool Peer::may_send() const {
    if (end().ended || sent_all() || kernel_.now() < send_from_) return false;
    const Readiness ready = process_->readiness(socket_);
    return ready.writable || ready.failed;
}

bool Peer::may_say_farewell() const {
    if (said_farewell_ || plan_.farewell == Farewell::none) return false;
    switch (plan_.when) {
        case When::connected: return true;
        case When::sent: return sent_all();
        case When::answered: return sent_all() && end().received[kOwn] >= plan_.bytes;
        case When::ended: return end().heard_end;
        case When::after: return kernel_.now() >= connected_at_ + plan_.patience;
    }
    return false;
}

bool Peer::is_ready() const {
    if (is_busy_) return false;
    switch (state_) {
        case State::fresh: return true;
        case State::connecting: {
            const Readiness ready = process_->readiness(socket_);
            return ready.writable || ready.failed || ready.hung_up;
        }
        case State::talking: return may_say_farewell() || may_read() || may_send();
        case State::vanished:
        case State::gone: return false;
    }
    return false;
}

Instant Peer::next() const {
    if (state_ != State::talking) return Instant::never();
    const Instant now = kernel_.now();
    Instant next = Instant::never();
    const auto consider = [&](bool matters, Instant at) {
        if (matters && at > now) next = std::min(next, at);
    };
    consider(!said_farewell_ && plan_.farewell != Farewell::none && plan_.when == When::after,
             connected_at_ + plan_.patience);
    consider(plan_.reading != Reading::never && !end().heard_end, read_from_);
    consider(!end().ended && !sent_all(), send_from_);
    return next;
}

void Peer::step() {
    is_busy_ = true;
    switch (state_) {
        case State::fresh: connect(); break;
        case State::connecting: finish_connecting(); break;
        case State::talking: {
            const bool reads = may_read();
            const bool sends = may_send();
            if (may_say_farewell()) {
                say_farewell();
            } else if (reads && (!sends || chance_.one_in(2))) {
                read();
            } else if (sends) {
                send();
            }
            break;
        }
        case State::vanished:
        case State::gone: break;
    }
    is_busy_ = false;
}

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

void Peer::connect() {
    state_ = State::gone;  // unless it goes well
    const auto socket = process_->socket(family_of(server_), Kind::stream);
    if (!socket) return;
    socket_ = *socket;
    if (plan_.receive_buffer != 0) {
        static_cast<void>(
            process_->set(socket_, driver::SocketOption::receive_buffer, plan_.receive_buffer));
    }
    const Scheme scheme = server_.is_unix() ? Scheme::unix_stream : Scheme::tcp;
    if (server_.is_unix()) {
        const Endpoint own(scheme, "@peer" + std::to_string(act_));
        if (!process_->bind(socket_, own)) return leave();
    }
    const auto connected = process_->connect(socket_, server_);
    trace([&] { return "connect: " + std::to_string(connected.errno_value()); });
    const bool is_begun = connected || connected.errno_value() == EINPROGRESS;
    const auto address = process_->local_endpoint(socket_, scheme);
    if (!is_begun || !address) return leave();
    link_ = &links_.begin(address->to_string(), plan_.manners);
    end().is_peer = true;
    link_->civil = is_civil(plan_);
    state_ = State::connecting;
}

void Peer::finish_connecting() {
    const int error = process_->take_error(socket_);
    if (error != 0) {
        trace([&] { return "not connected: " + std::to_string(error); });
        return leave();
    }
    state_ = State::talking;
    was_connected_ = true;
    connected_at_ = kernel_.now();
    if (plan_.reading == Reading::late) read_from_ = connected_at_ + plan_.read_gap;
}

// ── Talking ──────────────────────────────────────────────────────────────────────────────────

void Peer::read() {
    // One for all: others who act in the middle of the call below are done when it fills this.
    static std::array<std::byte, kReadMax> memory;
    const auto room =
        std::span(memory).first(plan_.reading == Reading::slow ? plan_.sip : kReadMax);
    if (plan_.reading == Reading::slow) read_from_ = kernel_.now() + plan_.read_gap;
    const auto count = process_->receive(socket_, room);
    if (!count) {
        if (count.errno_value() == EAGAIN) return;
        end().knows_all = true;
        return heard_reset();
    }
    link_->last_activity = kernel_.now();
    if (*count == 0) return heard_end();
    const Bytes bytes = Bytes(room).first(*count);
    links_.check(*link_, kDialer, bytes, end().received);
    trace([&] { return "read " + std::to_string(*count); });
}

void Peer::heard_end() {
    trace([&] { return "FIN"; });
    end().knows_all = true;
    links_.heard_end(*link_, kDialer, 0);
    const bool waits = plan_.when == When::ended && !said_farewell_;
    if ((plan_.leaves_on_end && !waits) || end().ended) leave();
}

void Peer::heard_reset() {
    trace([&] { return "reset"; });
    end().heard_reset = true;
    leave();
}

void Peer::send() {
    const std::uint64_t from = end().sent[kOwn];
    const std::size_t count = std::min(plan_.chunk, plan_.bytes - static_cast<std::size_t>(from));
    send_from_ = kernel_.now() + plan_.gap;
    // Before the call: others may see the bytes while it lasts.
    end().sent[kOwn] += count;
    const auto sent = process_->send(socket_, pattern(*link_, kOwn, from, count));
    end().sent[kOwn] = from + sent.value_or(0);
    link_->last_activity = kernel_.now();
    trace([&] { return "sent " + std::to_string(sent.value_or(0)); });
    if (!sent && sent.errno_value() != EAGAIN) heard_reset();
}

// ── Leaving ──────────────────────────────────────────────────────────────────────────────────

void Peer::say_farewell() {
    said_farewell_ = true;
    end().ended = true;
    trace([&] { return "farewell " + std::to_string(static_cast<int>(plan_.farewell)); });
    link_->last_activity = kernel_.now();
    switch (plan_.farewell) {
        case Farewell::none: break;
        case Farewell::fin:
            static_cast<void>(process_->shutdown(socket_, Shut::sending));
            if (end().heard_end) leave();
            break;
        case Farewell::reset:
            end().cut = true;
            static_cast<void>(process_->set(socket_, driver::SocketOption::linger_reset, 0));
            leave();
            break;
        case Farewell::vanish:
            static_cast<void>(process_->drop_everything(socket_));
            state_ = State::vanished;
            end().vanished = true;
            break;
        case Farewell::close:
        case Farewell::die: leave(); break;
    }
}

void Peer::end_all() {
    const bool is_there = state_ == State::talking || state_ == State::vanished;
    is_busy_ = true;
    while (is_there && !end().knows_all) {
        std::array<std::byte, 4096> room;
        const auto count = process_->receive(socket_, room);
        end().knows_all = count.value_or(0) == 0;
        if (!end().knows_all) {
            links_.check(*link_, kDialer, Bytes(room).first(*count), end().received);
        }
    }
    leave();
}

void Peer::leave() {
    state_ = State::gone;
    if (process_ == nullptr) return;
    if (link_ != nullptr) end().ended = end().gone = true;
    if (driver::is_open(socket_) && plan_.farewell != Farewell::die) process_->close(socket_);
    process_.reset();
}

}  // namespace berth::simulation
