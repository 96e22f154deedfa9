// SPDX-License-Identifier: MIT
//
// PortEvidence: everything that is known about an address, before anything is concluded from it.
//
// A trial bind says whether the address is taken. The tables of the kernel say which sockets are
// there, and /proc who has them open. The trial never listens, so no client can meet it, and it
// sets SO_REUSEADDR as every berth server does, so that it is in nobody's way for longer than a
// system call takes.
//
// Lifetime:  values, true when they were taken.
// See:       sock_diag(7), proc(5).

#pragma once

#include "driver/system.hpp"

#include <berth/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace berth::net {

// What who asks knows beyond the address.
struct PortContext {
    std::vector<std::uint64_t> once_ours;  // inodes of sockets that this process has closed
    // Whoever is in the way has been there for kTeardown: not a process that is being taken apart.
    bool is_settled = false;
};

struct PortEvidence {
    Endpoint endpoint{};
    PortContext context{};
    int bind_errno = 0;  // of the trial; 0: it is free
    // Every socket with the port; without a value the table could not be read.
    std::optional<std::vector<driver::SocketRow>> rows{};
    bool sees_bound = false;  // are sockets in the table that neither listen nor are connected?
    // Ends of connections whose other end is listened on, here: those are outgoing.
    std::vector<IpEndpoint> peers_listening{};
    // Of Unix addresses.
    std::optional<std::vector<driver::UnixRow>> unix_rows{};
    driver::PathFacts path{};
    std::optional<bool> path_has_owner{};  // no value: this user may not know
    // Who has any of those sockets open.
    std::vector<driver::SocketHolder> holders{};
    std::int64_t process_id = 0;
    std::uint32_t user_id = 0;
    driver::PortRange ephemeral{};
};

// Fails with the errno of a call without which nothing can be said.
base::Outcome<PortEvidence> gather_evidence(driver::System& system, const Endpoint& endpoint,
                                            PortContext context);

}  // namespace berth::net
