// SPDX-License-Identifier: MIT
//
// SimulatedMachine: a process in a simulated kernel of its own, on a calm day.

#pragma once

#include "differential/machine.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::differential {

class SimulatedMachine final : public Machine {
public:
    explicit SimulatedMachine(std::uint64_t seed) : kernel_(seed), process_(kernel_) {}

    Outcome<Descriptor> socket(Family family, Kind kind) override {
        return process_.socket(family, kind);
    }
    Outcome<void> set(Descriptor socket, SocketOption option, int value) override {
        return process_.set(socket, option, value);
    }
    Outcome<void> bind(Descriptor socket, const Endpoint& endpoint) override {
        return process_.bind(socket, endpoint);
    }
    Outcome<void> listen(Descriptor socket, int backlog) override {
        return process_.listen(socket, backlog);
    }
    Outcome<void> connect(Descriptor socket, const Endpoint& endpoint) override {
        return process_.connect(socket, endpoint);
    }
    Outcome<Accepted> accept(Descriptor listener) override { return process_.accept(listener); }
    Outcome<std::size_t> send(Descriptor socket, Bytes bytes) override {
        return process_.send(socket, bytes);
    }
    Outcome<std::size_t> receive(Descriptor socket, MutableBytes into) override {
        return process_.receive(socket, into);
    }
    Outcome<std::size_t> send_to(Descriptor socket, const Endpoint& endpoint,
                                 Bytes bytes) override {
        return process_.send_to(socket, endpoint, bytes);
    }
    Outcome<Datagram> receive_from(Descriptor socket, MutableBytes into) override {
        return process_.receive_from(socket, into);
    }
    Outcome<void> shutdown(Descriptor socket, Shut what) override {
        return process_.shutdown(socket, what);
    }
    void close(Descriptor socket) override { process_.close(socket); }

    int take_error(Descriptor socket) override { return process_.take_error(socket); }
    Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme) override {
        return process_.local_endpoint(socket, scheme);
    }
    Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme) override {
        return process_.peer_endpoint(socket, scheme);
    }
    Outcome<std::size_t> unacknowledged(Descriptor socket) override {
        return process_.unacknowledged(socket);
    }
    Outcome<std::size_t> never_sent(Descriptor socket) override {
        return process_.never_sent(socket);
    }
    Readiness readiness(Descriptor socket) override { return process_.readiness(socket); }

    Outcome<PathFacts> inspect(const std::string& path) override { return process_.inspect(path); }
    Outcome<bool> path_has_owner(const std::string& path) override {
        return process_.path_has_owner(path);
    }
    Outcome<void> unlink(const std::string& path) override { return process_.unlink(path); }

    bool settle() override { return false; }

private:
    driver::sim::Kernel kernel_;
    driver::sim::Process process_;
};

}  // namespace berth::differential
