// SPDX-License-Identifier: MIT
//
// MessageLink: opening, receiving, sending, closing.

#include "net/message_link.hpp"

#include "net/connection_core.hpp"
#include "net/connection_table.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace berth::net {

namespace {

// Of the budget; so that short packets come to an end, too.
constexpr std::size_t kPartCost = 256;

}  // namespace

MessageLink::MessageLink(ConnectionCore& connection, ConnectionTable& table,
                         const MessagePlan& plan)
    : connection_(connection), table_(table), plan_(plan) {
    descriptor = connection.descriptor;
}

MessageLink::~MessageLink() { drop_pending(); }

// ── Opening ──────────────────────────────────────────────────────────────────────────────────

int MessageLink::start() {
    const auto started = table_.driver().start_watch(*this);
    if (!started) return started.errno_value();
    is_watching_ = true;
    state_ = State::open;
    return 0;
}

// A Unix socket is connected when the call returns.
int MessageLink::connect(const Endpoint& endpoint) {
    const auto connected = table_.system().connect(descriptor, endpoint);
    if (!connected) return connected.errno_value();
    later();
    return 0;
}

void MessageLink::later() {
    if (!is_posted_) is_posted_ = table_.loop().post(*this);
}

void MessageLink::run() {
    is_posted_ = false;
    switch (state_) {
        case State::connecting: {
            const int errno_value = start();
            return errno_value == 0 ? connection_.open_messages()
                                    : connection_.fail_link(errno_value);
        }
        case State::open: return read();
        case State::closing: return is_watching_ ? void() : end();
        case State::closed: return;
    }
}

void MessageLink::on_ready(driver::Ready ready) {
    if (ready.room && state_ == State::open && !queue_.empty()) flush();
    if (!ready.input || state_ != State::open) return;
    if (is_ended_) return read_late_error();
    if (!is_put_off_) read();  // it has its turn already, else
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

void MessageLink::read() {
    const MutableBytes room = table_.message_room();
    std::size_t taken = 0;
    is_put_off_ = false;
    while (is_receiving()) {
        if (taken >= table_.options().read_budget) {
            is_put_off_ = true;
            return later();
        }
        came_.clear();
        const auto part = table_.system().receive_part(
            descriptor, room,
            {.attached = came_, .attached_max = plan_.descriptors_max - pending_.size()});
        if (part) {
            received(*part, room.first(std::min(part->size, room.size())));
            taken += std::max(part->size, kPartCost);
        } else if (part.errno_value() == ECONNRESET && keeps_bounds() && error_ == 0) {
            error_ = ECONNRESET;  // packets that came before it are still there
        } else {
            return receive_failed(part.errno_value());
        }
    }
}

void MessageLink::received(const driver::ReceivedPart& part, Bytes bytes) {
    LoopCounters& counters = table_.counters();
    counters.descriptors.received.add(came_.size());
    std::ranges::copy(came_, std::back_inserter(pending_));
    if (part.lost_attached) {
        counters.descriptors.lost.add();
        has_lost_ = true;
    }
    if (part.size == 0) return end_input(error_);
    if (part.is_cut && keeps_bounds()) {
        counters.datagrams.truncated.add();
        return connection_.close(CloseMode::reset, CloseReason::inbound_overflow);
    }
    connection_.on_received(bytes);
    if (keeps_bounds() || connection_.unread().empty()) drop_pending();
}

void MessageLink::receive_failed(int errno_value) {
    if (errno_value == EAGAIN) return;
    end_input(errno_value);
}

void MessageLink::end_input(int errno_value) {
    is_ended_ = true;
    wants_input = false;
    if (errno_value != 0) error_ = errno_value;
    connection_.on_receive_end(errno_value);
}

// The peer had ended its half, and is gone now with something of ours unread.
void MessageLink::read_late_error() {
    if (error_ != 0) return;
    const auto part = table_.system().receive_part(descriptor, table_.message_room(),
                                                   {.attached = came_, .attached_max = 0});
    if (part || part.errno_value() == EAGAIN) return;
    end_input(part.errno_value());
}

void MessageLink::pause() {
    is_paused_ = true;
    wants_input = false;
}

// What has come meanwhile made its edge already.
void MessageLink::resume() {
    is_paused_ = false;
    wants_input = !is_ended_;
    if (is_receiving()) later();
}

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────

std::vector<FileDescriptor> MessageLink::take_descriptors() {
    std::vector<FileDescriptor> taken;
    taken.reserve(pending_.size());
    for (const driver::Descriptor each : pending_) taken.emplace_back(driver::number(each));
    pending_.clear();
    return taken;
}

bool MessageLink::has_lost_descriptors() { return std::exchange(has_lost_, false); }

void MessageLink::drop_pending() {
    if (pending_.empty()) return;
    table_.counters().descriptors.dropped.add(pending_.size());
    for (const driver::Descriptor each : pending_) table_.system().close(each);
    pending_.clear();
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

// What was attached goes with the first byte, and our copies with it.
base::Outcome<std::size_t> MessageLink::send(Bytes bytes, std::span<FileDescriptor> attached) {
    std::vector<driver::Descriptor> numbers;
    for (const FileDescriptor& each : attached) {
        numbers.push_back(driver::Descriptor{each.number()});
    }
    auto sent = table_.system().send_part(descriptor, bytes, numbers);
    if (!sent) return sent;
    table_.counters().descriptors.sent.add(attached.size());
    for (FileDescriptor& each : attached) each.reset();
    return sent;
}

int MessageLink::write(Bytes bytes, std::span<FileDescriptor> attached) {
    std::size_t sent = 0;
    if (queue_.empty()) {
        const auto taken = send(bytes, attached);
        if (!taken && taken.errno_value() != EAGAIN) return taken.errno_value();
        sent = taken.value_or(0);
        if (sent == bytes.size()) return 0;
    } else if (keeps_bounds()) {
        const auto most = table_.system().packet_max(descriptor);
        if (most && bytes.size() > *most) return EMSGSIZE;
    }
    Outgoing& last = queue_.emplace_back(Buffer::copy_of(bytes.subspan(sent)));
    if (sent == 0) std::ranges::move(attached, std::back_inserter(last.attached));
    queued_ += last.bytes.size();
    wants_room = true;
    return 0;
}

void MessageLink::flush() {
    while (!queue_.empty() && state_ == State::open) {
        Outgoing& next = queue_.front();
        const auto sent = send(next.bytes.bytes(), next.attached);
        if (sent.errno_value() == EAGAIN) return;
        if (!sent) return connection_.fail_link(sent.errno_value());
        next.attached.clear();
        next.bytes.remove_prefix(*sent);
        queued_ -= *sent;
        if (next.bytes.empty()) queue_.pop_front();
        connection_.message_sent(*sent);
    }
    if (!queue_.empty()) return;
    wants_room = false;
    connection_.messages_all_sent();
}

void MessageLink::drop_queue() {
    queue_.clear();
    queued_ = 0;
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void MessageLink::close() {
    state_ = State::closing;
    if (is_watching_) return table_.driver().stop_watch(*this);
    later();
}

void MessageLink::end() {
    is_watching_ = false;
    table_.system().close(descriptor);
    descriptor = connection_.descriptor = driver::Descriptor::none;
    state_ = State::closed;
    connection_.on_closed();
}

}  // namespace berth::net
