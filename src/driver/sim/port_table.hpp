// SPDX-License-Identifier: MIT
//
// PortTable: who has which port of TCP and of UDP, and who may have it too.
//
// The rule is that of inet_csk_bind_conflict in Linux, one owner against another: two that set
// SO_REUSEADDR share a port unless one of them listens, two that set SO_REUSEPORT do if they
// are of one user, and so do two that no packet could be meant for both. Ports that are chosen
// come from one row for both protocols: none is chosen that the other has.
//
// Lifetime:  outlives its owners; one that ends leaves.
// Threads:   one.
// See:       ip(7), socket(7).

#pragma once

#include "driver/sim/place.hpp"
#include "driver/socket_rows.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <utility>

namespace berth::driver::sim {

class PortTable;

enum class Protocol : std::uint8_t { tcp, udp };

// A socket that is or may be bound, or what is left of one.
class PortOwner {
public:
    explicit PortOwner(Protocol protocol) : protocol_(protocol) {}
    PortOwner(const PortOwner&) = delete;
    PortOwner& operator=(const PortOwner&) = delete;
    virtual ~PortOwner();

    const Place& local() const { return local_; }
    bool has_port() const { return table_ != nullptr; }
    bool reuses_address() const { return reuses_address_; }
    bool reuses_port() const { return reuses_port_; }
    bool is_dual_stack() const { return is_dual_stack_; }
    virtual bool is_listening() const { return false; }
    virtual bool is_left_over() const { return false; }  // in TIME_WAIT: nobody's
    virtual std::uint32_t uid() const = 0;
    virtual SocketRow row() const = 0;

    void release_port();  // the place stays as it was: getsockname(2) goes on telling it

protected:
    Place local_;
    bool reuses_address_ = false;
    bool reuses_port_ = false;
    bool is_dual_stack_ = false;  // IPv6 without IPV6_V6ONLY

private:
    friend class PortTable;

    Protocol protocol_;
    PortTable* table_ = nullptr;
    std::list<PortOwner*>::iterator position_;
};

class PortTable {
public:
    // In the order in which they came.
    using Owners = std::list<PortOwner*>;
    static constexpr PortRange kEphemeral{};  // net.ipv4.ip_local_port_range

    PortTable() = default;
    PortTable(const PortTable&) = delete;
    PortTable& operator=(const PortTable&) = delete;

    // Binds; port 0: to one that nobody has. EADDRINUSE.
    Outcome<void> take(PortOwner& owner, Place place);
    // Without asking: a connection takes after its listener.
    void join(PortOwner& owner);
    // Is somebody else in the way of `owner` at `place`?
    bool is_taken(const PortOwner& owner, const Place& place) const;

    const Owners& owners(Protocol protocol, std::uint16_t port) const;

private:
    using Port = std::pair<Protocol, std::uint16_t>;

    friend class PortOwner;

    static Port port_of(const PortOwner& owner) { return {owner.protocol_, owner.local_.port}; }
    std::uint16_t free_port();  // 0: none
    void leave(PortOwner& owner);

    std::map<Port, Owners> ports_;
    std::uint16_t ephemeral_next_ = kEphemeral.first;
};

}  // namespace berth::driver::sim
