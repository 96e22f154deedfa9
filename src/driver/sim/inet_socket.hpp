// SPDX-License-Identifier: MIT
//
// InetSocket: a TCP or UDP socket: families, addresses, and the options of ports.

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/socket.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/endpoint.hpp>

#include <cstdint>

namespace berth::driver::sim {

class InetSocket : public Socket, public PortOwner {
public:
    InetSocket(Network& network, Protocol protocol, Family family);

    Outcome<void> bind(const Endpoint& endpoint) override;
    Outcome<void> set(SocketOption option, int value) override;
    Outcome<Endpoint> local_endpoint(Scheme scheme) const override;
    std::uint32_t uid() const override { return user().uid; }

protected:
    // Places, owner and inode; the rest is the protocol's.
    SocketRow row_in(SocketState state) const;
    Outcome<Place> place_of(const IpEndpoint& peer) const;
    void copy_options(const InetSocket& other);
    Outcome<void> choose_port();  // unless there is one
    // Where packets to `peer` come from.
    Place opposite(const Place& peer) const;
    // Back to what bind(2) said, or to everywhere.
    void forget_address();
    // Gives back a port that bind(2) did not name.
    void release_chosen_port();

    Place peer_;  // host 0: none

private:
    void set_families(const Families& families);
    void stand(const Place& place);  // on the port that it has

    Families families_;
    Place bound_;                 // what bind(2) said: everywhere, if nothing
    bool is_port_bound_ = false;  // by name, as opposed to chosen
};

}  // namespace berth::driver::sim
