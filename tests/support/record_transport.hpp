// SPDX-License-Identifier: MIT
//
// RecordTransport: a transport for tests, with what makes TLS hard and nothing of what makes it
// safe.
//
// The wire carries records: length of the payload (u16, big endian), type (u8), payload.
//
//     1 hello        "berth"   client, then server   ┐ two round trips: each side answers the
//     2 confirm      empty     client, then server   ┘ other's record of the same name
//     3 data         1 … kRecordMax bytes, each masked by the number of its record
//     4 acknowledge  empty     after every kAcknowledgedRecords data records
//     5 goodbye      empty     nothing follows
//     6 alert        empty     what came is no such record; nothing follows
//
// The server is open once the client confirmed, the client once the server did. Who receives may
// find several of these at once: nobody has to wait before it sends, but this transport does.
//
// A sender stops after kAcknowledgedRecords until they are acknowledged: its write waits for a
// read. Who has said goodbye acknowledges no more, and is not waited for.
//
// Threads:   a transport: one. The factory: any.
// See:       src/transport/transport.hpp; record_codec.hpp, the same protocol written twice.

#pragma once

#include "base/byte_queue.hpp"
#include "transport/transport.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::test {

class RecordTransport final : public transport::Transport {
public:
    enum class Role : std::uint8_t { client, server };
    explicit RecordTransport(Role role);
    ~RecordTransport() override { --count_; }

    static std::size_t count() { return count_; }  // that exist now, of all threads

    transport::Status status() const override { return status_; }
    int failure() const override { return failure_; }

    void receive(Bytes wire) override;
    Bytes next_plain() override;

    bool may_seal() const override;
    void seal(Bytes plain) override;
    void say_goodbye() override;
    Bytes next_wire() override;

private:
    enum class Type : std::uint8_t { hello = 1, confirm, data, acknowledge, goodbye, alert };
    struct Record {
        Type type;
        Bytes payload;
    };

    // The first record that is there whole; of type `alert` if it can be none. False: not yet.
    bool first_record(Record& record) const;
    void drop(const Record& record);
    void shake_hands();
    void obey_control(const Record& record);
    Bytes open(const Record& record);
    void acknowledged();
    void put(Type type, Bytes payload);
    void drop_lent();
    void fail();
    bool is_final() const { return status_ >= transport::Status::ended; }

    static inline std::atomic<std::size_t> count_ = 0;
    Role role_;
    transport::Status status_ = transport::Status::handshaking;
    int failure_ = 0;
    bool greeted_ = false;  // the peer's hello is in
    bool said_goodbye_ = false;
    base::ByteQueue in_;
    base::ByteQueue out_;
    std::size_t lent_ = 0;  // of out_, by next_wire
    std::vector<std::byte> plain_;
    std::uint64_t sealed_ = 0;  // data records
    std::uint64_t opened_ = 0;
    unsigned unacknowledged_ = 0;
};

class RecordTransports final : public transport::TransportFactory {
public:
    explicit RecordTransports(Duration handshake_timeout) : timeout_(handshake_timeout) {}
    std::unique_ptr<transport::Transport> accept(std::size_t listener) override;
    std::unique_ptr<transport::Transport> dial(const Endpoint& to) override;
    Duration handshake_timeout() const override { return timeout_; }

private:
    Duration timeout_;
};

}  // namespace berth::test
