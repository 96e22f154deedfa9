// SPDX-License-Identifier: MIT
//
// ServerProcess: `berth serve` from its first line on.
//
// Lifetime:  as Process.
// Errors:    throws what Process throws, and when the program does not keep its contract.

#pragma once

#include "process.hpp"

#include <berth/endpoint.hpp>

#include <string>
#include <vector>

namespace berth::test {

class ServerProcess : public Process {
public:
    // `berth serve` with these words; returns when it is ready. `wrapper` is a program that runs
    // what stands behind it. BERTH_DRIVER in the environment chooses the driver.
    explicit ServerProcess(const Words& words, const Words& environment = {},
                           const Words& wrapper = {});
    // An echo server on a free port of loopback.
    ServerProcess() : ServerProcess({"echo", "--listen", "tcp://127.0.0.1:0"}) {}

    // One per --listen, in their order.
    const std::vector<Endpoint>& endpoints() const { return endpoints_; }
    const Endpoint& endpoint() const { return endpoints_.at(0); }
    std::string address() const { return endpoint().to_string(); }

    // SIGTERM, and the exit status.
    int stop();

private:
    std::vector<Endpoint> endpoints_;
};

}  // namespace berth::test
