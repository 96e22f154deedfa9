// SPDX-License-Identifier: MIT
//
// RecordTransport: strict about what comes, late with what goes.

#include "support/record_transport.hpp"

#include "base/assert.hpp"

#include <array>
#include <cerrno>
#include <utility>

namespace berth::test {

using transport::Status;

namespace {

constexpr std::size_t kHeadBytes = 3;
constexpr unsigned kAcknowledgedRecords = 8;

std::byte mask(std::uint64_t record) { return static_cast<std::byte>(0xa5U ^ (record & 0xffU)); }

std::size_t length_in(Bytes head) {
    return std::to_integer<std::size_t>(head[0]) << 8U | std::to_integer<std::size_t>(head[1]);
}

Bytes greeting() { return as_bytes("berth"); }

}  // namespace

RecordTransport::RecordTransport(Role role) : role_(role) {
    ++count_;
    if (role_ == Role::client) put(Type::hello, greeting());
}

// ── From the wire ────────────────────────────────────────────────────────────────────────────

void RecordTransport::receive(Bytes wire) {
    if (is_final()) return;
    in_.append(wire);
    if (status_ == Status::handshaking) shake_hands();
}

bool RecordTransport::first_record(Record& record) const {
    const Bytes all = in_.view();
    if (all.size() < kHeadBytes) return false;
    const std::size_t length = length_in(all);
    const auto type = static_cast<Type>(all[2]);
    const bool is_data = type == Type::data && length >= 1 && length <= transport::kRecordMax;
    const bool is_hello = type == Type::hello && length == greeting().size();
    const bool is_other = type != Type::data && type != Type::hello && length == 0;
    if (!is_data && !is_hello && !is_other) return record = {Type::alert, {}}, true;
    if (all.size() - kHeadBytes < length) return false;
    record = {type, all.subspan(kHeadBytes, length)};
    return true;
}

// The record's bytes stay in place until more is received.
void RecordTransport::drop(const Record& record) {
    in_.consume(kHeadBytes + record.payload.size());
}

void RecordTransport::shake_hands() {
    Record record{};
    while (status_ == Status::handshaking && first_record(record)) {
        const Type expected = greeted_ ? Type::confirm : Type::hello;
        const Bytes content = greeted_ ? Bytes{} : greeting();
        if (record.type != expected || as_text(record.payload) != as_text(content)) return fail();
        drop(record);
        // The server answers both with the same; the client's confirm answers the hello.
        if (role_ == Role::server) {
            put(expected, content);
        } else if (!greeted_) {
            put(Type::confirm, {});
        }
        if (greeted_) status_ = Status::open;
        greeted_ = true;
    }
}

Bytes RecordTransport::next_plain() {
    Record record{};
    while (status_ == Status::open && first_record(record)) {
        if (record.type == Type::data) return open(record);
        obey_control(record);
    }
    in_.trim();
    return {};
}

void RecordTransport::obey_control(const Record& record) {
    switch (record.type) {
        case Type::acknowledge: drop(record); return acknowledged();
        case Type::goodbye: status_ = Status::ended; return;
        default: fail();
    }
}

Bytes RecordTransport::open(const Record& record) {
    plain_.assign(record.payload.begin(), record.payload.end());
    for (std::byte& byte : plain_) byte ^= mask(opened_);
    drop(record);
    if (++opened_ % kAcknowledgedRecords == 0) put(Type::acknowledge, {});
    return plain_;
}

void RecordTransport::acknowledged() {
    if (unacknowledged_ < kAcknowledgedRecords) return fail();
    unacknowledged_ -= kAcknowledgedRecords;
}

void RecordTransport::fail() {
    put(Type::alert, {});
    said_goodbye_ = true;
    status_ = Status::failed;
    failure_ = EPROTO;
}

// ── To the wire ──────────────────────────────────────────────────────────────────────────────

bool RecordTransport::may_seal() const {
    if (status_ == Status::ended) return true;
    return status_ == Status::open && unacknowledged_ < kAcknowledgedRecords;
}

void RecordTransport::seal(Bytes plain) {
    BERTH_ASSERT(may_seal() && !said_goodbye_, "only what may be sealed is");
    BERTH_ASSERT(!plain.empty() && plain.size() <= transport::kRecordMax, "a record is bounded");
    std::vector<std::byte> masked(plain.begin(), plain.end());
    for (std::byte& byte : masked) byte ^= mask(sealed_);
    ++sealed_;
    ++unacknowledged_;
    put(Type::data, masked);
}

void RecordTransport::say_goodbye() {
    put(Type::goodbye, {});
    said_goodbye_ = true;
}

void RecordTransport::put(Type type, Bytes payload) {
    if (said_goodbye_) return;
    const std::array head{static_cast<std::byte>(payload.size() >> 8U),
                          static_cast<std::byte>(payload.size() & 0xffU),
                          static_cast<std::byte>(type)};
    drop_lent();
    out_.append(head);
    out_.append(payload);
}

Bytes RecordTransport::next_wire() {
    drop_lent();
    const Bytes wire = out_.view();
    lent_ = wire.size();
    return wire;
}

void RecordTransport::drop_lent() {
    out_.consume(std::exchange(lent_, 0));
    out_.trim();
}

// ── The factory ──────────────────────────────────────────────────────────────────────────────

std::unique_ptr<transport::Transport> RecordTransports::accept(std::size_t /*listener*/) {
    return std::make_unique<RecordTransport>(RecordTransport::Role::server);
}

std::unique_ptr<transport::Transport> RecordTransports::dial(const Endpoint& /*to*/) {
    return std::make_unique<RecordTransport>(RecordTransport::Role::client);
}

}  // namespace berth::test
