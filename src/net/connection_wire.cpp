// SPDX-License-Identifier: MIT
//
// ConnectionCore with a transport: the handshake, wire bytes in both directions, the goodbyes.
//
// Everything else of a connection is the same with and without: what comes out of the transport
// goes on as received bytes, what goes into it comes from the output queue. Three things are
// this file's own. The connection opens when the handshake is over. The peer's end is its goodbye;
// a FIN without one means that bytes are missing. And a FIN of ours waits for our goodbye.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/wire.hpp"

#include <cerrno>

namespace berth::net {

using transport::Status;

Wire& ConnectionCore::wire() const { return table_.wire(slot_); }

// Bounded by the deadline it was dialled with, or else by the transport's own.
void ConnectionCore::shake_hands() {
    set(kTransported);
    if (!is_armed()) {
        table_.loop().timers().arm(*this, table_.loop().now() + table_.handshake_timeout());
    }
    drain_if_told();
    read_wire();
}

// ── In ───────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::received_wire(Bytes bytes) {
    wire().transport().receive(bytes);
    read_wire();
}

// Moves on what the transport has: plaintext as far as it is wanted, then its answers.
void ConnectionCore::read_wire() {
    if (is_gone()) return;
    transport::Transport& transport = wire().transport();
    if (state_ == ConnectionState::connecting && transport.status() == Status::open) {
        table_.loop().timers().cancel(*this);
        advance(ConnectionEvent::connected);
    }
    while (!is_gone() && !is_held()) {
        const Bytes plain = transport.next_plain();
        if (plain.empty()) {
            heed_wire();
            break;
        }
        received_odd(plain);
    }
    if (is_gone()) return;
    wire().collect();
    if (wire().owes_too_much()) return close(CloseMode::reset, CloseReason::outbound_overflow);
    settle();
}

// All plaintext has been moved on: is there more to come?
void ConnectionCore::heed_wire() {
    switch (wire().transport().status()) {
        case Status::failed:
            if (!is(kSending)) send_queue();  // what it has to say about that
            return fail(wire().transport().failure());
        case Status::ended:
            // Not before the handler has seen what came before.
            if (is_paused() || is(kWantsTraffic)) return;
            break;
        case Status::handshaking:
        case Status::open:
            if (!wire().fin_received()) return;
            // Cut short: like a reset to who still needs to hear something, else of no interest.
            if (state_ == ConnectionState::connecting || is_read(state_) || is(kMustRead)) {
                return fail(ECONNRESET);
            }
    }
    if (wire().tell_end()) advance(ConnectionEvent::peer_end);
}

void ConnectionCore::wire_ended() {
    wire().note_fin();
    read_wire();
}

// ── Out ──────────────────────────────────────────────────────────────────────────────────────

// Output that yields no wire bytes waits for the peer to say something, and so something must be
// read, paused or not.
OutputQueue* ConnectionCore::outgoing_wire() {
    OutputQueue* const queue = wire().fill(output_.get());
    const bool is_blocked = queue == nullptr && output_ != nullptr;
    if (is_blocked && !is(kMustRead)) {
        change_reading(kMustRead, 0);
        mark_dirty();  // it may hold what is needed already
    } else if (!is_blocked && is(kMustRead)) {
        change_reading(0, kMustRead);
    }
    return queue;
}

// Has everything left that our FIN must not overtake? If only the goodbye is missing, says it.
bool ConnectionCore::finish_output() {
    if (unsent() > 0 || !reclaim()) return false;
    if (!is(kTransported) || !opened_) return true;
    wire().say_goodbye();
    if (!is(kSending)) send_queue();
    return !is_gone() && wire().empty();
}

}  // namespace berth::net
