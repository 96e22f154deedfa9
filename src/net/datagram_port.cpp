// SPDX-License-Identifier: MIT
//
// DatagramPort: receiving, sending, closing.

#include "net/datagram_port.hpp"

#include <berth/handler.hpp>

#include <cerrno>
#include <functional>
#include <utility>

namespace berth::net {

DatagramPort::DatagramPort(const DatagramSetup& setup, driver::Descriptor socket,
                           std::size_t listener)
    : table_(setup.table), owner_(setup.owner), entrance_(setup.entrance), listener_(listener) {
    descriptor = socket;
}

DatagramPort::~DatagramPort() {
    if (driver::is_open(descriptor)) table_.system().close(descriptor);
}

const Endpoint& DatagramPort::endpoint() const { return table_.host().listening_on(listener_); }

// A driver that cannot arm it now, for want of memory, is asked again by the next resume.
void DatagramPort::start() {
    if (table_.driver().start_receive_datagrams(*this)) {
        state_ = State::receiving;
    } else {
        table_.counters().accept_errors.add();
        state_ = State::suspended;
        owner_.port_changed(*this);
    }
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

void DatagramPort::on_datagrams(driver::ReceivedDatagrams datagrams) {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    counters.received.add(datagrams.size());
    counters.dropped.add(dropped - dropped_);
    dropped_ = dropped;
    owner_.datagrams_received(listener_, datagrams.size());
    is_in_batch_ = true;
    for (const driver::ReceivedDatagram& each : datagrams) {
        counters.bytes_received.add(each.bytes.size());
        if (each.is_truncated) counters.truncated.add();
        lent_ = each.bytes;
        DatagramInHand datagram(*this, table_, each);
        table_.guarded_void(Callback::on_datagram, [&] { table_.handler().on_datagram(datagram); });
    }
    lent_ = {};
    is_in_batch_ = false;
    flush();
}

void DatagramPort::on_datagram_error(int) { table_.counters().datagrams.errors.add(); }

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

// Those bytes stay until the batch has been sent.
bool DatagramPort::is_lent(Bytes bytes) const {
    const std::less_equal<> before;
    return before(lent_.data(), bytes.data()) &&
           before(bytes.data() + bytes.size(), lent_.data() + lent_.size());
}

bool DatagramPort::send(const IpEndpoint& to, const IpEndpoint& from, Bytes bytes) {
    if (state_ == State::closed || bytes.size() > DatagramOutbox::kPayloadMax) return false;
    const bool is_copied = !is_lent(bytes);
    if (!outbox_.has_room(is_copied ? bytes.size() : 0)) flush();
    const driver::OutgoingDatagram datagram{.bytes = bytes, .to = to, .from = from};
    if (is_copied) {
        outbox_.add_copy(datagram);
    } else {
        outbox_.add(datagram);
    }
    if (!is_in_batch_ && !is_posted_) is_posted_ = table_.loop().post(*this);
    if (!is_in_batch_ && !is_posted_) flush();  // the loop takes no tasks any more
    return true;
}

void DatagramPort::run() {
    is_posted_ = false;
    flush();
}

// A datagram that the kernel refuses is dropped; where there is no room for it, there is none for
// those behind it.
void DatagramPort::flush() {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    driver::OutgoingDatagrams left = outbox_.all();
    while (!left.empty()) {
        const driver::Sent sent = table_.driver().send_datagrams(*this, left);
        if (sent.is_failed()) {
            const bool is_full = sent.errno_value() == EAGAIN;
            const std::size_t lost = is_full ? left.size() : 1;
            counters.refused.add(lost);
            left = left.subspan(lost);
            continue;
        }
        for (const driver::OutgoingDatagram& each : left.first(sent.count())) {
            counters.bytes_sent.add(each.bytes.size());
        }
        counters.sent.add(sent.count());
        left = left.subspan(sent.count());
    }
    outbox_.clear();
}

// ── Suspending and closing ───────────────────────────────────────────────────────────────────

void DatagramPort::suspend() {
    if (state_ != State::receiving) return;
    state_ = State::suspending;
    is_disarming_ = true;
    table_.driver().stop_receive_datagrams(*this);
}

// A suspension under way comes to its end first, and is undone then.
void DatagramPort::resume() {
    if (state_ == State::suspending) state_ = State::receiving;
    if (state_ != State::suspended) return;
    start();
    owner_.port_changed(*this);
}

bool DatagramPort::is_handed_over(ListenerEnd end) const {
    return end == ListenerEnd::handed_over || entrance_->is_shared();
}

void DatagramPort::close(ListenerEnd end) {
    const bool at_once = end == ListenerEnd::forced || is_handed_over(end);
    const State before = state_;
    if (before >= State::closing || (before == State::finishing && !at_once)) return;
    if (before == State::idle || before == State::suspended) return this->end();
    state_ = at_once ? State::closing : State::finishing;
    if (is_disarming_) return;
    if (at_once) return table_.driver().stop_receive_datagrams(*this);
    finish();
}

// The filter makes what is there the last of it.
void DatagramPort::finish() {
    static_cast<void>(table_.system().drop_everything(descriptor));
    table_.driver().finish_receive_datagrams(*this);
}

void DatagramPort::on_datagrams_end() {
    const bool was_disarming = std::exchange(is_disarming_, false);
    switch (state_) {
        case State::receiving: return start();  // it was to be suspended, and is not any more
        case State::suspending: state_ = State::suspended; return owner_.port_changed(*this);
        case State::finishing:
            if (was_disarming && table_.driver().start_receive_datagrams(*this)) return finish();
            return end();
        default: return end();
    }
}

void DatagramPort::end() {
    if (driver::is_open(descriptor) && !outbox_.empty()) flush();
    table_.system().close(descriptor);
    descriptor = driver::Descriptor::none;
    state_ = State::closed;
    owner_.port_changed(*this);
}

}  // namespace berth::net
