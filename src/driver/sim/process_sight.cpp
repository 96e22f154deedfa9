// SPDX-License-Identifier: MIT
//
// Process: what it sees of sockets that are not its own: sock_diag(7), proc(5).

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/process_call.hpp"
#include "driver/sim/socket.hpp"
#include "driver/socket_rows.hpp"

#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace berth::driver::sim {

namespace {

constexpr std::int64_t kInit = 1;

// Both names of a handshake in flight are asked for by either.
bool is_wanted(SocketStates states, SocketState state) {
    const bool is_handshake = state == SocketState::syn_received;
    return states.has(state) || (is_handshake && states.has(SocketState::new_syn_received));
}

bool is_connection(SocketState state) {
    return state != SocketState::listening && state != SocketState::bound_inactive;
}

}  // namespace

// Those that listen or do nothing are known by their port, connections by their two places.
Outcome<std::vector<SocketRow>> Process::sockets(Scheme scheme, std::uint16_t port,
                                                 SocketStates states) {
    return call([&]() -> Outcome<std::vector<SocketRow>> {
        const bool is_tcp = scheme == Scheme::tcp;
        std::vector<SocketRow> rows;
        const auto add = [&](const SocketRow& row) {
            if (is_wanted(states, row.state)) rows.push_back(row);
        };
        const auto protocol = is_tcp ? Protocol::tcp : Protocol::udp;
        for (const PortOwner* owner : kernel_.network_->ports().owners(protocol, port)) {
            const SocketRow row = owner->row();
            if (!is_tcp || !is_connection(row.state)) add(row);
        }
        if (is_tcp) kernel_.network_->for_each_end(port, [&](auto& end) { add(end.row()); });
        return rows;
    });
}

Outcome<std::vector<UnixRow>> Process::unix_sockets(const std::string& name) {
    return call([&]() -> Outcome<std::vector<UnixRow>> {
        std::vector<UnixRow> rows;
        for (const auto& [inode, socket] : kernel_.network_->sockets()) {
            const auto row = socket->unix_row();
            if (row && row->name == name) rows.push_back(*row);
        }
        return rows;
    });
}

// A process that is neither one's own nor looked at by root keeps its descriptors to itself.
std::vector<SocketHolder> Process::holders(std::span<const std::uint64_t> inodes) {
    return call([&] {
        std::vector<SocketHolder> holders;
        for (const auto& [id, other] : kernel_.network_->processes()) {
            const bool may_look = identity_.uid == 0 || other->identity_.uid == identity_.uid;
            if (may_look) other->list_sockets(inodes, holders);
        }
        return holders;
    });
}

void Process::list_sockets(std::span<const std::uint64_t> inodes,
                           std::vector<SocketHolder>& holders) const {
    table_->for_each_socket([&](Descriptor descriptor, const Socket& socket) {
        if (std::ranges::find(inodes, socket.inode()) == inodes.end()) return;
        using Wall = std::chrono::system_clock;
        holders.push_back({.pid = id_,
                           .parent = kInit,
                           .fd = number(descriptor),
                           .inode = socket.inode(),
                           .uid = identity_.uid,
                           .command = identity_.command,
                           .executable = "/usr/bin/" + identity_.command,
                           .since = Wall::time_point{
                               std::chrono::duration_cast<Wall::duration>(began_.since_epoch)}});
    });
}

Outcome<std::uint64_t> Process::inode(Descriptor descriptor) {
    return call(descriptor, [](Socket& found) { return Outcome<std::uint64_t>{found.inode()}; });
}

Outcome<PeerCredentials> Process::peer_credentials(Descriptor socket) {
    return call(socket,
                [](Socket& found) { return Outcome<PeerCredentials>{found.peer_credentials()}; });
}

}  // namespace berth::driver::sim
