// SPDX-License-Identifier: MIT
//
// Network: what the sockets of one simulated kernel share: the wire, the agenda, ports, names.
//
// Lifetime:  the kernel's.
// Threads:   one.

#pragma once

#include "driver/sim/agenda.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/segment.hpp"
#include "driver/sim/unix_names.hpp"
#include "driver/socket_rows.hpp"

#include <berth/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace berth::driver::sim {

class Process;
class Socket;
class TcpSocket;

// One end of a TCP connection, or what is left of one: who takes the segments for it.
class TcpEnd {
public:
    virtual ~TcpEnd() = default;
    virtual void take(Segment& segment) = 0;
    virtual bool is_over() const { return false; }  // in TIME_WAIT
    virtual SocketRow row() const = 0;
};

class Network {
public:
    explicit Network(Kernel& kernel) : kernel_(kernel) {}
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network();

    Kernel& kernel() { return kernel_; }
    Agenda& agenda() { return agenda_; }
    PortTable& ports() { return ports_; }
    UnixNames& unix_names() { return unix_names_; }

    // ── The wire ─────────────────────────────────────────────────────────────────────────────
    // When something sent now arrives.
    Instant arrival();
    // When all that was sent until now has arrived: for what is sent in place of a socket that is
    // gone, and may overtake nothing that it sent.
    Instant arrival_of_all() const;
    void refuse(const Segment& segment);
    void send(Segment segment, Instant arrival);
    void deliver(Segment& segment);

    // ── TCP connections by their two places ──────────────────────────────────────────────────
    TcpEnd* find(const Place& local, const Place& peer) const;
    void connect(const Place& local, const Place& peer, std::shared_ptr<TcpEnd> end);
    void disconnect(const Place& local, const Place& peer) { ends_.erase({local, peer}); }
    // Where the next connection starts to count.
    std::uint64_t next_sequence() { return sequence_ += std::uint64_t{1} << 32U; }

    void start_listening(TcpSocket& listener);
    void stop_listening(TcpSocket& listener);
    // Who takes a connection; SO_REUSEPORT spreads them over several. Null: nobody.
    TcpSocket* find_listener(const Place& place, const Place& peer) const;

    // ── What is there ────────────────────────────────────────────────────────────────────────
    // In the order in which they came, by inode and by process id.
    std::uint64_t enter(Socket& socket);
    void leave(const Socket& socket);
    const std::map<std::uint64_t, Socket*>& sockets() const { return sockets_; }
    std::int64_t enter(const Process& process);
    void leave(const Process& process);
    const std::map<std::int64_t, const Process*>& processes() const { return processes_; }
    // The connections, and what is left of them, with that local port.
    void for_each_end(std::uint16_t port, auto&& act) const {
        for (const auto& [places, end] : ends_) {
            if (places.first.port == port) act(*end);
        }
    }

    struct Census {
        std::size_t owned = 0;      // sockets that somebody has a descriptor of
        std::size_t time_wait = 0;  // rows without a socket
        std::size_t fin_wait_2 = 0;
    };
    Census& census() { return census_; }

    struct TcpBuffers {
        std::size_t receive = 131072;  // the middle of net.ipv4.tcp_rmem
        std::size_t send = 262144;     // Linux tunes it while it sends, up to 4 MiB
    };
    TcpBuffers& tcp_buffers() { return tcp_buffers_; }

private:
    using Connection = std::pair<Place, Place>;

    Kernel& kernel_;
    Agenda agenda_;
    PortTable ports_;
    UnixNames unix_names_;
    Census census_;
    TcpBuffers tcp_buffers_;
    std::uint64_t sequence_ = 0;
    std::map<Connection, std::shared_ptr<TcpEnd>> ends_;
    std::unordered_map<std::uint16_t, std::vector<TcpSocket*>> listeners_;
    std::map<std::uint64_t, Socket*> sockets_;
    std::map<std::int64_t, const Process*> processes_;
    std::uint64_t inode_last_ = 1000;
    std::int64_t process_last_ = 100;
};

// A number for choosing among those that share a port, from who asks.
std::uint64_t hash_of(const Place& peer);

}  // namespace berth::driver::sim
