// SPDX-License-Identifier: MIT
//
// Acceptor: accepting, pausing, closing.

#include "net/acceptor.hpp"

#include "driver/accept_errors.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

namespace {

// A policy that forbids every accept would answer for ever.
constexpr unsigned kRefusalsMax = 64;

}  // namespace

Acceptor::Acceptor(const AcceptorSetup& setup, driver::Descriptor socket, std::size_t listener)
    : Timer(&Acceptor::fire),
      loop_(setup.loop),
      counters_(setup.counters),
      limit_(setup.limit),
      placement_(setup.placement),
      listener_(listener) {
    descriptor = socket;
}

Acceptor::~Acceptor() {
    loop_.timers().cancel(*this);
    if (driver::is_open(descriptor)) loop_.system().close(descriptor);
}

void Acceptor::start() {
    if (limit_.is_reached()) return pause();
    state_ = State::accepting;
    if (!loop_.driver().start_accept(*this)) pause();
}

void Acceptor::on_accepted(driver::Descriptor accepted, const IpEndpoint& peer) {
    pause_ = kPauseMin;
    limit_.add();
    placement_.place(accepted, peer, listener_);
    if (state_ == State::accepting && limit_.is_reached()) {
        counters_.accept_pauses.add();
        state_ = State::pausing;
        loop_.driver().stop_accept(*this);
    }
}

void Acceptor::on_accept_error(int) { counters_.accept_errors.add(); }

void Acceptor::on_accept_end(int errno_value) {
    if (errno_value != 0) {
        counters_.accept_errors.add();
        counters_.accept_pauses.add();
    }
    if (state_ == State::closing) return finish_closing();
    pause();
}

void Acceptor::pause() {
    state_ = State::paused;
    loop_.timers().arm(*this, loop_.now() + pause_);
    pause_ = std::min(pause_ * 2, kPauseMax);
}

void Acceptor::fire(loop::Timer& timer) { static_cast<Acceptor&>(timer).try_again(); }

void Acceptor::try_again() {
    if (state_ != State::paused) return;
    loop_.timers().cancel(*this);
    start();
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void Acceptor::close() {
    if (state_ == State::closing || state_ == State::closed) return;
    const State before = state_;
    state_ = State::closing;
    loop_.timers().cancel(*this);
    if (before == State::accepting) {
        loop_.driver().stop_accept(*this);  // then on_accept_end
    } else if (before != State::pausing) {
        finish_closing();
    }
}

// Whoever is in the queue has connected: closing over their heads would reset them. A refusal is
// about one client (a firewall's EPERM, a dead peer's ECONNABORTED), and others stand behind it.
void Acceptor::empty_queue() {
    for (unsigned refusals = 0; refusals < kRefusalsMax;) {
        const auto accepted = loop_.system().accept(descriptor);
        if (accepted) {
            limit_.add();
            placement_.place(accepted->descriptor, accepted->peer, listener_);
        } else if (accepted.errno_value() == EAGAIN ||
                   driver::ends_accepting(accepted.errno_value())) {
            return;
        } else {
            ++refusals;
        }
    }
}

// The shutdown ends the listener for copies of the descriptor, too: a child process that
// inherited one does not keep the port.
void Acceptor::finish_closing() {
    empty_queue();
    loop_.system().shutdown(descriptor);
    loop_.system().close(descriptor);
    descriptor = driver::Descriptor::none;
    state_ = State::closed;
    placement_.listener_closed();
}

}  // namespace berth::net
