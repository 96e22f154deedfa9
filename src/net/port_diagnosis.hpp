// SPDX-License-Identifier: MIT
//
// Port diagnosis: why an address cannot be bound.
//
// Evidence is gathered (port_diagnosis_evidence.hpp), the sockets in the way are told apart
// (port_diagnosis_claims.hpp), and one of them is named (port_diagnosis_decision.hpp).
//
// Threads:   any.
// See:       docs/reference/port-causes.md.

#pragma once

#include "driver/system.hpp"
#include "net/port_diagnosis_decision.hpp"
#include "net/port_diagnosis_evidence.hpp"

#include <berth/endpoint.hpp>
#include <berth/port.hpp>
#include <berth/result.hpp>

namespace berth::net {

// One look. Fails where a bind would fail for a reason that has nothing to do with others.
Result<PortDiagnosis> diagnose_port(driver::System& system, const Endpoint& endpoint,
                                    PortContext context = {});

// Looks until there is nothing left that only needs kTeardown to go away.
Result<PortDiagnosis> diagnose_settled_port(driver::System& system, const Endpoint& endpoint);

// The error of a bind or listen, with the holder added if the address is in use; after
// TeardownPatience.
Error with_holder(driver::System& system, const Endpoint& endpoint, Error error);

// Whether to bind or listen once more: while it seems that only a process which is being taken
// apart is in the way, and for kTeardown at most.
//
//     auto bound = system.bind(socket, endpoint);
//     TeardownPatience patience(system, endpoint);
//     while (patience.lasts(bound.errno_value())) bound = system.bind(socket, endpoint);
class TeardownPatience {
public:
    TeardownPatience(driver::System& system, const Endpoint& endpoint)
        : system_(system), endpoint_(endpoint) {}

    bool lasts(int errno_value);

private:
    driver::System& system_;
    const Endpoint& endpoint_;
    std::optional<Instant> deadline_;  // none: not refused yet
    Instant last_look_;
    int looks_without_time_ = 0;
};

}  // namespace berth::net
