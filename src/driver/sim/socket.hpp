// SPDX-License-Identifier: MIT
//
// Socket: what a descriptor of a simulated process refers to, and the calls it understands.
//
// A call that a kind of socket does not know fails as it does in Linux. Descriptors are checked
// by Process; here an errno speaks of the socket.
//
// Lifetime:  shared: of its descriptors, and of the network while a peer may still send to it.
// Threads:   one.

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/file.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace berth::driver::sim {

// A message of a Unix SOCK_SEQPACKET socket, with what came along.
struct Letter {
    std::vector<std::byte> bytes;
    std::vector<Holding> attached;
};

// SO_ATTACH_FILTER: what it drops of what comes for the socket.
enum class Filter : std::uint8_t { none, handshakes, everything };

class Socket : public File {
public:
    Socket(Network& network, Family family);
    ~Socket() override;

    Socket* as_socket() override { return this; }
    Family family() const { return family_; }
    std::uint64_t inode() const { return inode_; }
    // Who made it, or has it do something that its peer will see: socket(2), listen(2), connect(2).
    const PeerCredentials& user() const { return user_; }
    void act_for(const PeerCredentials& user) { user_ = user; }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────
    virtual Outcome<void> bind(const Endpoint& endpoint) = 0;
    virtual Outcome<void> listen(int backlog);
    virtual Outcome<void> connect(const Endpoint& endpoint) = 0;
    virtual Outcome<std::shared_ptr<Socket>> accept();
    virtual Outcome<std::size_t> send(Bytes bytes) = 0;
    virtual Outcome<std::size_t> send_to(const Endpoint& endpoint, Bytes bytes) = 0;
    virtual Outcome<std::size_t> receive(MutableBytes into) = 0;
    virtual Outcome<Datagram> receive_from(MutableBytes into);
    virtual Outcome<void> shutdown(Shut what) = 0;
    virtual Outcome<void> disconnect();
    virtual void close() = 0;  // its last descriptor is gone
    virtual Outcome<void> send_letter(Letter&& letter);
    virtual Outcome<Letter> receive_letter();

    virtual Outcome<void> set(SocketOption option, int value);
    int take_error();
    virtual Outcome<Endpoint> local_endpoint(Scheme scheme) const = 0;
    virtual Outcome<Endpoint> peer_endpoint(Scheme scheme) const = 0;
    // As accept(2) tells it, also of one that is closed by now; family 0: Unix.
    virtual IpEndpoint peer_when_accepted() const { return {}; }
    virtual Outcome<std::size_t> unacknowledged() const = 0;
    virtual Outcome<std::size_t> never_sent() const;
    virtual Readiness readiness() const = 0;
    // Who connected, or listened: SO_PEERCRED.
    virtual PeerCredentials peer_credentials() const { return kNobody; }
    virtual Outcome<void> attach(Filter filter);
    virtual Outcome<void> require_ttl(int least);
    virtual std::optional<UnixRow> unix_row() const { return std::nullopt; }

protected:
    static constexpr int kBacklogMax = 4096;  // net.core.somaxconn
    static constexpr PeerCredentials kNobody{.pid = 0, .uid = 0xffffffff, .gid = 0xffffffff};

    Network& network() const { return network_; }
    Kernel& kernel() const { return network_.kernel(); }

    // The inode as others see it: an orphan has none.
    std::uint64_t seen_inode() const { return is_held() ? inode_ : 0; }
    // What a call for `wanted` bytes takes by chance, of 1 or more: mostly all.
    std::size_t by_chance(unsigned one_in, std::size_t wanted) const;

    int error_ = 0;                  // SO_ERROR: told once
    bool no_more_received_ = false;  // RCV_SHUTDOWN: a FIN came, or shutdown(2) said so
    bool no_more_sent_ = false;      // SEND_SHUTDOWN
    bool resets_ = false;            // SO_LINGER {1, 0}
    Filter filter_ = Filter::none;
    std::size_t receive_buffer_;
    std::size_t send_buffer_;

private:
    void become_held() override;
    void let_go() override;

    Network& network_;
    Family family_;
    std::uint64_t inode_;
    PeerCredentials user_;
};

}  // namespace berth::driver::sim
