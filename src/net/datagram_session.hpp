// SPDX-License-Identifier: MIT
//
// DatagramSessions: the peers of a datagram socket as connections, one for each pair of addresses.
//
// A peer's first datagram begins its session; an idle timeout, the handler or a stop ends it. Who
// comes when there are as many as there may be is dropped and counted: those that are there are
// not pushed out by newcomers, whose addresses may be made up.
//
// Lifetime:  its port's. A session's memory is its connection's, and may last longer than this.
// Threads:   the loop's.
// See:       docs/internals/datagrams.md.

#pragma once

#include "driver/driver.hpp"
#include "loop/task.hpp"
#include "net/datagram_carrier.hpp"
#include "net/time_limits.hpp"

#include <berth/bytes.hpp>
#include <berth/datagram_options.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace berth::net {

class ConnectionCore;
class ConnectionTable;
class DatagramPort;
class DatagramSessions;

// Who, and to which address of ours.
struct SessionKey {
    IpEndpoint peer;
    IpEndpoint local;  // family 0: the socket has one only, or it was sent to many

    friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

class DatagramSession final : public DatagramCarrier, private loop::Task {
public:
    DatagramSession(ConnectionCore& connection, DatagramSessions& sessions, const SessionKey& key);
    ~DatagramSession() override;

    // False: it is paused, or closing, and does not want it.
    bool received(Bytes bytes);
    // Its port is gone.
    void orphan() { sessions_ = nullptr; }

    // DatagramCarrier
    int send(Bytes bytes) override;
    void flush() override;
    void pause() override { is_paused_ = true; }
    void resume() override { is_paused_ = false; }
    void close() override;
    const TimeLimits& limits() const override;
    Scheme scheme() const override { return scheme_; }
    IpEndpoint local() const override { return key_.local; }

private:
    // loop::Task: closed, once the callbacks of this batch are over.
    void run() override;
    void cancel() override {}

    ConnectionCore& connection_;
    DatagramSessions* sessions_;  // null: not among them any more
    SessionKey key_;
    Scheme scheme_;
    bool is_paused_ = false;
    bool is_closing_ = false;
};

class DatagramSessions {
public:
    DatagramSessions(DatagramPort& port, ConnectionTable& table, const DatagramOptions& options);
    DatagramSessions(const DatagramSessions&) = delete;
    DatagramSessions& operator=(const DatagramSessions&) = delete;
    ~DatagramSessions();

    // To its session, which begins with it if there is none.
    void received(const driver::ReceivedDatagram& datagram);
    // From now on nobody begins one.
    void refuse_newcomers() { admits_ = false; }
    bool empty() const { return sessions_.empty(); }

    // ── For the sessions ─────────────────────────────────────────────────────────────────────
    DatagramPort& port() const { return port_; }
    ConnectionTable& table() const { return table_; }
    const TimeLimits& limits() const { return limits_; }
    void forget(const SessionKey& key) { sessions_.erase(key); }

private:
    // Of addresses that peers choose: keyed, so that nobody can make them meet.
    struct Hash {
        std::uint64_t key;
        std::size_t operator()(const SessionKey& session) const;
    };

    DatagramSession* open(const SessionKey& key);

    DatagramPort& port_;
    ConnectionTable& table_;
    TimeLimits limits_;
    bool admits_ = true;
    std::unordered_map<SessionKey, DatagramSession*, Hash> sessions_;
};

}  // namespace berth::net
