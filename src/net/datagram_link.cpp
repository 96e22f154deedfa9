// SPDX-License-Identifier: MIT
//
// DatagramLink: connecting, receiving, sending, closing.

#include "net/datagram_link.hpp"

#include "net/connection_core.hpp"
#include "net/connection_table.hpp"
#include "os/returns.hpp"

#include <cerrno>

namespace berth::net {

DatagramLink::DatagramLink(ConnectionCore& connection, ConnectionTable& table)
    : connection_(connection), table_(table) {
    descriptor = connection.descriptor;
}

// connect(2) asks nobody: it is done when it returns.
int DatagramLink::connect(const Endpoint& endpoint) {
    if (endpoint.is_unix()) {
        if (const auto named = table_.system().bind_to_any_name(descriptor); !named) {
            return named.errno_value();
        }
    }
    const auto connected = table_.system().connect(descriptor, endpoint);
    return connected ? adopt(endpoint.scheme()) : connected.errno_value();
}

int DatagramLink::adopt(Scheme scheme) {
    if (scheme == Scheme::unix_datagram) scheme_ = scheme;
    if (const auto done = table_.system().set(descriptor, driver::SocketOption::count_drops, 1);
        !done) {
        return done.errno_value();
    }
    later();
    return 0;
}

// No callback comes from inside a user's call.
void DatagramLink::later() {
    if (!is_posted_) is_posted_ = table_.loop().post(*this);
}

void DatagramLink::run() {
    is_posted_ = false;
    if (state_ == State::closing) return end();
    if (is_begun_ || state_ == State::closed) return;
    is_begun_ = true;
    arm();
    if (state_ == State::receiving) connection_.open_datagrams();
}

void DatagramLink::arm() {
    const auto started = table_.driver().start_receive_datagrams(*this);
    state_ = started ? State::receiving : State::idle;
    if (!started) connection_.fail_link(started.errno_value());
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

// What comes after a pause or a close in the same batch was read from the kernel already: it is
// dropped, as a full buffer would.
BERTH_RETURNS_BY_JUMP void DatagramLink::on_datagrams(driver::ReceivedDatagrams datagrams) {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    counters.received.add(datagrams.size());
    counters.dropped.add(counts.dropped - dropped_);
    dropped_ = counts.dropped;
    for (const driver::ReceivedDatagram& each : datagrams) {
        counters.bytes_received.add(each.bytes.size());
        if (each.is_truncated) counters.truncated.add();
        if (state_ == State::receiving) {
            connection_.received_datagram(each.bytes);
        } else {
            counters.dropped.add();
        }
    }
}

// Nobody is there, or it cannot be reached now: only the first is for good.
void DatagramLink::on_datagram_error(int errno_value) {
    table_.counters().datagrams.errors.add();
    if (errno_value == ECONNREFUSED) connection_.fail_link(errno_value);
}

const TimeLimits& DatagramLink::limits() const { return table_.limits(); }

void DatagramLink::pause() {
    if (state_ != State::receiving) return;
    state_ = State::pausing;
    disarm();
}

void DatagramLink::resume() {
    if (state_ == State::pausing) state_ = State::idle;  // armed again when it has ended
    if (state_ == State::paused) arm();
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

// An error of an earlier datagram may come back from here: this one has not been sent then.
BERTH_RETURNS_BY_JUMP int DatagramLink::send(Bytes bytes) {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    const driver::OutgoingDatagram datagram{.bytes = bytes, .to = {}, .from = {}};
    const driver::Sent sent = table_.driver().send_datagrams(*this, {&datagram, 1});
    if (sent.is_failed()) {
        if (sent.errno_value() == ECONNREFUSED) counters.errors.add();
        counters.refused.add();
        return sent.errno_value();
    }
    counters.sent.add();
    counters.bytes_sent.add(bytes.size());
    return 0;
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void DatagramLink::close() {
    const State before = state_;
    state_ = State::closing;
    if (before == State::receiving) disarm();
    if (!is_disarming_) later();
}

void DatagramLink::disarm() {
    is_disarming_ = true;
    table_.driver().stop_receive_datagrams(*this);
}

void DatagramLink::on_datagrams_end() {
    is_disarming_ = false;
    switch (state_) {
        case State::idle: return arm();
        case State::pausing: state_ = State::paused; return;
        default: return end();
    }
}

void DatagramLink::end() {
    table_.system().close(descriptor);
    descriptor = connection_.descriptor = driver::Descriptor::none;
    state_ = State::closed;
    connection_.on_closed();
}

}  // namespace berth::net
