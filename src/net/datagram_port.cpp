// SPDX-License-Identifier: MIT
//
// DatagramPort: receiving, sending, closing.

#include "net/datagram_port.hpp"

#include "net/multicast.hpp"
#include "os/returns.hpp"

#include <berth/handler.hpp>

#include <cerrno>
#include <functional>
#include <utility>

namespace berth::net {

DatagramPort::DatagramPort(const DatagramSetup& setup, driver::Descriptor socket,
                           std::size_t listener)
    : table_(setup.table),
      owner_(setup.owner),
      entrance_(setup.entrance),
      listener_(listener),
      hears_many_(setup.hears_many) {
    descriptor = socket;
    joins_sends = setup.options.gso;
    if (setup.options.sessions && endpoint().is_udp()) {
        sessions_.emplace(*this, table_, setup.options);
    }
}

DatagramPort::~DatagramPort() {
    if (driver::is_open(descriptor)) table_.system().close(descriptor);
}

const Endpoint& DatagramPort::endpoint() const { return table_.host().listening_on(listener_); }

// A driver that cannot arm it now, for want of memory, is asked again by the next resume.
void DatagramPort::start() {
    if (arm()) {
        state_ = State::receiving;
    } else {
        table_.counters().accept_errors.add();
        state_ = State::suspended;
        owner_.port_changed(*this);
    }
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

BERTH_RETURNS_BY_JUMP void DatagramPort::on_datagrams(driver::ReceivedDatagrams datagrams) {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    counters.dropped.add(counts.dropped - counted_.dropped);
    counters.gro_received.add(counts.gro_received - counted_.gro_received);
    counted_ = counts;
    owner_.datagrams_received(listener_, datagrams.size());
    is_in_batch_ = true;
    for (const driver::ReceivedDatagram& each : datagrams) {
        if (each.is_to_many && !hears_many_) continue;
        counters.received.add();
        counters.bytes_received.add(each.bytes.size());
        if (each.is_truncated) counters.truncated.add();
        lent_ = each.bytes;
        deliver(each);
    }
    lent_ = {};
    is_in_batch_ = false;
    flush();
}

void DatagramPort::deliver(const driver::ReceivedDatagram& datagram) {
    if (sessions_) return sessions_->received(datagram);
    DatagramInHand in_hand(*this, table_, datagram);
    table_.guarded_void(Callback::on_datagram, [&] { table_.handler().on_datagram(in_hand); });
}

void DatagramPort::on_datagram_error(int) { table_.counters().datagrams.errors.add(); }

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

// Those bytes stay until the batch has been sent.
bool DatagramPort::is_lent(Bytes bytes) const {
    const std::less_equal<> before;
    return before(lent_.data(), bytes.data()) &&
           before(bytes.data() + bytes.size(), lent_.data() + lent_.size());
}

bool DatagramPort::reaches(const Endpoint& to) const {
    const bool is_unix = endpoint().is_unix();
    return is_unix ? to.is_unix() && !to.name().empty() : to.ip().family != 0;
}

bool DatagramPort::send_to(const Endpoint& to, Bytes bytes) {
    if (!reaches(to)) return false;
    return to.is_unix() ? send_named(to.name(), bytes) : send(to.ip(), {}, bytes);
}

bool DatagramPort::send(driver::OutgoingDatagram datagram) {
    const Bytes bytes = datagram.bytes;
    const std::size_t name = datagram.to_name.size();
    if (state_ == State::closed || bytes.size() > DatagramOutbox::kPayloadMax) return false;
    if (name > Endpoint::kUnixNameMax) return false;
    const bool is_copied = !is_lent(bytes);
    if (!outbox_.has_room((is_copied ? bytes.size() : 0) + name)) flush();
    datagram.to_name = outbox_.copy_name(datagram.to_name);
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
// those behind it. But over a Unix socket the room is its receiver's.
BERTH_RETURNS_BY_JUMP void DatagramPort::flush() {
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    driver::OutgoingDatagrams left = outbox_.all();
    while (!left.empty()) {
        const driver::Sent sent = table_.driver().send_datagrams(*this, left);
        if (sent.is_failed()) {
            const bool is_full = sent.errno_value() == EAGAIN && !endpoint().is_unix();
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
    counters.gso_sent.add(counts.gso_sent - counted_.gso_sent);
    counted_.gso_sent = counts.gso_sent;
    outbox_.clear();
}

// ── Groups ───────────────────────────────────────────────────────────────────────────────────

Result<void> DatagramPort::join(const MulticastGroup& group) {
    return Multicast(table_.system(), endpoint()).join(descriptor, group);
}

Result<void> DatagramPort::leave(const MulticastGroup& group) {
    return Multicast(table_.system(), endpoint()).leave(descriptor, group);
}

// ── Suspending and closing ───────────────────────────────────────────────────────────────────

void DatagramPort::suspend() {
    if (state_ != State::receiving) return;
    state_ = State::suspending;
    disarm();
}

void DatagramPort::disarm() {
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
    const State before = state_;
    if (before >= State::closing) return;
    if (sessions_) sessions_->refuse_newcomers();
    const bool at_once = end == ListenerEnd::forced || is_handed_over(end);
    const bool has_sessions = sessions_ && !sessions_->empty();
    if (has_sessions && end != ListenerEnd::forced) return outlive(is_handed_over(end));
    if (before == State::finishing && !at_once) return;
    const bool is_armed = before != State::idle && before != State::suspended &&
                          (before != State::mute || is_disarming_);
    if (!is_armed) return this->end();
    state_ = at_once ? State::closing : State::finishing;
    if (is_disarming_) return;
    if (at_once) return table_.driver().stop_receive_datagrams(*this);
    finish();
}

// What comes for a socket that the next generation has, too, is that one's. One that cannot be
// armed only sends, as well.
void DatagramPort::outlive(bool is_handed_over) {
    if (is_quiet() || state_ == State::finishing) return;
    const State before = std::exchange(state_, State::outliving);
    const bool is_idle = before == State::idle || before == State::suspended;
    if (is_handed_over || (is_idle && !arm())) state_ = State::mute;
    if (is_handed_over && before == State::receiving) disarm();
    owner_.port_changed(*this);
}

void DatagramPort::last_session_left() {
    if (state_ != State::outliving && state_ != State::mute) return;
    const bool is_armed = state_ == State::outliving;
    if (!is_armed && !is_disarming_) return end();
    state_ = State::closing;
    if (!is_disarming_) table_.driver().stop_receive_datagrams(*this);
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
        case State::outliving:  // the same
            if (!arm()) state_ = State::mute;
            return;
        case State::mute: return;
        case State::finishing:
            if (was_disarming && arm()) return finish();
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
