// SPDX-License-Identifier: MIT
//
// PortTrial: a socket that binds an address to see whether it could, and that nobody meets.
//
// It has the options of a berth server, SO_REUSEADDR above all. It listens only behind a filter
// that drops every packet. UDP goes without SO_REUSEADDR, with which it would take another
// server's datagrams. A Unix path is never bound: that would make a file.
//
// Lifetime:  closes its socket when it ends.
// Errors:    an errno, also that of socket(2).
// See:       socket(7).

#pragma once

#include "driver/system.hpp"

#include <berth/endpoint.hpp>

namespace berth::net {

class PortTrial {
public:
    // `joins`: beside others that share the port. It does not listen then: it would take clients
    // from them.
    PortTrial(driver::System& system, const Endpoint& endpoint, bool joins = false);
    PortTrial(const PortTrial&) = delete;
    PortTrial& operator=(const PortTrial&) = delete;
    ~PortTrial();

    static bool is_path(const Endpoint& endpoint) {
        return endpoint.is_unix() && !endpoint.is_abstract();
    }

    base::Outcome<void> bind();
    // False: it would be seen, and did not listen.
    base::Outcome<bool> listen_unseen();
    driver::Descriptor socket() const { return *socket_; }  // after a successful bind

private:
    driver::System& system_;
    const Endpoint& endpoint_;
    bool joins_;
    base::Outcome<driver::Descriptor> socket_;
};

}  // namespace berth::net
