// SPDX-License-Identifier: MIT
//
// Port mixes: whatever else is on the port, nothing that is proven is wrong.
//
// Method: a seed draws a few sockets with what the tables do not show (who began a connection, who
// allows sharing, who is hidden). A model decides from that whether a bind is refused, and by
// whom; the decision sees only what the tables show. Addresses in common are found by listing them,
// not by the rules under test.

#include "net/port_diagnosis_decision.hpp"
#include "port_evidence.hpp"

#include <berth/port.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace berth::net::scripted {
namespace {

using driver::SocketState;

enum class Nature : std::uint8_t { listener, bound, accepted, orphan, client, connecting, itself };
enum class Owner : std::uint8_t { us, child, other, manager, unseen };

struct Socket {
    Nature nature = Nature::listener;
    Owner owner = Owner::other;
    std::string address;
    bool is_v6_only = false;
    bool allows_reuse = false;  // SO_REUSEADDR
    bool shares = false;        // SO_REUSEPORT
    bool was_inherited = false;
    std::uint32_t uid = kOurUser;
    std::uint64_t inode = 0;
};

// ── What is true ─────────────────────────────────────────────────────────────────────────────

const std::vector<std::string> kV4{"127.0.0.1", "127.0.0.2"};
const std::vector<std::string> kV6{"[::1]", "[2001:db8::1]"};

std::set<std::string> addresses_of(const std::string& address, bool is_v6_only) {
    std::set<std::string> addresses;
    if (address == "0.0.0.0") addresses.insert(kV4.begin(), kV4.end());
    if (address == "[::]") addresses.insert(kV6.begin(), kV6.end());
    if (address == "[::]" && !is_v6_only) addresses.insert(kV4.begin(), kV4.end());
    if (addresses.empty()) addresses.insert(address);
    return addresses;
}

struct World {
    Endpoint wanted;
    std::string wanted_address;
    std::vector<Socket> sockets;
    bool shows_bound = true;

    bool meets(const Socket& a, const std::string& address, bool is_v6_only) const {
        // Linux takes an IPv6 connection of a dual-stack listener for an IPv4 one here.
        if (address == "0.0.0.0" && a.address.starts_with('[') && !a.is_v6_only) return true;
        const auto ours = addresses_of(address, is_v6_only);
        const auto theirs = addresses_of(a.address, a.is_v6_only);
        return std::ranges::any_of(ours, [&](const auto& one) { return theirs.contains(one); });
    }
    bool blocks(const Socket& socket) const {
        if (!meets(socket, wanted_address, wanted.is_v6_only())) return false;
        return socket.nature == Nature::listener || !socket.allows_reuse;
    }
    bool is_refused() const {
        return std::ranges::any_of(sockets, [&](const Socket& one) { return blocks(one); });
    }
};

// Would `socket` alone be this cause?
bool is_truly(const World& world, PortCause cause, const Socket& socket) {
    const bool is_listener = socket.nature == Nature::listener;
    if (!world.blocks(socket)) return false;
    switch (cause) {
        case PortCause::same_process: return is_listener && socket.owner == Owner::us;
        case PortCause::inherited_by_child: return is_listener && socket.was_inherited;
        case PortCause::overlap: return is_listener && socket.address != world.wanted_address;
        case PortCause::uid_mismatch: return is_listener && socket.shares && socket.uid != kOurUser;
        case PortCause::live_listener: return is_listener && socket.owner != Owner::us;
        case PortCause::bound_not_listening: return socket.nature == Nature::bound;
        case PortCause::self_connect: return socket.nature == Nature::itself;
        case PortCause::ephemeral_collision:
            return socket.nature == Nature::client || socket.nature == Nature::connecting;
        default: return false;
    }
}

// ── What the tables show ─────────────────────────────────────────────────────────────────────

SocketState state_of(Nature nature) {
    switch (nature) {
        case Nature::listener: return SocketState::listening;
        case Nature::bound: return SocketState::bound_inactive;
        case Nature::orphan: return SocketState::time_wait;
        case Nature::connecting: return SocketState::syn_sent;
        default: return SocketState::established;
    }
}

driver::SocketRow row_of(const Socket& socket, std::uint16_t peer_port) {
    driver::SocketRow shown = row(state_of(socket.nature), socket.address, socket.inode);
    shown.is_v6_only = socket.is_v6_only;
    shown.uid = socket.uid;
    if (socket.nature > Nature::bound) shown.peer = ip("127.0.0.9", peer_port);
    if (socket.nature == Nature::itself) shown.peer = shown.local;
    return shown;
}

PortEvidence evidence_of(const World& world) {
    PortEvidence evidence = refused(world.wanted);
    evidence.bind_errno = world.is_refused() ? EADDRINUSE : 0;
    evidence.sees_bound = world.shows_bound;
    std::uint16_t peer_port = 50'000;
    for (const Socket& socket : world.sockets) {
        if (socket.nature == Nature::bound && !world.shows_bound) continue;
        evidence.rows->push_back(row_of(socket, ++peer_port));
        if (socket.was_inherited) evidence.context.once_ours.push_back(socket.inode);
        constexpr std::array kPids{kUs, kChild, kOther, std::int64_t{1}};
        if (socket.owner == Owner::unseen || socket.inode == 0) continue;
        evidence.holders.push_back(holder(kPids[static_cast<std::size_t>(socket.owner)],
                                          socket.inode,
                                          socket.owner == Owner::manager ? "systemd" : "server"));
    }
    return evidence;
}

// ── Chance ───────────────────────────────────────────────────────────────────────────────────

class Chance {
public:
    explicit Chance(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool one_in(std::uint64_t many) { return below(many) == 0; }

    World world(std::size_t sockets_max) {
        World world;
        const auto [address, is_v6_only] = some_address();
        world.wanted_address = address;
        world.wanted = Endpoint(is_v6_only ? Scheme::tcp6 : Scheme::tcp, ip(address, kPort));
        world.shows_bound = !one_in(3);
        const std::size_t count = 1 + below(sockets_max);
        for (std::size_t i = 0; i < count; ++i) add_socket(world, i + 1);
        return world;
    }

private:
    std::pair<std::string, bool> some_address() {
        const std::uint64_t choice = below(6);
        if (choice == 0) return {"0.0.0.0", false};
        if (choice == 1) return {"[::]", one_in(2)};
        const auto& family = choice < 5 ? kV4 : kV6;
        return {family[below(family.size())], choice == 5};
    }

    void add_socket(World& world, std::uint64_t inode) {
        Socket socket{.nature = static_cast<Nature>(below(7)),
                      .owner = static_cast<Owner>(below(5)),
                      .address = {},
                      .allows_reuse = one_in(3),
                      .shares = one_in(2),
                      .uid = one_in(3) ? kOtherUser : kOurUser,
                      .inode = inode};
        std::tie(socket.address, socket.is_v6_only) = some_address();
        if (socket.nature == Nature::orphan) socket.inode = 0;
        // Through a listener for both families.
        const bool was_accepted =
            socket.nature == Nature::orphan || socket.nature == Nature::accepted;
        if (was_accepted && one_in(2)) socket.is_v6_only = false;
        socket.was_inherited = socket.owner == Owner::child && one_in(2);
        if (can_join(world, socket)) world.sockets.push_back(socket);
    }

    // Listeners meet only by SO_REUSEPORT, and within one user.
    static bool can_join(const World& world, const Socket& socket) {
        return std::ranges::none_of(world.sockets, [&](const Socket& other) {
            return socket.nature == Nature::listener && other.nature == Nature::listener &&
                   world.meets(other, socket.address, socket.is_v6_only) &&
                   !(socket.shares && other.shares && socket.uid == other.uid);
        });
    }

    std::mt19937_64 engine_;
};

constexpr std::uint64_t kMixes = 20'000;

TEST(PortMixes, NothingProvenIsWrong) {
    std::uint64_t proven = 0;
    for (std::uint64_t seed = 1; seed <= kMixes; ++seed) {
        const World world = Chance(seed).world(5);
        const PortDiagnosis port = decide(evidence_of(world)).value();
        ASSERT_EQ(port.is_free, !world.is_refused()) << "seed " << seed;
        if (port.is_free || port.certainty == Certainty::likely) continue;
        ++proven;
        ASSERT_TRUE(std::ranges::any_of(
            world.sockets,
            [&](const Socket& socket) { return is_truly(world, port.cause, socket); }))
            << "seed " << seed << ": " << port.to_string();
    }
    EXPECT_GT(proven, kMixes / 10);
}

PortCause cause_alone(const World& world, const Socket& socket) {
    constexpr std::array kOwners{PortCause::same_process, PortCause::inherited_by_child,
                                 PortCause::live_listener, PortCause::systemd_socket,
                                 PortCause::dying_process};
    constexpr std::array kNatures{PortCause::live_listener,        PortCause::bound_not_listening,
                                  PortCause::leftover_connections, PortCause::leftover_no_reuse,
                                  PortCause::leftover_connections, PortCause::ephemeral_collision,
                                  PortCause::self_connect};
    if (socket.nature != Nature::listener) return kNatures[static_cast<std::size_t>(socket.nature)];
    const bool is_hidden = socket.owner == Owner::unseen && socket.uid != kOurUser;
    if (is_hidden) return PortCause::holder_hidden;
    const bool is_wider = socket.address != world.wanted_address;
    if (socket.owner == Owner::other && is_wider) return PortCause::overlap;
    return kOwners[static_cast<std::size_t>(socket.owner)];
}

TEST(PortMixes, OneSocketAloneIsRecognised) {
    for (std::uint64_t seed = 1; seed <= kMixes; ++seed) {
        const World world = Chance(seed).world(1);
        if (!world.is_refused()) continue;
        const Socket& socket = world.sockets.front();
        if (socket.nature == Nature::bound && !world.shows_bound) continue;
        const PortDiagnosis port = decide(evidence_of(world)).value();
        ASSERT_EQ(to_string(port.cause), to_string(cause_alone(world, socket)))
            << "seed " << seed << ": " << port.to_string();
    }
}

}  // namespace
}  // namespace berth::net::scripted
