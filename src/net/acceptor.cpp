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

// Nobody can be accepted any more, however long one waits: shut down under us, accept(2).
constexpr bool is_over(int errno_value) { return errno_value == EBADF || errno_value == EINVAL; }

}  // namespace

Acceptor::Acceptor(const AcceptorSetup& setup, driver::Descriptor socket, std::size_t listener)
    : Timer(&Acceptor::fire),
      loop_(setup.loop),
      counters_(setup.counters),
      limit_(setup.limit),
      placement_(setup.placement),
      entrance_(setup.entrance),
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
    admit(accepted, peer);
    if (state_ == State::accepting && limit_.is_reached()) {
        counters_.accept_pauses.add();
        state_ = State::pausing;
        loop_.driver().stop_accept(*this);
    }
}

void Acceptor::admit(driver::Descriptor accepted, const IpEndpoint& peer) {
    entrance_->free(loop_.system(), accepted);
    limit_.add();
    placement_.place(accepted, peer, listener_);
}

void Acceptor::on_accept_error(int) { counters_.accept_errors.add(); }

void Acceptor::on_accept_end(int errno_value) {
    if (errno_value != 0) {
        counters_.accept_errors.add();
        counters_.accept_pauses.add();
    }
    if (state_ == State::closing) return finish_closing();
    if (state_ == State::suspending) return finish_suspending();
    pause();
}

void Acceptor::pause() {
    state_ = State::paused;
    retry_later();
}

void Acceptor::retry_later() {
    loop_.timers().arm(*this, loop_.now() + pause_);
    pause_ = std::min(pause_ * 2, kPauseMax);
}

void Acceptor::fire(loop::Timer& timer) {
    auto& acceptor = static_cast<Acceptor&>(timer);
    if (acceptor.state_ == State::emptying) return acceptor.finish_closing();
    acceptor.try_again();
}

// Called while a connection is taken apart: nobody is accepted before the timers' turn.
void Acceptor::try_again() {
    if (state_ == State::emptying) return loop_.timers().arm(*this, loop_.now());
    if (state_ != State::paused) return;
    loop_.timers().cancel(*this);
    start();
}

// ── Suspending ───────────────────────────────────────────────────────────────────────────────

void Acceptor::suspend() {
    const State before = state_;
    if (before >= State::suspending) return;
    state_ = State::suspending;
    loop_.timers().cancel(*this);
    if (before == State::accepting) {
        loop_.driver().stop_accept(*this);  // then on_accept_end
    } else if (before != State::pausing) {
        finish_suspending();
    }
}

void Acceptor::finish_suspending() {
    state_ = State::suspended;
    placement_.listener_changed(*this);
}

// A suspension under way turns into a pause.
void Acceptor::resume() {
    if (state_ == State::suspending) state_ = State::pausing;
    if (state_ != State::suspended) return;
    start();
    placement_.listener_changed(*this);
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void Acceptor::close(ListenerEnd end) {
    if (state_ >= State::closing) return insist(end);
    const State before = state_;
    end_ = end;
    state_ = State::closing;
    loop_.timers().cancel(*this);
    if (before == State::accepting) {
        loop_.driver().stop_accept(*this);  // then on_accept_end
    } else if (before != State::pausing && before != State::suspending) {
        finish_closing();
    }
}

void Acceptor::insist(ListenerEnd end) {
    if (end != ListenerEnd::forced || end_ == ListenerEnd::handed_over) return;
    end_ = end;
    if (state_ == State::emptying) this->end();
}

// Whoever is in the queue has connected: closing over their heads would reset them. A refusal is
// about one client (a firewall's EPERM, a dead peer's ECONNABORTED), and others stand behind it.
// False: somebody may be left, and cannot be accepted for want of descriptors or memory.
bool Acceptor::empty_queue() {
    for (unsigned refusals = 0; refusals < kRefusalsMax;) {
        const auto accepted = loop_.system().accept(descriptor);
        const int errno_value = accepted.errno_value();
        if (accepted) {
            admit(accepted->descriptor, accepted->peer);
        } else if (errno_value == EAGAIN || is_over(errno_value)) {
            return true;
        } else if (driver::ends_accepting(errno_value)) {
            return false;
        } else {
            ++refusals;
        }
    }
    return true;
}

bool Acceptor::is_handed_over() const {
    return end_ == ListenerEnd::handed_over || entrance_->is_shared();
}

void Acceptor::finish_closing() {
    if (is_handed_over() || empty_queue() || end_ == ListenerEnd::forced) return end();
    if (state_ != State::emptying) counters_.accept_pauses.add();
    state_ = State::emptying;
    retry_later();
}

// The shutdown ends the listener for copies of the descriptor, too: a child process that
// inherited one does not keep the port.
void Acceptor::end() {
    loop_.timers().cancel(*this);
    if (!is_handed_over()) loop_.system().shutdown(descriptor);
    loop_.system().close(descriptor);
    descriptor = driver::Descriptor::none;
    state_ = State::closed;
    placement_.listener_changed(*this);
}

}  // namespace berth::net
